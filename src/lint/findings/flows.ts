/** What rules say of the ends that connections were made to, for the checks of connection tracking. */
import type { Address } from "../../../grammar/address.js";
import type { Connection } from "../../state/connections.js";
import { destinationNat } from "../../state/connections.js";
import type { LintContext } from "../context.js";
import type { Sighting } from "../finding.js";

/** By `endKey` of a Service's address: where it leads, and what it is called. */
export interface KnownEnd {
  readonly name: string;
  readonly endpoints: ReadonlySet<string>;
}

export function endKey(address: Address, port: number | undefined, protocol: number): string {
  return `${protocol} ${address} ${port}`;
}

const made = new WeakMap<LintContext, ReadonlyMap<string, KnownEnd>>();

export function knownEnds(context: LintContext): ReadonlyMap<string, KnownEnd> {
  let known = made.get(context);
  if (known === undefined) {
    const ends = new Map<string, KnownEnd>();
    for (const { name, protocol, entrances, endpoints } of context.services().services) {
      if (protocol === undefined) continue;
      for (const { address, port } of entrances) {
        if (address === undefined || port === undefined) continue;
        const own = endpoints.flatMap((one) =>
          one.address === undefined ? [] : [endKey(one.address, one.port ?? port, protocol)],
        );
        ends.set(endKey(address, port, protocol), { name: name ?? "a service", endpoints: new Set(own) });
      }
    }
    made.set(context, ends);
    known = ends;
  }
  return known;
}

/** Where the client wrote to. */
export function askedEnd({ protocol, original }: Connection): string {
  return endKey(original.destination, original.ports?.destination, protocol);
}

/** Where packets go. */
export function servedEnd(connection: Connection): string | undefined {
  const to = destinationNat(connection)?.to;
  return to === undefined ? undefined : endKey(to.address, to.port, connection.protocol);
}

export function sightingOf(words: string, { place }: Connection): Sighting {
  return { ...(place === undefined ? {} : { place }), words };
}

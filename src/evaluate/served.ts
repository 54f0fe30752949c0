/** Connections that IPVS has given to real servers, and what a rule may ask of a packet that it has handled (xt_ipvs). */
import { type Address, maskAddress } from "../../grammar/address.js";
import type { ServedQuestion } from "../../grammar/meaning.js";
import type { Tuple } from "./memory.js";

/** A connection of IPVS. Parts of a tuple that are not known have names. */
export interface Served {
  /** The virtual server as people write it: `10.96.0.10:80/tcp`, `mark 1`. */
  readonly service: string;
  readonly scheduler: string | undefined;
  readonly protocol: number;
  /** As the client sends to the virtual server, before its source is masqueraded. */
  readonly request: Tuple;
  readonly server: { readonly address: Address; readonly port: number };
  /** How its packets are forwarded: with a new destination, or as they are (direct routing, tunnels). */
  readonly method: ServedMethod;
  /** Second at which IPVS forgets it if no packet comes. */
  readonly endsAt: number;
}

/** As xt_ipvs names them. */
export type ServedMethod = "MASQ" | "GATE" | "IPIP";

/** A packet that IPVS has handled (`ipvs_property`). */
export interface Handled {
  readonly connection: Served;
  /** The packet is the client's; else it is an answer. */
  readonly isRequest: boolean;
}

/**
 * What xt_ipvs finds (Linux 6.1, ip_vs_core.c and xt_ipvs.c). Its options beside `--ipvs` look the connection up by the
 * real server that a packet goes to: answers, and packets that are forwarded as they are, have none.
 */
export function fitsServed(
  { parts }: ServedQuestion,
  handled: Handled | undefined,
  isTracked: boolean,
): boolean {
  if (handled === undefined) return false;
  if (parts.length === 0) return true;
  const { connection, isRequest } = handled;
  if (!isRequest || connection.method !== "MASQ") return false;
  return parts.every((part) => {
    if (part.field === "direction") return isTracked && part.word === "ORIGINAL";
    return fits(part, connection) !== part.negated;
  });
}

function fits(
  part: Exclude<ServedQuestion["parts"][number], { readonly field: "direction" }>,
  { protocol, request, method }: Served,
): boolean {
  switch (part.field) {
    case "protocol":
      return protocol === part.number;
    case "port":
      return request.destinationPort === part.number;
    case "address":
      return (
        typeof request.destination !== "string" &&
        maskAddress(request.destination, part.network.mask) ===
          maskAddress(part.network.address, part.network.mask)
      );
    case "method":
      return method === part.word;
  }
}

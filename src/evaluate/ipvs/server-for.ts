/** Where a packet in the INPUT hook meets IPVS: the virtual server that takes it, and the shares of its real servers. */
import type { Address } from "../../../grammar/address.js";
import type { Packet } from "../../../grammar/packet.js";
import type { ServiceKey } from "../../state/virtual-servers.js";
import type { Share } from "../outcome.js";
import { ratio } from "../share.js";
import { endOf, openingOf, scheduled, serviceFor } from "./open.js";
import type { IpvsTable } from "./table.js";

export interface Served {
  readonly service: ServiceKey;
  /** Shares add up to 1. `to` absent: refused with an ICMP port unreachable. */
  readonly servers: readonly {
    readonly to: { readonly address: Address; readonly port: number } | undefined;
    readonly share: Share;
  }[];
  /** What the shares rest on; empty: on nothing. */
  readonly assuming: readonly string[];
}

/**
 * What IPVS does with the first packet of a connection (of TCP: a SYN); undefined: nothing, it goes on to the node itself.
 * Without a source, or its port, the shares are those of all clients.
 */
export function serverFor(table: IpvsTable, packet: Packet): Served | undefined {
  const { protocol, source, sourcePort, destination, destinationPort, mark = 0 } = packet;
  if (destinationPort === undefined) return undefined;
  const to = { protocol, destination, destinationPort, mark };
  const service = serviceFor(table, to);
  if (service === undefined) return undefined;
  const { ways, assuming } =
    source === undefined || sourcePort === undefined
      ? scheduled(table, service, undefined)
      : (openingOf(table, { ...to, source, sourcePort }) ?? scheduled(table, service, undefined));
  const total = ways.reduce((sum, { weight }) => sum + weight, 0n);
  return {
    service: service.key,
    servers: ways.map(({ server, weight }) => ({
      to: server === undefined ? undefined : endOf(service, server, to),
      share: ratio(weight, total),
    })),
    assuming,
  };
}

/** What happens on a node with IPVS, one event after the other. */
import type { Address } from "../../grammar/address.js";
import type { VirtualServerChange } from "./virtual-servers.js";

/** The first packet of a connection (of TCP: a SYN). */
export interface FirstPacket {
  readonly protocol: number;
  readonly source: Address;
  /** 0 for protocols without ports, as for `destinationPort`. */
  readonly sourcePort: number;
  readonly destination: Address;
  readonly destinationPort: number;
  /** The firewall mark that it bears in the INPUT hook; absent: 0. */
  readonly mark?: number;
}

export type IpvsEvent =
  | { readonly kind: "open"; readonly id: string; readonly packet: FirstPacket }
  /** `close`: both ends have said goodbye; `expire`: IPVS forgets it. Ids are of `open` events before. */
  | { readonly kind: "close" | "expire"; readonly id: string }
  | { readonly kind: "change"; readonly change: VirtualServerChange }
  | { readonly kind: "wait"; readonly seconds: number };

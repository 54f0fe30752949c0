/** Packets that IPVS has handled, and what a rule may ask of them (xt_ipvs). */
import { maskAddress } from "../../grammar/address.js";
import type { ServedQuestion } from "../../grammar/meaning.js";
import type { Served } from "./memory.js";

/** A packet that IPVS has handled (`ipvs_property`). */
export interface Handled {
  readonly connection: Served;
  /** The packet is the client's; else it is an answer. */
  readonly isRequest: boolean;
}

/**
 * What xt_ipvs finds (Linux 6.1, ip_vs_core.c and xt_ipvs.c). Its options beside `--ipvs` look the connection up by where
 * a packet goes to: answers have none then.
 */
export function fitsServed(
  { parts }: ServedQuestion,
  handled: Handled | undefined,
  isTracked: boolean,
): boolean {
  if (handled === undefined) return false;
  if (parts.length === 0) return true;
  const { connection, isRequest } = handled;
  if (!isRequest) return false;
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

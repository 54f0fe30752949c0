/** A packet in the words that `landfall trace` takes. */
import type { Packet } from "../../grammar/packet.js";
import { protocolName } from "../../grammar/protocols.js";
import { endWords } from "../explain/service-words.js";

/** `10.244.9.8:40000 to 10.96.0.10:53/udp in cbr0`; no shell takes any of it for something else. */
export function questionText({
  source,
  sourcePort,
  destination,
  destinationPort,
  protocol,
  in: by,
}: Packet): string {
  const from = source === undefined ? "" : `${endWords(source, sourcePort)} `;
  const where = by === undefined ? "" : by === "local" ? " from node" : ` in ${by}`;
  return `${from}to ${endWords(destination, destinationPort)}/${protocolName(protocol)}${where}`;
}

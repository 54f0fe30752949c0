/** What the checks of IPVS say of a virtual server. */
import { protocolName } from "../../../grammar/protocols.js";
import type { ServiceKey } from "../../state/virtual-servers.js";
import { printEnd } from "../look.js";

/** `10.96.0.10:53/udp`, or `mark 7`. */
export function serverName(key: ServiceKey): string {
  return key.kind === "mark"
    ? `mark ${key.mark}`
    : `${printEnd(key.address, key.port)}/${protocolName(key.protocol)}`;
}

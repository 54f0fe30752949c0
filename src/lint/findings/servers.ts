/** What the checks of IPVS say of a virtual server. */

import type { Family } from "../../../grammar/address.js";
import { protocolName } from "../../../grammar/protocols.js";
import type { ServiceKey } from "../../state/virtual-servers.js";
import { printEnd } from "../look.js";

/** `10.96.0.10:53/udp`, or `mark 7`. */
export function serverName(key: ServiceKey): string {
  return key.kind === "mark"
    ? `mark ${key.mark}`
    : `${printEnd(key.address, key.port)}/${protocolName(key.protocol)}`;
}

/** The name of kube-proxy's set for a family: `KUBE-CLUSTER-IP`, and `KUBE-6-CLUSTER-IP` for IPv6. */
export function setNamed(name: string, family: Family): string {
  return family === "ipv6" ? name.replace(/^KUBE-/, "KUBE-6-") : name;
}

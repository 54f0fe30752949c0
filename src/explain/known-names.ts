/** Names of service ports that objects tell, for texts that lack them. */
import { readAddress } from "../../grammar/address.js";
import { protocolNumber } from "../../grammar/protocols.js";
import type { ClusterModel } from "../cluster/model.js";
import { servicePortName } from "../cluster/names.js";
import { addressKey, type KnownNames, nodePortKey } from "./service-model.js";

export function knownNamesOf({ services }: ClusterModel): KnownNames {
  const names: string[] = [];
  const byAddress = new Map<string, string>();
  const byNodePort = new Map<string, string>();
  for (const { meta, ports, clusterIP, clusterIPs, externalIPs, ingress } of services) {
    const written = [clusterIP, ...clusterIPs, ...externalIPs, ...ingress.map(({ ip }) => ip ?? "")];
    for (const { name, port, protocol, nodePort } of ports) {
      const own = servicePortName(meta.namespace, meta.name, name);
      names.push(own);
      const number = protocolNumber(protocol);
      if (number === undefined) continue;
      if (nodePort !== 0) byNodePort.set(nodePortKey(nodePort, number), own);
      for (const text of written) {
        const address = readAddress(text);
        if (address !== undefined) byAddress.set(addressKey(address, port, number), own);
      }
    }
  }
  return { names, byAddress, byNodePort };
}

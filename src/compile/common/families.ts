/** Which families a cluster has. */
import { type Family, familyOf, readAddress, readNetwork } from "../../../grammar/address.js";
import type { ClusterModel, Node } from "../../cluster/model.js";

/**
 * The families of the cluster, the primary one first: that of `bindAddress` if it is one address, else of the node's
 * first address, else of the first cluster CIDR, else of the first Service's cluster IP. The second is there when an
 * address, CIDR or Service has it.
 */
export function familiesOf(model: ClusterModel, node: Node | undefined): readonly Family[] {
  const seen = new Set<Family>();
  const see = (text: string | undefined): void => {
    const address = text === undefined ? undefined : (readAddress(text) ?? readNetwork(text)?.address);
    if (address !== undefined) seen.add(familyOf(address));
  };
  const bound = readAddress(model.proxy?.bindAddress ?? "");
  if (bound) seen.add(familyOf(bound));
  for (const type of ["InternalIP", "ExternalIP"]) {
    for (const one of node?.addresses ?? []) if (one.type === type) see(one.address);
  }
  for (const cidr of model.proxy?.clusterCIDRs ?? []) see(cidr);
  for (const { clusterIP, clusterIPs } of model.services)
    for (const ip of [clusterIP, ...clusterIPs]) see(ip);
  return [...seen];
}

/** Names for addresses: from the objects, else from the comments of the rules on the way. */
import { readAddress } from "../../grammar/address.js";
import { SERVICE_NAME_LABEL } from "../cluster/consistency.js";
import type { ClusterModel } from "../cluster/model.js";
import { servicePortName } from "../cluster/names.js";
import type { Landing } from "../evaluate/outcome.js";
import { knownNamesOf } from "../explain/known-names.js";
import { addressKey } from "../explain/service-model.js";
import { servicePortOf } from "../explain/service-port.js";
import { endpointKey } from "../explain/services-in-rules.js";

export interface Naming {
  /** The service port whose endpoint a packet landed on; null when it is none, or nothing says. */
  endpointOf(landing: Landing): string | null;
}

export function namingOf(cluster: ClusterModel | undefined): Naming {
  const names = endpointNames(cluster);
  const servers = cluster === undefined ? undefined : knownNamesOf(cluster).byAddress;
  return {
    endpointOf(landing) {
      if (landing.verdict !== "forward" && landing.verdict !== "local") return null;
      const { served } = landing;
      const { destination = "", destinationPort = "" } = served?.request ?? {};
      const byServer =
        served === null || typeof destination === "string" || typeof destinationPort !== "number"
          ? undefined
          : servers?.get(addressKey(destination, destinationPort, served.protocol));
      if (byServer !== undefined) return byServer;
      const byComment = servicePortOf(landing)?.name;
      if (byComment !== undefined) return byComment;
      const known =
        landing.dst === null || landing.dport === null
          ? undefined
          : names.get(endpointKey(landing.dst, landing.dport));
      return known?.size === 1 ? ([...known][0] ?? null) : null;
    },
  };
}

/** Service port names by their endpoints, as `endpointKey` writes them. */
export function endpointNames(cluster: ClusterModel | undefined): ReadonlyMap<string, ReadonlySet<string>> {
  const names = new Map<string, Set<string>>();
  for (const slice of cluster?.slices ?? []) {
    const service = slice.meta.labels.get(SERVICE_NAME_LABEL);
    if (service === undefined) continue;
    for (const port of slice.ports) {
      for (const { addresses } of slice.endpoints) {
        const address = readAddress(addresses[0] ?? "");
        if (address === undefined || port.port === undefined) continue;
        const key = endpointKey(address, port.port);
        names.set(
          key,
          (names.get(key) ?? new Set()).add(servicePortName(slice.meta.namespace, service, port.name ?? "")),
        );
      }
    }
  }
  return names;
}

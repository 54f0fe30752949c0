/** EndpointSlices → the endpoints of a service port: which slices count, and how their endpoints are put together. */
import { SERVICE_NAME_LABEL } from "../../cluster/consistency.js";
import type { ClusterModel, EndpointSlice, ObjectMeta, ServicePort } from "../../cluster/model.js";
import type { Context } from "./context.js";
import { type EndpointInfo, endpointInfo } from "./endpoints.js";
import { byBytes } from "./go-text.js";

/** Services, and slices, with one of these labels are left to another proxy: kube-proxy does not watch them. */
const FOREIGN_LABELS = ["service.kubernetes.io/service-proxy-name", "service.kubernetes.io/headless"];

export function isForeign({ labels }: ObjectMeta): boolean {
  return FOREIGN_LABELS.some((label) => labels.has(label));
}

/** The family's slices by `namespace/name` of their Service. */
export function slicesByService(
  model: ClusterModel,
  { family }: Context,
): ReadonlyMap<string, readonly EndpointSlice[]> {
  const byService = new Map<string, EndpointSlice[]>();
  for (const slice of model.slices) {
    const service = slice.meta.labels.get(SERVICE_NAME_LABEL);
    if (!service || slice.addressType !== (family === "ipv4" ? "IPv4" : "IPv6") || isForeign(slice.meta))
      continue;
    const key = `${slice.meta.namespace}/${service}`;
    const known = byService.get(key);
    if (known === undefined) byService.set(key, [slice]);
    else known.push(slice);
  }
  // kube-proxy walks a map of slices; by name is one order it may take, and it decides which duplicate is met first.
  for (const slices of byService.values())
    slices.sort((left, right) => byBytes(left.meta.name, right.meta.name));
  return byService;
}

/** The endpoints of one service port over all its slices, duplicates merged, in the order of their text. */
export function endpointsOf(
  slices: readonly EndpointSlice[],
  port: ServicePort,
  context: Context,
): readonly EndpointInfo[] {
  const byText = new Map<string, EndpointInfo>();
  for (const slice of slices) {
    for (const slicePort of slice.ports) {
      if (slicePort.name !== port.name || slicePort.protocol !== port.protocol || !slicePort.port) continue;
      for (const endpoint of slice.endpoints) {
        const info = endpointInfo(endpoint, slicePort.port, context);
        // A local copy replaces an earlier one, whatever their conditions.
        if (info !== undefined && (!byText.has(info.text) || info.local)) byText.set(info.text, info);
      }
    }
  }
  return [...byText.values()].sort((left, right) => byBytes(left.text, right.text));
}

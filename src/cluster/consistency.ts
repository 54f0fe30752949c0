/**
 * What only the whole cluster shows: two Services on one node port, slices of no Service. All are warnings, since
 * kube-proxy carries on too, and say what it does.
 */
import type { Problem } from "../problems/problem.js";
import type { ClusterModel, Service } from "./model.js";

/** The label that joins an EndpointSlice to its Service. */
export const SERVICE_NAME_LABEL = "kubernetes.io/service-name";

export function checkCluster(model: ClusterModel): readonly Problem[] {
  return [...sharedNodePorts(model), ...straySlices(model)];
}

function sharedNodePorts(model: ClusterModel): readonly Problem[] {
  const problems: Problem[] = [];
  const owners = new Map<string, string>();
  for (const service of model.services) {
    for (const port of service.ports) {
      if (port.nodePort === 0) continue;
      const key = `${port.nodePort}/${port.protocol.toLowerCase()}`;
      const owner = owners.get(key);
      if (owner === undefined) owners.set(key, nameOf(service));
      else {
        problems.push({
          code: "LF5009",
          severity: "warning",
          message: `${nameOf(service)}: node port ${key} is also that of ${owner}`,
          place: port.place,
          notes: [
            "kube-proxy writes rules for both, and the first that matches wins; the API server would refuse this",
          ],
        });
      }
    }
  }
  return problems;
}

function straySlices(model: ClusterModel): readonly Problem[] {
  const services = new Set(model.services.map(nameOf));
  return model.slices.flatMap((slice): Problem[] => {
    const { namespace, name, labels } = slice.meta;
    const service = labels.get(SERVICE_NAME_LABEL) ?? "";
    if (service !== "" && services.has(`Service ${namespace}/${service}`)) return [];
    const why =
      service === ""
        ? `has no label ${SERVICE_NAME_LABEL}`
        : `belongs to Service ${namespace}/${service}, which is not here`;
    return [
      {
        code: "LF5005",
        severity: "warning",
        message: `EndpointSlice ${namespace}/${name} ${why}, so kube-proxy makes no rules of it`,
        place: slice.meta.place,
      },
    ];
  });
}

function nameOf(service: Service): string {
  return `Service ${service.meta.namespace}/${service.meta.name}`;
}

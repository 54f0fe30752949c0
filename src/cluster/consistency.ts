/**
 * What only the whole cluster shows: two Services on one address and port, slices of no Service. All are warnings, since
 * kube-proxy carries on too, and say what it does.
 */
import { type Address, printAddress, readAddress, withPort } from "../../grammar/address.js";
import type { Problem } from "../problems/problem.js";
import type { ClusterModel, Service, ServicePort } from "./model.js";

/** The label that joins an EndpointSlice to its Service. */
export const SERVICE_NAME_LABEL = "kubernetes.io/service-name";

export function checkCluster(model: ClusterModel): readonly Problem[] {
  return [...sharedEntrances(model), ...straySlices(model)];
}

/** Where packets are sent to reach a service port, as messages name it: one place has one owner. */
function entrances(service: Service, { port, nodePort, protocol }: ServicePort): readonly string[] {
  const { clusterIP, clusterIPs, externalIPs, ingress } = service;
  const addresses = [clusterIP, ...clusterIPs, ...externalIPs, ...ingress.map(({ ip = "" }) => ip)];
  const known = addresses.map(readAddress).filter((one): one is Address => one !== undefined);
  const protocolWord = protocol.toLowerCase();
  return [
    ...new Set(known.map((address) => `${withPort(printAddress(address), port)}/${protocolWord}`)),
    ...(nodePort === 0 ? [] : [`node port ${nodePort}/${protocolWord}`]),
  ];
}

function sharedEntrances(model: ClusterModel): readonly Problem[] {
  const problems: Problem[] = [];
  const owners = new Map<string, Service>();
  for (const service of model.services) {
    for (const port of service.ports) {
      for (const entrance of entrances(service, port)) {
        const owner = owners.get(entrance);
        if (owner === undefined) owners.set(entrance, service);
        // Two ports of one Service that are the same are told of where the Service is read.
        else if (owner !== service) {
          problems.push({
            code: "LF5009",
            severity: "warning",
            message: `${nameOf(service)}: ${entrance} is also that of ${nameOf(owner)}`,
            place: port.place,
            notes: ["kube-proxy writes rules for both, and the first that matches wins"],
          });
        }
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

/**
 * What only the whole cluster shows: two Services on one node port, slices of no Service, addresses that kube-proxy
 * would silently pass over. All are warnings, since kube-proxy carries on too, and say what it does.
 */
import { readAddress, readNetwork } from "../../grammar/address.js";
import type { Problem } from "../problems/problem.js";
import type { ClusterModel, Service } from "./model.js";

/** The label that joins an EndpointSlice to its Service. */
export const SERVICE_NAME_LABEL = "kubernetes.io/service-name";

export function checkCluster(model: ClusterModel): readonly Problem[] {
  return [
    ...sharedNodePorts(model),
    ...strayClusterIPs(model),
    ...strayAddresses(model),
    ...straySlices(model),
  ];
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

function strayClusterIPs(model: ClusterModel): readonly Problem[] {
  return model.services.flatMap((service): Problem[] => {
    const { ipFamilies, clusterIPs } = service;
    const wrong = ipFamilies.findIndex((family, index) => {
      const ip = clusterIPs[index];
      return ip !== undefined && readAddress(ip) !== undefined && ip.includes(":") !== (family === "IPv6");
    });
    return wrong < 0
      ? []
      : [
          {
            code: "LF5005",
            severity: "warning",
            message: `${nameOf(service)}: clusterIPs[${wrong}] ${clusterIPs[wrong]} is not of family ${ipFamilies[wrong]}`,
            place: service.meta.place,
            notes: ["kube-proxy takes the cluster IP at the place of its family in ipFamilies"],
          },
        ];
  });
}

function strayAddresses(model: ClusterModel): readonly Problem[] {
  const skipped = (
    service: Service,
    what: string,
    values: readonly string[],
    fits: (text: string) => boolean,
  ) =>
    values
      .filter((value) => !fits(value.trim()))
      .map(
        (value): Problem => ({
          code: "LF5005",
          severity: "warning",
          message: `${nameOf(service)}: ${JSON.stringify(value)} of ${what} cannot be read, and kube-proxy skips it`,
          place: service.meta.place,
        }),
      );
  return model.services.flatMap((service) => [
    ...skipped(service, "externalIPs", service.externalIPs, (text) => readAddress(text) !== undefined),
    ...skipped(
      service,
      "loadBalancerSourceRanges",
      service.loadBalancerSourceRanges,
      (text) => text.includes("/") && readNetwork(text) !== undefined,
    ),
  ]);
}

function straySlices(model: ClusterModel): readonly Problem[] {
  const services = new Set(model.services.map(nameOf));
  return model.slices.flatMap((slice): Problem[] => {
    const { namespace, name, labels } = slice.meta;
    const service = labels.get(SERVICE_NAME_LABEL) ?? "";
    const problems: Problem[] = [];
    if (service === "" || !services.has(`Service ${namespace}/${service}`)) {
      const why =
        service === ""
          ? `has no label ${SERVICE_NAME_LABEL}`
          : `belongs to Service ${namespace}/${service}, which is not here`;
      problems.push({
        code: "LF5005",
        severity: "warning",
        message: `EndpointSlice ${namespace}/${name} ${why}, so kube-proxy makes no rules of it`,
        place: slice.meta.place,
      });
    }
    const family = slice.addressType;
    const wrong = slice.endpoints.flatMap(({ addresses }) =>
      addresses.filter((address) => {
        const value = readAddress(address);
        return (
          family !== "FQDN" && (value === undefined || (typeof value === "bigint") !== (family === "IPv6"))
        );
      }),
    );
    if (wrong.length > 0) {
      problems.push({
        code: "LF5002",
        severity: "error",
        message: `EndpointSlice ${namespace}/${name}: ${JSON.stringify(wrong[0])} is no ${family} address`,
        place: slice.meta.place,
      });
    }
    return problems;
  });
}

function nameOf(service: Service): string {
  return `Service ${service.meta.namespace}/${service.meta.name}`;
}

/** Service ports with the names of their chains. */
import type { ClusterModel } from "../../cluster/model.js";
import { endpointChain, serviceChain } from "../../cluster/names.js";
import type { Context } from "../common/context.js";
import type { EndpointInfo } from "../common/endpoints.js";
import { type ServicePortInfo as CommonServicePortInfo, servicePorts } from "../common/services.js";

export interface ServicePortInfo extends CommonServicePortInfo {
  readonly chains: {
    readonly cluster: string;
    readonly local: string;
    readonly external: string;
    readonly firewall: string;
    endpoint(endpoint: EndpointInfo): string;
  };
}

/** The service ports that get rules, in their order. */
export function chainedServicePorts(model: ClusterModel, context: Context): readonly ServicePortInfo[] {
  return servicePorts(model, context).map((port) => {
    const { name, protocol } = port;
    return {
      ...port,
      chains: {
        cluster: serviceChain("KUBE-SVC-", name, protocol),
        local: serviceChain("KUBE-SVL-", name, protocol),
        external: serviceChain("KUBE-EXT-", name, protocol),
        firewall: serviceChain("KUBE-FW-", name, protocol),
        endpoint: (endpoint: EndpointInfo) => endpointChain(name, protocol, endpoint.text),
      },
    };
  });
}

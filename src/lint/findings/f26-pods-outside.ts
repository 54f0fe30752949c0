import { printAddress } from "../../../grammar/address.js";
import type { Check } from "../finding.js";
import { endpointsIn, isIn, listed, podNetworks, seenRules } from "../look.js";

/** One endpoint may be of the node's own network. */
const ENDPOINTS_MIN = 2;

export const podsOutside: Check = {
  code: "LF3026",
  severity: "warning",
  sureness: "likely",
  find: ({ views }) =>
    views.flatMap((view) => {
      const networks = podNetworks(view);
      const [first] = networks;
      // The API server is mostly no pod.
      const endpoints = endpointsIn(view).filter(({ name }) => !name?.startsWith("default/kubernetes"));
      const addresses = new Set(endpoints.map(({ address }) => address));
      if (first === undefined || addresses.size < ENDPOINTS_MIN || !view.isWhole("nat")) return [];
      const spared = [
        ...new Map(networks.map(({ network }) => [`${network.from} ${network.to}`, network])).values(),
      ];
      if (endpoints.some(({ address }) => spared.some((network) => isIn(address, network)))) return [];
      const words = listed([...addresses].map(printAddress));
      return [
        {
          message: `no endpoint (${words}) lies in the network that is taken for the pods'`,
          ...seenRules([first.at, ...endpoints.map(({ at }) => at)], view.family),
        },
      ];
    }),
};

/**
 * KUBE-SVC- and KUBE-SVL-: the choice among endpoints, and KUBE-SEP-: the translation to one of them.
 */
import type { EndpointInfo } from "../common/endpoints.js";
import { goFixed } from "../common/go-text.js";
import { append, bareComment, comment, type Draft } from "../common/payload.js";
import type { ServicePortInfo } from "./services.js";

/**
 * A ladder: rule i of n matches with probability 1/(n-i), the last one always, so that each endpoint gets 1/n. With
 * ClientIP affinity the endpoints that remember the client come first. `comments`: left out in large clusters.
 */
export function balanceChain(
  draft: Draft,
  chain: string,
  service: ServicePortInfo,
  endpoints: readonly EndpointInfo[],
  comments: boolean,
): void {
  const why = (endpoint: EndpointInfo) => (comments ? comment(`${service.name} -> ${endpoint.text}`) : "");
  if (service.affinitySeconds !== undefined) {
    for (const endpoint of endpoints) {
      const own = service.chains.endpoint(endpoint);
      const seen = `-m recent --name ${own} --rcheck --seconds ${service.affinitySeconds} --reap`;
      append(draft, chain, why(endpoint), seen, `-j ${own}`);
    }
  }
  endpoints.forEach((endpoint, index) => {
    const left = endpoints.length - index;
    const chance = left === 1 ? "" : `-m statistic --mode random --probability ${goFixed(1 / left, 10)}`;
    append(draft, chain, why(endpoint), chance, `-j ${service.chains.endpoint(endpoint)}`);
  });
}

/**
 * No endpoint's share differs from 1/n by more than this, for any n up to a million.
 *
 * Rule i of the ladder should match with p = 1/(n-i). Written with ten decimals it is off by at most 5·10⁻¹¹, and kept by
 * the kernel as an integer of 2^31 by at most 2⁻³² more: q = p + d with |d| ≤ e = 5·10⁻¹¹ + 2⁻³². What reaches rule i is
 * the product of 1-q before it, where 1-q = (1-p)(1 - d/(1-p)) and 1-p ≥ 1/2: so it is (n-i)/n to within a factor of
 * (1+2e)^i. Endpoint i gets q of that: 1/n, off by at most ((1+2e)^n - 1)/n for what reaches it, and e(1+2e)^n for q
 * itself. For n·e far below 1 that is 2e + e and a little, and less than 4e.
 */
export const SHARE_ERROR_MAX = 4 * (5e-11 + 2 ** -32);

export function endpointChainRules(
  draft: Draft,
  service: ServicePortInfo,
  endpoint: EndpointInfo,
  comments: boolean,
): void {
  const chain = service.chains.endpoint(endpoint);
  const why = comments ? bareComment(service.name) : "";
  // A pod that reaches itself would see its own address as the client's, and answer itself.
  append(draft, chain, why, `-s ${endpoint.ip}`, "-j KUBE-MARK-MASQ");
  const remember = service.affinitySeconds === undefined ? "" : `-m recent --name ${chain} --set`;
  const { protocol } = service;
  append(
    draft,
    chain,
    why,
    remember,
    `-m ${protocol} -p ${protocol} -j DNAT --to-destination ${endpoint.text}`,
  );
}

/** Which traffic for the cluster IP is masqueraded. */
import type { Context } from "../common/context.js";
import { append, comment, type Draft } from "../common/payload.js";
import type { ServicePortInfo } from "./services.js";
import { internalChain, toAddress } from "./words.js";

/** Traffic for the cluster IP that must come back through this node: all of it, or what is not from local pods. */
export function masqueradeInternal(
  draft: Draft,
  service: ServicePortInfo,
  { proxy, localTraffic }: Context,
): void {
  const outsiders = proxy.masqueradeAll ? "" : localTraffic?.isNot;
  if (outsiders === undefined) return;
  append(
    draft,
    internalChain(service),
    comment(`${service.name} cluster IP`),
    toAddress(service, service.clusterIP),
    outsiders,
    "-j KUBE-MARK-MASQ",
  );
}

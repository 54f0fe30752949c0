/** What of a KubeProxyConfiguration does not do what it says: gates and values that the version does not have. */
import type { Code } from "../../problems/codes.js";
import type { Problem } from "../../problems/problem.js";
import { firstVersionWith, type Version } from "../versions.js";
import type { Context } from "./context.js";
import { PRIMARY } from "./node-port-addresses.js";

/** Of any mode. */
export function configurationRemarks(context: Context, version: Version): readonly Problem[] {
  const { proxy, behaviour } = context;
  const problems = behaviour.ignoredGates.map((gate) =>
    ignored(context, `feature gate ${gate}`, `cannot be set in kube-proxy ${version}`),
  );
  if (proxy.nodePortAddresses.includes(PRIMARY) && !behaviour.primaryNodePortAddress) {
    const why = unknownIn(version, "primaryNodePortAddress");
    problems.push(ignored(context, `${PRIMARY} in nodePortAddresses`, why));
  }
  return problems;
}

/** The warning that node ports answer nowhere. */
export function noNodePortAddress(context: Context): Problem {
  const list = context.proxy.nodePortAddresses.join(", ");
  const message = `no address of the node is in nodePortAddresses (${list}), so no node port answers`;
  return remark(context, "LF5005", message);
}

/** A warning about the configuration, at its place. */
export function remark({ proxy }: Context, code: Code, message: string, note?: string): Problem {
  return {
    code,
    severity: "warning",
    message,
    ...(proxy.place === undefined ? {} : { place: proxy.place }),
    ...(note === undefined ? {} : { notes: [note] }),
  };
}

/** A warning that kube-proxy does not look at a part of the configuration. */
export function ignored(context: Context, what: string, why: string): Problem {
  return remark(context, "LF5005", `${what} ${why}, so it is ignored`);
}

/** Why a version does not know what it is asked for. */
export function unknownIn(version: Version, behaviour: Parameters<typeof firstVersionWith>[0]): string {
  return `is known from kube-proxy ${firstVersionWith(behaviour)} on, not in ${version}`;
}

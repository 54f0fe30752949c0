/** Values of the `ipvs` part that kube-proxy looks at in that mode only. */
import type { Document } from "../../documents/document.js";
import { didYouMean } from "../../problems/meant.js";
import { nearest } from "../../problems/nearest.js";
import type { Problem } from "../../problems/problem.js";
import { SCHEDULERS } from "../../state/virtual-servers.js";
import { readDuration } from "./duration.js";
import { isCIDR } from "./fields.js";

/** Schedulers that kube-proxy's own list lacks, though kernels have them. */
const UNLISTED = ["fo", "ovf", "twos"];

const TIMEOUTS = ["tcpTimeout", "tcpFinTimeout", "udpTimeout"] as const;

type Values = { readonly [T in (typeof TIMEOUTS)[number]]?: string | null | undefined } & {
  readonly scheduler?: string | null | undefined;
  readonly excludeCIDRs?: readonly string[] | null | undefined;
};

/**
 * Whether kube-proxy of that mode starts with these values. What it refuses in mode ipvs is an error there and a warning in
 * other modes.
 */
export function checkIpvs(values: Values, mode: string, document: Document, problems: Problem[]): boolean {
  const severity = mode === "ipvs" ? "error" : "warning";
  let good = true;
  const refuse = (path: readonly (string | number)[], complaint: string, meant?: string): void => {
    good &&= severity === "warning";
    problems.push({
      code: "LF5002",
      severity,
      message: `KubeProxyConfiguration: ipvs.${path.join(".").replace(/\.(\d+)$/, "[$1]")} ${complaint}`,
      place: document.placeOf(["ipvs", ...path]),
      ...didYouMean(meant),
      ...(severity === "error" ? {} : { notes: ["kube-proxy looks at it in mode ipvs only"] }),
    });
  };
  const { scheduler, excludeCIDRs } = values;
  if (scheduler && !SCHEDULERS.includes(scheduler)) {
    const lower = scheduler.trim().toLowerCase();
    const near = SCHEDULERS.includes(lower) ? lower : nearest(lower, SCHEDULERS);
    const all = SCHEDULERS.filter((name) => !UNLISTED.includes(name)).join(", ");
    const complaint = `must be one of ${all}, got ${JSON.stringify(scheduler.slice(0, 60))}`;
    refuse(["scheduler"], complaint, near);
  } else if (scheduler && UNLISTED.includes(scheduler)) {
    problems.push({
      code: "LF5005",
      severity: "warning",
      message: `KubeProxyConfiguration: kube-proxy's own list has no scheduler ${scheduler}, so it may refuse to start`,
      place: document.placeOf(["ipvs", "scheduler"]),
    });
  }
  for (const [index, cidr] of (excludeCIDRs ?? []).entries()) {
    if (!isCIDR(cidr)) {
      const got = JSON.stringify(cidr.slice(0, 60));
      refuse(["excludeCIDRs", index], `is no CIDR such as 172.30.0.0/16, got ${got}`);
    }
  }
  for (const name of TIMEOUTS) {
    const value = values[name] ?? "0";
    if ((readDuration(value) ?? 0) < 0) refuse([name], `must be at least 0, got ${JSON.stringify(value)}`);
  }
  return good;
}

/**
 * Which kube-proxy has written the rules, as far as their forms tell. Sources: kube-proxy's iptables proxier, 1.16 to 1.36.
 */
import type { Ruleset } from "../state/rules.js";
import { rulesOf } from "../state/rules.js";
import { commentOf, namedIn } from "./service-names.js";

/** Minor versions of Kubernetes 1.x, both included; absent: open. */
export interface VersionRange {
  readonly since?: number;
  readonly until?: number;
}

interface Sign extends VersionRange {
  readonly seen: (marks: Marks) => boolean;
}

/** What is looked for, once for all signs. */
interface Marks {
  readonly chains: ReadonlySet<string>;
  /** Prefixes of the chains of service ports: SVC, EXT, XLB … */
  readonly kinds: ReadonlySet<string>;
  readonly comments: ReadonlySet<string>;
  readonly namesEndpoints: boolean;
  readonly usesNfacct: boolean;
  readonly dropsByMark: boolean;
  readonly wholeFilter: boolean;
}

const SIGNS: readonly Sign[] = [
  { until: 23, seen: ({ kinds }) => kinds.has("XLB") },
  { since: 24, seen: ({ kinds }) => kinds.has("EXT") || kinds.has("SVL") },
  { since: 24, seen: ({ namesEndpoints }) => namesEndpoints },
  { since: 25, seen: ({ chains }) => chains.has("KUBE-PROXY-FIREWALL") },
  { until: 24, seen: ({ chains, wholeFilter }) => wholeFilter && !chains.has("KUBE-PROXY-FIREWALL") },
  { until: 24, seen: ({ dropsByMark }) => dropsByMark },
  { since: 27, seen: ({ comments }) => comments.has("FW drop") },
  { since: 31, seen: ({ usesNfacct }) => usesNfacct },
  {
    until: 22,
    seen: ({ comments }) => comments.has("kubernetes forwarding conntrack pod source rule"),
  },
];

/** The versions that fit all signs; undefined when there is no rule of kube-proxy's iptables mode, or signs exclude each other. */
export function proxyVersionsOf(ruleset: Ruleset): VersionRange | undefined {
  const marks = marksOf(ruleset);
  if (!marks.chains.has("KUBE-SERVICES") && marks.kinds.size === 0) return undefined;
  let [since, until]: [number | undefined, number | undefined] = [undefined, undefined];
  for (const sign of SIGNS) {
    if (!sign.seen(marks)) continue;
    if (sign.since !== undefined) since = Math.max(since ?? sign.since, sign.since);
    if (sign.until !== undefined) until = Math.min(until ?? sign.until, sign.until);
  }
  if (since !== undefined && until !== undefined && since > until) return undefined;
  return { ...(since === undefined ? {} : { since }), ...(until === undefined ? {} : { until }) };
}

/** `1.25 or newer`, `1.24`, `1.25 to 1.30`; empty when nothing is known. */
export function versionWords({ since, until }: VersionRange): string {
  if (since === undefined) return until === undefined ? "" : `1.${until} or older`;
  if (until === undefined) return `1.${since} or newer`;
  return since === until ? `1.${since}` : `1.${since} to 1.${until}`;
}

function marksOf({ tables }: Ruleset): Marks {
  const chains = new Set<string>();
  const kinds = new Set<string>();
  const comments = new Set<string>();
  let [namesEndpoints, usesNfacct, dropsByMark] = [false, false, false];
  for (const { name: table, chains: own } of tables.values()) {
    if (table !== "nat" && table !== "filter") continue;
    for (const chain of own.values()) {
      if (!chain.name.startsWith("KUBE-")) continue;
      chains.add(chain.name);
      const kind = /^KUBE-(SVC|SVL|EXT|XLB|FW|SEP)-/.exec(chain.name)?.[1];
      if (kind !== undefined && kind !== "SEP") kinds.add(kind);
      for (const rule of rulesOf(chain)) {
        usesNfacct ||= rule.matches.some(({ name }) => name === "nfacct");
        dropsByMark ||=
          kind !== undefined && rule.target?.kind === "chain" && rule.target.chain === "KUBE-MARK-DROP";
        const comment = commentOf(rule) ?? "";
        if (comment.endsWith("will be dropped by KUBE-PROXY-FIREWALL")) comments.add("FW drop");
        if (comment.startsWith("kubernetes ")) comments.add(comment);
        namesEndpoints ||= kind !== undefined && namedIn(comment)?.said === "endpoint";
      }
    }
  }
  const filter = tables.get("filter");
  const wholeFilter =
    filter !== undefined &&
    !filter.fragment &&
    filter.chains.has("KUBE-SERVICES") &&
    filter.chains.has("KUBE-FORWARD");
  return { chains, kinds, comments, namesEndpoints, usesNfacct, dropsByMark, wholeFilter };
}

// The texts of mode ipvs on a real kernel, in an empty network namespace: sets are made with the real ipset, jumps and
// payload with the real iptables, as kube-proxy does it, and what the tools then print is what landfall says.
import { spawnSync } from "node:child_process";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { chooseNode } from "../../src/cluster/node.js";
import { printPayload } from "../../src/compile/common/payload.js";
import { compileIpvs } from "../../src/compile/ipvs/compile.js";
import { printSets } from "../../src/text/ipset/save.js";
import { printRuleset } from "../../src/text/save.js";
import { FAMILIES } from "../compile/goldens.js";
import { anyCluster } from "../compile/ipvs-clusters.js";
import { clusterOf } from "../compile/objects.js";
import { tablesOf } from "../compile/onto.js";
import { whyNot } from "./real.js";

/** kube-proxy's calls since 1.29, in its order: table, chain, comment, chain that it jumps to. */
const CALLS: readonly (readonly [string, string, string, string])[] = [
  ["nat", "OUTPUT", "kubernetes service portals", "KUBE-SERVICES"],
  ["nat", "PREROUTING", "kubernetes service portals", "KUBE-SERVICES"],
  ["nat", "POSTROUTING", "kubernetes postrouting rules", "KUBE-POSTROUTING"],
  ["filter", "FORWARD", "kubernetes forwarding rules", "KUBE-FORWARD"],
  ["filter", "INPUT", "kubernetes health check rules", "KUBE-NODE-PORT"],
  ["filter", "INPUT", "kube-proxy firewall rules", "KUBE-PROXY-FIREWALL"],
  ["filter", "FORWARD", "kube-proxy firewall rules", "KUBE-PROXY-FIREWALL"],
  ["filter", "INPUT", "kubernetes ipvs access filter", "KUBE-IPVS-FILTER"],
  ["filter", "OUTPUT", "kubernetes ipvs access filter", "KUBE-IPVS-OUT-FILTER"],
];

function reasonAgainst(): string | undefined {
  const reason = whyNot();
  if (reason !== undefined) return reason;
  const run = spawnSync("unshare", ["-n", "ipset", "create", "s", "hash:ip"], { encoding: "utf8" });
  return run.status === 0 ? undefined : `ipset does not work here: ${run.stderr?.trim() || "not installed"}`;
}

/** Few kernels have the match ipvs. */
const withoutIpvsMatch = (text: string) => text.replace(/^-A KUBE-IPVS-OUT-FILTER .*\n/gm, "");

const sortedLines = (text: string) =>
  text
    .replace(/ initval 0x[0-9a-f]+/g, "")
    .split("\n")
    .sort();

const reason = reasonAgainst();
if (reason !== undefined) console.info(`skipped, mode ipvs on a real kernel: ${reason}`);

describe.skipIf(reason !== undefined)("mode ipvs on a real kernel", () => {
  test("random clusters", () => {
    const property = fc.property(anyCluster, (objects) => {
      const model = clusterOf(objects);
      const { node, name } = chooseNode(model);
      const { state, payloads } = compileIpvs(model, { version: "1.30", node, nodeName: name });
      const sets = printSets(state.sets ?? new Map());
      const script = [
        "set -e",
        `ipset restore <<'SETS'\n${sets}SETS`,
        ...FAMILIES.flatMap((family) => {
          const tool = family === "ipv4" ? "iptables-legacy" : "ip6tables-legacy";
          const payload = withoutIpvsMatch(printPayload(payloads[family] ?? { tables: [] }));
          return [
            ...CALLS.flatMap(([table, from, comment, to]) => [
              `${tool} -t ${table} -N ${to} 2>/dev/null || true`,
              `${tool} -t ${table} -I ${from} -m comment --comment '${comment}' -j ${to}`,
            ]),
            `${tool}-restore --noflush --counters <<'PAYLOAD'\n${payload}PAYLOAD`,
            `${tool}-save; echo ====`,
          ];
        }),
        "ipset save",
      ].join("\n");
      const run = spawnSync("unshare", ["-n", "sh", "-s"], { input: script, encoding: "utf8" });
      expect(run.stderr).toBe("");
      const [four = "", six = "", saved = ""] = run.stdout.split("====\n");
      const ours = FAMILIES.map((family) => {
        const ruleset = state.rulesets[family];
        return tablesOf(withoutIpvsMatch(ruleset === undefined ? "" : printRuleset(ruleset)));
      });
      expect(ours).toEqual([tablesOf(four), tablesOf(six)]);
      expect(sortedLines(sets)).toEqual(sortedLines(saved));
    });
    fc.assert(property, { numRuns: 15 });
  }, 60_000);
});

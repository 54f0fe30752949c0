// The same on a real kernel: the dump is loaded into an empty network namespace, the jumps are made with real iptables
// calls and the payload with the real iptables-restore.
import { spawnSync } from "node:child_process";
import { describe, expect, test } from "vitest";
import { printPayload } from "../../src/compile/common/payload.js";
import { compileIptables } from "../../src/compile/iptables/compile.js";
import { readRules } from "../../src/text/rules.js";
import { printRuleset } from "../../src/text/save.js";
import { scenario } from "../compile/goldens.js";
import { NODES, tablesOf } from "../compile/onto.js";
import { whyNot } from "./real.js";

const NEW = "-m conntrack --ctstate NEW";
const comment = (text: string) => `-m comment --comment '${text}'`;

/** kube-proxy's calls, in its order: table, chain, rule. */
const CALLS: readonly (readonly [string, string, string, string])[] = [
  [
    "filter",
    "INPUT",
    `${NEW} ${comment("kubernetes externally-visible service portals")}`,
    "KUBE-EXTERNAL-SERVICES",
  ],
  [
    "filter",
    "FORWARD",
    `${NEW} ${comment("kubernetes externally-visible service portals")}`,
    "KUBE-EXTERNAL-SERVICES",
  ],
  ["filter", "INPUT", comment("kubernetes health check service ports"), "KUBE-NODEPORTS"],
  ["filter", "FORWARD", `${NEW} ${comment("kubernetes service portals")}`, "KUBE-SERVICES"],
  ["filter", "OUTPUT", `${NEW} ${comment("kubernetes service portals")}`, "KUBE-SERVICES"],
  ["filter", "FORWARD", comment("kubernetes forwarding rules"), "KUBE-FORWARD"],
  ["filter", "INPUT", `${NEW} ${comment("kubernetes load balancer firewall")}`, "KUBE-PROXY-FIREWALL"],
  ["filter", "OUTPUT", `${NEW} ${comment("kubernetes load balancer firewall")}`, "KUBE-PROXY-FIREWALL"],
  ["filter", "FORWARD", `${NEW} ${comment("kubernetes load balancer firewall")}`, "KUBE-PROXY-FIREWALL"],
  ["nat", "OUTPUT", comment("kubernetes service portals"), "KUBE-SERVICES"],
  ["nat", "PREROUTING", comment("kubernetes service portals"), "KUBE-SERVICES"],
  ["nat", "POSTROUTING", comment("kubernetes postrouting rules"), "KUBE-POSTROUTING"],
  ["filter", "INPUT", "", "KUBE-FIREWALL"],
  ["filter", "OUTPUT", "", "KUBE-FIREWALL"],
];

const reason = whyNot();
if (reason !== undefined) console.info(`skipped, syncs onto a real kernel: ${reason}`);

describe.skipIf(reason !== undefined).each(Object.entries(NODES))("%s", (_name, dump) => {
  test("landfall's dump is the kernel's", () => {
    const { model, choice } = scenario("seed-example");
    const { ruleset } = readRules({ name: "dump", text: dump }, { family: "ipv4" });
    const { payload, state } = compileIptables(model, {
      version: "1.30",
      family: "ipv4",
      node: choice.node,
      nodeName: choice.name,
      onto: ruleset,
    });
    const tool = "iptables-legacy";
    const script = [
      "set -e",
      `cat > /dev/shm/landfall-$$ <<'DUMP'\n${dump}DUMP`,
      `[ ! -s /dev/shm/landfall-$$ ] || ${tool}-restore < /dev/shm/landfall-$$`,
      "rm -f /dev/shm/landfall-$$",
      ...["mangle", "nat", "filter"].map(
        (table) => `${tool} -t ${table} -N KUBE-PROXY-CANARY 2>/dev/null || true`,
      ),
      ...CALLS.map(
        ([table, from, match, to]) =>
          `${tool} -t ${table} -N ${to} 2>/dev/null || true; ${tool} -t ${table} -C ${from} ${match} -j ${to} 2>/dev/null || ${tool} -t ${table} -I ${from} ${match} -j ${to}`,
      ),
      `${tool}-restore --noflush --counters <<'PAYLOAD'\n${printPayload(payload)}PAYLOAD`,
      `${tool}-save`,
    ].join("\n");
    const run = spawnSync("unshare", ["-n", "sh", "-s"], { input: script, encoding: "utf8" });
    expect(run.stderr).toBe("");
    expect(tablesOf(printRuleset(state.rulesets.ipv4 ?? ruleset))).toEqual(tablesOf(run.stdout));
  });
});

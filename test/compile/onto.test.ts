// kube-proxy's first sync on a node that is not empty: what others made stays, what is stale goes.
import { describe, expect, test } from "vitest";
import { compileIptables } from "../../src/compile/iptables/compile.js";
import type { Version } from "../../src/compile/versions.js";
import { readRules } from "../../src/text/rules.js";
import { printRuleset } from "../../src/text/save.js";
import { scenario } from "./goldens.js";
import { NODES, tablesOf } from "./onto.js";

test("a rule of others that still jumps to a stale chain is told: the real restore would refuse the payload", () => {
  const { model, choice } = scenario("seed-example");
  const mine =
    "*nat\n:KUBE-SVC-AAAAAAAAAAAAAAAA - [0:0]\n:mine - [0:0]\n-A mine -j KUBE-SVC-AAAAAAAAAAAAAAAA\nCOMMIT\n";
  const { ruleset } = readRules({ name: "dump", text: mine }, { family: "ipv4" });
  const { problems } = compileIptables(model, { family: "ipv4", node: choice.node, onto: ruleset });
  expect(problems.map(({ code, message }) => `${code} ${message}`)).toEqual([
    "LF5010 iptables-restore would refuse this sync: chain KUBE-SVC-AAAAAAAAAAAAAAAA of table nat was deleted, but mine still jumps to it",
  ]);
});

function dumpAfter(dump: string, version: Version): string {
  const { model, choice } = scenario("seed-example");
  const { ruleset } = readRules({ name: "dump", text: dump }, { family: "ipv4" });
  const options = { version, family: "ipv4" as const, node: choice.node, nodeName: choice.name };
  const { state } = compileIptables(model, { ...options, onto: ruleset });
  return printRuleset(state.rulesets.ipv4 ?? ruleset);
}

describe.each(Object.entries(NODES))("%s", (_name, dump) => {
  test("a second first sync changes nothing", () => {
    const once = dumpAfter(dump, "1.34");
    expect(tablesOf(dumpAfter(once, "1.34"))).toEqual(tablesOf(once));
  });

  test("kube-proxy's own chains are those of an empty node", () => {
    const own = (text: string) => text.match(/^-A KUBE-(?:SVC|SEP|EXT|SVL|FW|SERVICES|NODEPORTS).*/gm);
    expect(own(dumpAfter(dump, "1.30"))).toEqual(own(dumpAfter("", "1.30")));
  });
});

test("kubelet's jumps keep their place, missing ones come on top, leftovers go", () => {
  const text = dumpAfter(NODES["kubelet, a CNI plugin and leftovers"] ?? "", "1.30");
  expect(text.match(/^-A (?:INPUT|PREROUTING|POSTROUTING) .*/gm)).toEqual([
    '-A INPUT -m conntrack --ctstate NEW -m comment --comment "kubernetes load balancer firewall" -j KUBE-PROXY-FIREWALL',
    '-A INPUT -m comment --comment "kubernetes health check service ports" -j KUBE-NODEPORTS',
    '-A INPUT -m conntrack --ctstate NEW -m comment --comment "kubernetes externally-visible service portals" -j KUBE-EXTERNAL-SERVICES',
    "-A INPUT -j KUBE-FIREWALL",
    "-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT",
    "-A PREROUTING -m addrtype --dst-type LOCAL -j CNI-HOSTPORT-DNAT",
    '-A PREROUTING -m comment --comment "kubernetes service portals" -j KUBE-SERVICES',
    '-A POSTROUTING -m comment --comment "kubernetes postrouting rules" -j KUBE-POSTROUTING',
    "-A POSTROUTING -s 10.244.0.0/16 ! -d 10.244.0.0/16 -j MASQUERADE",
  ]);
  expect(text).not.toContain("KUBE-SVC-AAAAAAAAAAAAAAAA");
  expect(text).toContain(":KUBE-XLB-AAAAAAAAAAAAAAAA - ");
  expect(text).toContain(":FORWARD DROP ");
  expect(dumpAfter(NODES["kubelet, a CNI plugin and leftovers"] ?? "", "1.27")).not.toContain("KUBE-XLB-");
});

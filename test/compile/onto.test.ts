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

describe("the kubelet's chains, told as a fact", () => {
  const dump = (version: Version, family: "ipv4" | "ipv6", kubelet: boolean) => {
    const { model, choice } = scenario("dual-stack");
    const { state, problems } = compileIptables(model, {
      version,
      family,
      node: choice.node,
      facts: { kubelet },
    });
    expect(problems).toEqual([]);
    const ruleset = state.rulesets[family];
    return ruleset === undefined ? "" : printRuleset(ruleset);
  };
  const added = (version: Version, family: "ipv4" | "ipv6") => {
    const without = new Set(dump(version, family, false).split("\n"));
    return dump(version, family, true)
      .split("\n")
      .filter((line) => !without.has(line));
  };

  test("since 1.27 are canaries, and a firewall that kube-proxy has too, with jumps that stay below", () => {
    const canaries = [
      ":KUBE-IPTABLES-HINT - [0:0]",
      ":KUBE-KUBELET-CANARY - [0:0]",
      ":KUBE-KUBELET-CANARY - [0:0]",
      ":KUBE-KUBELET-CANARY - [0:0]",
    ];
    expect(added("1.30", "ipv4")).toEqual(canaries);
    expect(added("1.30", "ipv6")).toEqual(canaries);
    expect(
      dump("1.30", "ipv4", true)
        .match(/^-A INPUT .*/gm)
        ?.at(-1),
    ).toBe("-A INPUT -j KUBE-FIREWALL");
    expect(
      dump("1.30", "ipv4", false)
        .match(/^-A INPUT .*/gm)
        ?.at(0),
    ).toBe("-A INPUT -j KUBE-FIREWALL");
  });

  test("up to 1.26 also drop what is marked so", () => {
    const own = (family: "ipv4" | "ipv6") => added("1.26", family).filter((line) => line.startsWith("-A"));
    const drop =
      '-A KUBE-FIREWALL -m comment --comment "kubernetes firewall for dropping marked packets" -m mark --mark 0x8000/0x8000 -j DROP';
    expect(own("ipv4")).toEqual([
      "-A INPUT -j KUBE-FIREWALL",
      "-A OUTPUT -j KUBE-FIREWALL",
      drop,
      '-A KUBE-FIREWALL ! -s 127.0.0.0/8 -d 127.0.0.0/8 -m comment --comment "block incoming localnet connections" -m conntrack ! --ctstate RELATED,ESTABLISHED,DNAT -j DROP',
      "-A KUBE-MARK-DROP -j MARK --set-xmark 0x8000/0x8000",
    ]);
    expect(own("ipv6")).toContain(drop);
    expect(own("ipv6")).toHaveLength(4);
  });
});

// Rulesets at a glance: whose rules they are, and which kube-proxy wrote them.
import { describe, expect, test } from "vitest";
import { overviewOf } from "../../src/explain/overview.js";
import { ownerOf } from "../../src/explain/owners.js";
import { proxyVersionsOf, versionWords } from "../../src/explain/proxy-version.js";
import { readRules } from "../../src/text/rules.js";
import { GOLDEN_VERSIONS, goldens } from "../compile/goldens.js";
import { realDumps } from "../text/real.js";

describe("the version of kube-proxy", () => {
  test.each(GOLDEN_VERSIONS)("%s lies among those that are named", (version) => {
    const minor = Number(version.slice(2));
    for (const [key, text] of goldens(version)) {
      if (!/iptables-save\.ipv[46]\.txt$/.test(key)) continue;
      const { ruleset } = readRules({ name: key, text });
      const { since = 0, until = 99 } = proxyVersionsOf(ruleset) ?? {};
      expect(minor >= since && minor <= until, `${key}: 1.${since} to 1.${until}`).toBe(true);
    }
  });

  test("is narrowed by what only some versions write", () => {
    const of = (version: string, scenario: string) => {
      const text = goldens(version).get(`${scenario} iptables-save.ipv4.txt`) ?? "";
      return versionWords(proxyVersionsOf(readRules({ name: scenario, text }).ruleset) ?? {});
    };
    expect(of("1.24", "loadbalancer-source-ranges")).toBe("1.24");
    expect(of("1.26", "clusterip-3-endpoints")).toBe("1.25 or newer");
    expect(of("1.30", "loadbalancer-source-ranges")).toBe("1.27 or newer");
  });

  test("of rules that are not kube-proxy's: none", () => {
    const docker = realDumps().find(({ name }) => name.startsWith("072"))?.text ?? "";
    expect(proxyVersionsOf(readRules({ name: "docker", text: docker }).ruleset)).toBeUndefined();
  });
});

test.each([
  ["KUBE-SVC-TCOU7JCQXEZGVUNU", "kube-proxy"],
  ["KUBE-KUBELET-CANARY", "kubelet"],
  ["KUBE-POD-FW-3V6PPVWPVJZ7LGSO", "kube-router"],
  ["DOCKER-USER", "Docker"],
  ["DOCKER_OUTPUT", "kind"],
  ["CNI-DN-0123456789abcdef01234", "CNI plugin portmap (hostPort)"],
  ["cali-FORWARD", "Calico"],
  ["ISTIO_REDIRECT", "Istio"],
  ["MY-CHAIN", undefined],
])("%s is of %s", (chain, owner) => expect(ownerOf(chain)).toBe(owner));

test("policies, refusals, and chains that nothing leads to", () => {
  const text =
    "*filter\n:INPUT ACCEPT [0:0]\n:FORWARD DROP [7:420]\n:OUTPUT ACCEPT [0:0]\n:USED - [0:0]\n:UNUSED - [0:0]\n-A INPUT -j USED\n-A USED -s 192.0.2.1/32 -j DROP\n-A UNUSED -j REJECT\nCOMMIT\n";
  const { policies, refusals, owners } = overviewOf(readRules({ name: "rules", text }).ruleset);
  expect(policies).toEqual([{ table: "filter", chain: "FORWARD", policy: "DROP", packets: 7n }]);
  expect(refusals.map(({ chain, number }) => `${chain} ${number}`)).toEqual(["USED 1"]);
  expect(owners).toEqual([{ name: undefined, chains: 2, rules: 3 }]);
});

// The table of versions: feature gates, which versions write the same, and what a configuration cannot have.
import { describe, expect, test } from "vitest";
import { printPayload } from "../../src/compile/common/payload.js";
import { compileIptables } from "../../src/compile/iptables/compile.js";
import {
  type Behaviour,
  behaviourOf,
  CHANGES,
  firstVersionWith,
  NEWEST_VERSION,
  readVersion,
  VERSIONS,
  type Version,
} from "../../src/compile/versions.js";
import { FAMILIES, SCENARIOS, scenario } from "./goldens.js";
import { compileObjects, configuration, node } from "./objects.js";

describe("readVersion", () => {
  test.each([
    ["1.30", "1.30"],
    ["v1.30.3", "1.30"],
    ["1.29.1-gke.1589", "1.29"],
    ["1.31+", "1.31"],
    [" 1.35 ", "1.35"],
    ["1.23", undefined],
    ["1.99", undefined],
    ["2.30", undefined],
    ["1.3", undefined],
    ["1.30.x", undefined],
    ["", undefined],
  ])("%s is %s", (text, version) => {
    expect(readVersion(text)).toBe(version);
  });

  test("reads every version that is listed", () => {
    expect(VERSIONS.map(readVersion)).toEqual(VERSIONS);
    expect(VERSIONS.at(-1)).toBe(NEWEST_VERSION);
  });
});

describe("feature gates", () => {
  const rows: readonly [Version, string, boolean, Partial<Behaviour>, ignored: boolean][] = [
    ["1.24", "ProxyTerminatingEndpoints", true, { terminatingFallback: true }, false],
    ["1.26", "ProxyTerminatingEndpoints", false, { terminatingFallback: false }, false],
    ["1.28", "ProxyTerminatingEndpoints", false, { terminatingFallback: true }, true],
    ["1.28", "ProxyTerminatingEndpoints", true, { terminatingFallback: true }, false],
    ["1.28", "LoadBalancerIPMode", true, { proxyModeHonoured: false }, true],
    ["1.29", "LoadBalancerIPMode", true, { proxyModeHonoured: true }, false],
    ["1.31", "LoadBalancerIPMode", false, { proxyModeHonoured: false }, false],
    ["1.32", "LoadBalancerIPMode", false, { proxyModeHonoured: true }, true],
    ["1.30", "ServiceTrafficDistribution", true, { zoneHints: "always" }, false],
    ["1.31", "ServiceTrafficDistribution", false, { zoneHints: "annotation not disabled" }, false],
    ["1.33", "ServiceTrafficDistribution", false, { zoneHints: "always" }, true],
    ["1.33", "PreferSameTrafficDistribution", true, { nodeHints: true }, false],
    ["1.34", "PreferSameTrafficDistribution", false, { nodeHints: false }, false],
    ["1.35", "PreferSameTrafficDistribution", false, { nodeHints: true }, true],
    ["1.24", "ServiceInternalTrafficPolicy", false, { internalPolicy: false }, false],
    ["1.26", "ServiceInternalTrafficPolicy", false, { internalPolicy: true }, true],
    ["1.32", "TopologyAwareHints", false, { annotatedHints: false }, false],
    ["1.33", "TopologyAwareHints", false, { annotatedHints: true }, true],
    ["1.30", "SomethingElse", true, {}, false],
  ];
  test.each(rows)("%s, %s: %s", (version, gate, value, expected, ignored) => {
    const behaviour = behaviourOf(version, new Map([[gate, value]]));
    expect(behaviour).toMatchObject(expected);
    expect(behaviour.ignoredGates).toEqual(ignored ? [gate] : []);
  });

  test("a gate set to what holds anyway changes nothing", () => {
    for (const version of VERSIONS) {
      const minor = Number(version.slice(2));
      const defaults = CHANGES.flatMap(({ since, gate }) =>
        gate === undefined ? [] : [[gate.name, minor >= since] as const],
      );
      expect(behaviourOf(version, new Map(defaults))).toEqual(behaviourOf(version, new Map()));
    }
  });
});

// Where no rule changed between two versions, every cluster must give the same text (unless it sets gates itself).
describe("versions that write the same in a first sync", () => {
  const clusters = SCENARIOS.map(scenario).filter(({ model }) => !model.proxy?.featureGates.size);
  test.each<[Version, Version]>([
    ["1.27", "1.28"],
    ["1.31", "1.32"],
    ["1.31", "1.33"],
    ["1.34", "1.35"],
  ])("%s and %s", (one, other) => {
    expect(clusters.length).toBeGreaterThan(60);
    for (const { model, choice } of clusters) {
      for (const family of FAMILIES) {
        const texts = [one, other].map((version) => {
          const { node, name } = choice;
          return printPayload(compileIptables(model, { version, family, node, nodeName: name }).payload);
        });
        expect(texts[0]).toBe(texts[1]);
      }
    }
  });

  test("1.25 is 1.26 without a way to keep node ports from loopback", () => {
    for (const { model, choice } of clusters) {
      if (model.slices.some(({ endpoints }) => endpoints.some(({ terminating }) => terminating))) continue;
      if (model.proxy?.localhostNodePorts === false) continue;
      for (const family of FAMILIES) {
        const [old, next] = (["1.25", "1.26"] as const).map((version) =>
          printPayload(
            compileIptables(model, { version, family, node: choice.node, nodeName: choice.name }).payload,
          ),
        );
        expect(old).toBe(next?.replace("--dst-type LOCAL ! -d ::1/128 -j", "--dst-type LOCAL -j"));
      }
    }
  });
});

describe("what the configuration cannot have", () => {
  const NONE: readonly string[] = [];
  test.each([
    ["1.30", {}, NONE],
    ["1.30", { mode: "ipvs" }, ["mode is ipvs, and these are the rules of mode iptables"]],
    [
      "1.32",
      { featureGates: { LoadBalancerIPMode: false } },
      ["feature gate LoadBalancerIPMode cannot be set in kube-proxy 1.32, so it is ignored"],
    ],
    [
      "1.25",
      { iptables: { localhostNodePorts: false } },
      ["iptables.localhostNodePorts is known from kube-proxy 1.26 on, not in 1.25, so it is ignored"],
    ],
    ["1.26", { iptables: { localhostNodePorts: false } }, NONE],
    [
      "1.28",
      { conntrack: { tcpBeLiberal: true } },
      ["conntrack.tcpBeLiberal is known from kube-proxy 1.29 on, not in 1.28, so it is ignored"],
    ],
    [
      "1.30",
      { nodePortAddresses: ["primary"] },
      ["primary in nodePortAddresses is known from kube-proxy 1.31 on, not in 1.30, so it is ignored"],
    ],
    ["1.31", { nodePortAddresses: ["primary"] }, NONE],
    [
      "1.31",
      { nodePortAddresses: ["192.168.0.0/16"] },
      ["no address of the node is in nodePortAddresses (192.168.0.0/16), so no node port answers"],
    ],
  ] as const)("%s %j", (version, fields, messages) => {
    const { problems } = compileObjects([node(["10.0.1.50"]), configuration(fields)], {
      version,
      family: "ipv4",
    });
    expect(problems.map(({ message }) => message)).toEqual(messages);
    for (const { severity, place } of problems) {
      expect(severity).toBe("warning");
      expect(place).toBeDefined();
    }
  });

  test("the first version with a behaviour is the one where it changes", () => {
    expect(firstVersionWith("marksForDrop")).toBe("1.25");
    expect(firstVersionWith("internalPolicy")).toBe(VERSIONS[0]);
  });

  test("the node's own sysctl is as good as conntrack.tcpBeLiberal", () => {
    const invalid = (value: string) => {
      const sysctls = new Map([["net.netfilter.nf_conntrack_tcp_be_liberal", value]]);
      const compiled = compileObjects([node(["10.0.1.50"])], { version: "1.30", network: { sysctls } });
      return printPayload(compiled.payload).includes("--ctstate INVALID");
    };
    expect([invalid("0"), invalid("1")]).toEqual([true, false]);
  });
});

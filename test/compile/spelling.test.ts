// How addresses are spelled: as written, or as Go prints what it parsed, by version.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { readAddress } from "../../grammar/address.js";
import { endpointChain } from "../../src/cluster/names.js";
import { goAddress } from "../../src/compile/common/go-text.js";
import { NEWEST_VERSION, VERSIONS } from "../../src/compile/versions.js";
import { compileObjects, configuration, node, rulesIn, service, slice } from "./objects.js";

const OBJECTS = [
  node(["fd00:1::50"]),
  configuration({ clusterCIDR: "FD00:244::7/32" }),
  service(
    {
      type: "LoadBalancer",
      clusterIP: "FD00:96::0:1",
      externalIPs: ["FD00:9::0A", " fd00:9::b", "none"],
      loadBalancerSourceRanges: [" FD00:5::1/32 "],
    },
    { ingress: [{ ip: "FD00:8::0B" }] },
  ),
  slice([{ addresses: ["FD00:244::0A"] }], "IPv6"),
];

describe.each(VERSIONS)("kube-proxy %s", (version) => {
  const minor = Number(version.slice(2));
  const compiled = compileObjects(OBJECTS, { version, family: "ipv6" });
  const destinations = rulesIn(compiled, "nat", "KUBE-SERVICES").map((rule) => /-d (\S+)/.exec(rule)?.[1]);
  const sources = compiled.payload.tables.flatMap(({ rules }) =>
    rules.flatMap((rule) => (rule.startsWith("-A KUBE-FW-") ? (/-s (\S+)/.exec(rule)?.[1] ?? []) : [])),
  );

  test("cluster IPs are reprinted, other addresses since 1.30", () => {
    const [external, balancer] = minor < 30 ? ["FD00:9::0A", "FD00:8::0B"] : ["fd00:9::a", "fd00:8::b"];
    expect(destinations.slice(0, 3)).toEqual(["fd00:96::1", external, balancer]);
    expect(sources).toEqual([minor < 30 ? "FD00:5::1/32" : "fd00:5::/32"]);
  });

  test("the cluster CIDR", () => {
    const chain = compiled.payload.tables.flatMap(({ rules }) => rules).find((rule) => rule.includes("! -s"));
    expect(chain).toContain(minor < 30 ? "! -s FD00:244::7/32 " : "! -s fd00:244::/32 ");
  });

  test("endpoints, and the hash of their chains", () => {
    const text = version === NEWEST_VERSION ? "[fd00:244::a]:8080" : "[FD00:244::0A]:8080";
    const chain = endpointChain("default/web", "tcp", text);
    expect(rulesIn(compiled, "nat", chain)).toEqual([
      `-m comment --comment default/web -s ${text.slice(1, -6)} -j KUBE-MARK-MASQ`,
      `-m comment --comment default/web -m tcp -p tcp -j DNAT --to-destination ${text}`,
    ]);
  });
});

describe("goAddress", () => {
  test.each([
    ["::1.2.3.4", "::102:304"],
    ["::1:0", "::1:0"],
    ["::1", "::1"],
    ["64:ff9b::1.2.3.4", "64:ff9b::102:304"],
    ["1:0:0:2:0:0:0:3", "1:0:0:2::3"],
    ["10.0.0.1", "10.0.0.1"],
  ])("%s is %s", (written, printed) => {
    expect(goAddress(readAddress(written) ?? 0)).toBe(printed);
  });

  test("is read as what was printed, and never dotted", () => {
    fc.assert(
      fc.property(
        fc.bigInt({ min: 0n, max: (1n << 128n) - 1n }),
        fc.constantFrom(0n, 64n, 96n, 112n),
        (bits, zeros) => {
          const address = bits >> zeros;
          const text = goAddress(address);
          expect(text).not.toContain(".");
          expect(readAddress(text)).toBe(address);
        },
      ),
    );
  });
});

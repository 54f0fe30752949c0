// The uniformity theorem: every endpoint that kube-proxy chose gets 1/n of the connections to within the two roundings,
// all shares add up to exactly 1, and nothing else is reached. Shares come from walking the printed and re-read text.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { printAddress, readAddress } from "../../grammar/address.js";
import { networkOfAddresses } from "../../src/cluster/node.js";
import { readCluster } from "../../src/cluster/read.js";
import { SHARE_ERROR_MAX } from "../../src/compile/iptables/balance.js";
import { compileIptables } from "../../src/compile/iptables/compile.js";
import { VERSIONS } from "../../src/compile/versions.js";
import { readDocuments } from "../../src/documents/read.js";
import { evaluate } from "../../src/evaluate/evaluate.js";
import type { Landing } from "../../src/evaluate/outcome.js";
import { isCertain, plus } from "../../src/evaluate/share.js";
import { readRules } from "../../src/text/rules.js";
import { printRuleset } from "../../src/text/save.js";

interface Endpoint {
  readonly address: string;
  readonly ready: boolean;
}

/** One Service with these endpoints, in slices of at most 100. */
function clusterOf(endpoints: readonly Endpoint[], affinity: boolean): string {
  const service = {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name: "web", namespace: "default" },
    spec: {
      clusterIP: "10.96.0.1",
      ports: [{ port: 80 }],
      ...(affinity ? { sessionAffinity: "ClientIP" } : {}),
    },
  };
  const slices = Array.from({ length: Math.ceil(endpoints.length / 100) }, (_, index) => ({
    apiVersion: "discovery.k8s.io/v1",
    kind: "EndpointSlice",
    metadata: { name: `web-${index}`, namespace: "default", labels: { "kubernetes.io/service-name": "web" } },
    addressType: "IPv4",
    ports: [{ name: "", port: 8080 }],
    endpoints: endpoints
      .slice(index * 100, index * 100 + 100)
      .map(({ address, ready }) => ({ addresses: [address], conditions: { ready } })),
  }));
  return JSON.stringify({ apiVersion: "v1", kind: "List", items: [service, ...slices] });
}

function landingsOf(text: string, version: (typeof VERSIONS)[number]): readonly Landing[] {
  const { model } = readCluster(readDocuments({ name: "cluster", text }).documents);
  const { state } = compileIptables(model, { version, family: "ipv4" });
  const printed = printRuleset(state.rulesets.ipv4 ?? { family: "ipv4", tables: new Map() });
  const { ruleset } = readRules({ name: "printed", text: printed }, { family: "ipv4" });
  const answer = evaluate(
    { rulesets: { ipv4: ruleset }, network: networkOfAddresses([readAddress("10.0.0.1") ?? 0]) },
    {
      family: "ipv4",
      protocol: 6,
      source: readAddress("192.0.2.1") ?? 0,
      sourcePort: 40000,
      destination: readAddress("10.96.0.1") ?? 0,
      destinationPort: 80,
    },
    { fresh: true },
  );
  expect(answer.cases).toHaveLength(1);
  return answer.cases[0]?.landings ?? [];
}

/** |share - 1/n| ≤ the bound, without rounding: the bound as a fraction of 2^60. */
function isNearOneIn(n: number, { share }: Landing): boolean {
  const denominator = 1n << BigInt(share.exponent);
  const difference = share.numerator * BigInt(n) - denominator;
  const bound = BigInt(Math.floor(SHARE_ERROR_MAX * 2 ** 60));
  return (difference < 0n ? -difference : difference) << 60n <= bound * denominator * BigInt(n);
}

function holds(endpoints: readonly Endpoint[], affinity: boolean, version: (typeof VERSIONS)[number]): void {
  const chosen = endpoints.filter(({ ready }) => ready).map(({ address }) => address);
  const landings = landingsOf(clusterOf(endpoints, affinity), version);
  if (chosen.length === 0) {
    expect(landings.map(({ verdict }) => verdict)).toEqual(["reject"]);
    return;
  }
  expect(landings.map(({ dst }) => printAddress(dst ?? 0)).sort()).toEqual([...chosen].sort());
  expect(isCertain(landings.map(({ share }) => share).reduce(plus))).toBe(true);
  for (const landing of landings) {
    expect(landing.share.numerator > 0n).toBe(true);
    expect(isNearOneIn(chosen.length, landing)).toBe(true);
  }
}

const address = fc.tuple(fc.nat(255), fc.nat(255)).map(([high, low]) => `10.244.${high}.${low}`);
const endpoints = (max: number) =>
  fc.uniqueArray(fc.record({ address, ready: fc.boolean() }), {
    maxLength: max,
    selector: (one) => one.address,
  });

describe("uniformity", () => {
  test("over random clusters", () => {
    fc.assert(
      fc.property(endpoints(40), fc.boolean(), fc.constantFrom(...VERSIONS), (list, affinity, version) => {
        // Up to 1.25 no endpoint that is not ready is ever used; later only terminating ones, which these are not.
        holds(list, affinity, version);
      }),
      { numRuns: 60 },
    );
  });

  const many = (count: number): readonly Endpoint[] =>
    Array.from({ length: count }, (_, index) => ({
      address: `10.${200 + (index >> 8)}.${index & 255}.7`,
      ready: true,
    }));

  test.each([1, 2, 3, 7, 100, 333, 999, 1000, 1001])("%i endpoints", (count) => {
    holds(many(count), false, "1.30");
  });

  test("any number of endpoints up to a thousand", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1000 }), fc.constantFrom(...VERSIONS), (count, version) => {
        holds(many(count), false, version);
      }),
      { numRuns: 10 },
    );
  });

  test("the bound tells a ladder of five decimals, as kube-proxy up to 1.16 wrote it", () => {
    const share = { numerator: BigInt(Math.round(0.33333 * 2 ** 31)), exponent: 31 };
    expect(isNearOneIn(3, { share } as Landing)).toBe(false);
  });
});

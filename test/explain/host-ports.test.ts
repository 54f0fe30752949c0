// Host ports of pods, in the forms that portmap has written.
import { expect, test } from "vitest";
import { hostPortsIn } from "../../src/explain/host-ports.js";
import { readRules } from "../../src/text/rules.js";

function told(text: string) {
  return hostPortsIn(readRules({ name: "node.save", text }).ruleset).map(
    ({ port, to, sandbox, takenBy }) => [port, to, sandbox, takenBy?.at.number] as const,
  );
}

const entry = (ports: string, id: string, chain: string) =>
  `-A CNI-HOSTPORT-DNAT -p tcp -m comment --comment "dnat name: \\"cbr0\\" id: \\"${id}\\"" ${ports} -j ${chain}\n`;
const way = (chain: string, port: number, to: string) =>
  `-A ${chain} -p tcp -m tcp --dport ${port} -j DNAT --to-destination ${to}\n`;

test("each port with its pod", () => {
  const text =
    entry("-m multiport --dports 80,443", "a1", "CNI-DN-a") +
    way("CNI-DN-a", 80, "10.1.0.2:8080") +
    way("CNI-DN-a", 443, "10.1.0.2:8443");
  expect(told(text)).toEqual([
    ["80/tcp", "10.1.0.2:8080", "a1", undefined],
    ["443/tcp", "10.1.0.2:8443", "a1", undefined],
  ]);
});

test("an old portmap asks for the port in the pod's chain", () => {
  const text =
    '-A CNI-HOSTPORT-DNAT -m comment --comment "dnat name: \\"cbr0\\" id: \\"a1\\"" -j CNI-DN-a\n' +
    way("CNI-DN-a", 80, "10.1.0.2:8080");
  expect(told(text)).toEqual([["80/tcp", "10.1.0.2:8080", "a1", undefined]]);
});

test("the first entry takes the port, unless it is for another address or protocol", () => {
  const both =
    entry("-m multiport --dports 80", "a1", "CNI-DN-a") + entry("-m multiport --dports 80", "b2", "CNI-DN-b");
  expect(told(both).map(([, , id, by]) => [id, by])).toEqual([
    ["a1", undefined],
    ["b2", 1],
  ]);
  const apart = both.replace("-A CNI-HOSTPORT-DNAT -p tcp", "-A CNI-HOSTPORT-DNAT -p udp");
  expect(told(apart).map(([, , id, by]) => [id, by])).toEqual([
    ["a1", undefined],
    ["b2", undefined],
  ]);
});

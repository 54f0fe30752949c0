// What users ask about their rules, answered from the texts that they posted or that kube-proxy wrote.
import { describe, expect, test } from "vitest";
import { landfall } from "../cli/terminal.js";
import { goldenKey, goldens } from "../compile/goldens.js";
import { realDumps } from "../text/real.js";

const posted = new Map(realDumps().map((dump) => [dump.name.slice(0, 3), dump.text]));
const written = (version: string, scenario: string) =>
  goldens(version).get(goldenKey(scenario, "save", "ipv4")) ?? "";

async function answer(command: "services" | "explain", stdin: string, ...words: readonly string[]) {
  return (await landfall([command, "-", ...words], { stdin })).stdout;
}

describe("what users ask", () => {
  test("why is the node port refused with port unreachable?", async () => {
    const text = posted.get("036") ?? "";
    expect(await answer("services", text)).toMatch(
      /^default\/traefik-1566557461:http +NodePort .* no endpoints: refused at once \(icmp-port-unreachable\)$/m,
    );
  });

  test("is it expected that policy Local makes the node port dead on nodes without a pod?", async () => {
    const told = await answer("explain", written("1.30", "nodeport-local-no-local"), "web");
    expect(told).toContain(
      "externalTrafficPolicy Local: clients from outside get only endpoints on this node",
    );
    expect(told).toContain("node port: dropped without an answer if the source is not in 10.244.0.0/16");
  });

  test("why can the external address be reached from some clients only?", async () => {
    const table = await answer("services", written("1.30", "loadbalancer-source-ranges"));
    expect(table).toContain(
      "load balancer IP: dropped without an answer if the source is not any of 198.51.100.0/24, 192.0.2.7",
    );
  });

  test("why does the pod see an address of the node?", async () => {
    const told = await answer("explain", written("1.30", "nodeport"), "web");
    expect(told).toMatch(/source lost .*node port: always/);
    const kept = await answer("explain", written("1.30", "nodeport-local"), "web");
    expect(kept).toMatch(/source kept .*node port: always/);
  });

  test("why is affinity lost after three minutes?", async () => {
    const told = await answer("explain", posted.get("016") ?? "", "default/kubernetes");
    expect(told).toContain("a client goes back to its endpoint for 180 s after its last new connection");
  });

  test("why do most real servers get nothing?", async () => {
    const told = await answer("explain", posted.get("037") ?? "");
    expect(told).toContain("3 of 7 real servers have weight 0: no new connections");
    expect(told).toMatch(/chosen by +rr +→ 11\.0\.2\.7:80 +25 %/);
  });

  test("can the pod reach itself by its Service?", async () => {
    const text = written("1.30", "clusterip-3-endpoints").replace(
      /^-A KUBE-SEP-\S+ -s 10\.244\.2\.10\/32 .*\n/m,
      "",
    );
    expect(await answer("services", text)).toMatch(/10\.244\.2\.10:\d+ cannot reach itself by the Service/);
  });

  test("who left FORWARD at DROP?", async () => {
    const told = await answer("explain", posted.get("008") ?? "");
    expect(told).toMatch(/policies that refuse what no rule accepts\n {2}filter:FORWARD {3}DROP\n/);
    expect(told).toMatch(/^ {2}Docker /m);
  });
});

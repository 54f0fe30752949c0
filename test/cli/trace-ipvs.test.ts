// `trace` of a node in mode ipvs: from objects, and from what the node's own tools print.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { conversationSchema } from "../../src/cli/schemas/conversation.js";
import { traceSchema } from "../../src/cli/schemas/trace.js";
import { landfall } from "./terminal.js";

const NODE = readFileSync(
  join(import.meta.dirname, "../../fixtures/kernel-ipvs/kube-proxy/node.txt"),
  "utf8",
);
const files = { "node.txt": NODE };

describe("from objects", () => {
  const objects = ["trace", "cluster.yaml", "kube-proxy.yaml", "network.yaml"];
  const packet = "10.244.1.10:39123 to svc/shop/product-service";

  test("the same endpoints as in mode iptables, by another way", async () => {
    const ends = async (mode: string) => {
      const { code, stdout, stderr } = await landfall([...objects, packet, "--mode", mode, "-o", "json"]);
      expect(code, stderr).toBe(0);
      const { cases } = traceSchema.parse(JSON.parse(stdout));
      return cases[0]?.landings ?? [];
    };
    const [iptables, ipvs] = [await ends("iptables"), await ends("ipvs")];
    const told = (landings: typeof ipvs) =>
      landings.map(({ dst, dport, endpoint }) => [dst, dport, endpoint]);
    expect([...told(ipvs)].sort()).toEqual([...told(iptables)].sort());
    expect(ipvs.map(({ probability }) => probability.denominator)).toEqual(["3", "3", "3"]);
    expect(ipvs[0]?.ipvs).toEqual({ service: "10.96.100.50:80/tcp", scheduler: "rr" });
    expect(iptables[0]).not.toHaveProperty("ipvs");
  });

  test("the text names the virtual server, and whose rules answer", async () => {
    const { stdout, stderr } = await landfall([...objects, packet, "--mode", "ipvs"]);
    expect(stdout).toMatch(/^ {2}IPVS 10\.96\.100\.50:80\/tcp rr → (?:10\.244\.\d\.\d+:8080(?:, )?){3}$/m);
    expect(stdout).toContain("whose turn it is, is not known: shares are those of the long run");
    expect(stderr).toContain("in mode ipvs, should have written");
    expect(stderr).not.toContain("LF2001");
  });
});

describe("from the node's own texts, in one stream", () => {
  test("where a packet lands", async () => {
    const { code, stdout } = await landfall(["trace", "-", "198.51.100.9:41001 to 10.0.1.50:30080/tcp"], {
      stdin: NODE,
    });
    expect(code).toBe(0);
    expect(stdout).toMatch(/50 % +10\.244\.1\.10:8080 by cni0 +10\.244\.1\.1, new port {3}\(masqueraded\)/);
    expect(stdout).toContain("IPVS 10.0.1.50:30080/tcp rr → ");
  });

  test("the way back, with the conntrack entry", async () => {
    const { stdout } = await landfall(
      ["trace", "node.txt", "198.51.100.9:41001 to 10.96.0.10:80/tcp", "--reply", "--fresh", "-o", "json"],
      { files },
    );
    const { cases } = conversationSchema.parse(JSON.parse(stdout));
    for (const { steps } of cases[0]?.courses ?? []) {
      expect(steps[1]).toMatchObject({ src: "10.96.0.10", sport: 80, dst: "198.51.100.9", dport: 41001 });
      expect(steps[0]?.conntrack).toContain(`src=${steps[0]?.dst} dst=10.244.1.1 sport=8080`);
    }
    expect(cases[0]?.courses).toHaveLength(2);
  });

  test("a connection that conntrack lists stays with its server", async () => {
    const entry =
      "tcp      6 86399 ESTABLISHED src=198.51.100.9 dst=10.96.0.10 sport=41001 dport=80 src=10.244.2.20 dst=10.244.1.1 sport=8080 dport=5555 [ASSURED] mark=0 use=1\n";
    const { stdout } = await landfall(
      ["trace", "node.txt", "entry.txt", "198.51.100.9:41001 to 10.96.0.10:80/tcp flags A", "-o", "json"],
      { files: { ...files, "entry.txt": entry } },
    );
    const { cases } = traceSchema.parse(JSON.parse(stdout));
    expect(cases).toHaveLength(1);
    expect(cases[0]?.landings).toMatchObject([
      { dst: "10.244.2.20", dport: 8080, src: "10.244.1.1", sport: 5555, verdict: "forward" },
    ]);
  });

  test("of a connection under way, whether IPVS knows it is a question", async () => {
    const { stdout } = await landfall(
      ["trace", "node.txt", "198.51.100.9:41001 to 10.96.0.10:80/tcp flags A", "-o", "json"],
      { files },
    );
    const { cases } = traceSchema.parse(JSON.parse(stdout));
    expect(cases.map(({ assuming }) => assuming)).toEqual([
      ["IPVS knows a connection with these addresses and ports (10.96.0.10:80/tcp)"],
      ["IPVS knows no connection with these addresses and ports (10.96.0.10:80/tcp)"],
    ]);
    expect(cases[1]?.landings).toMatchObject([{ verdict: "local", dst: "10.96.0.10" }]);
  });

  test("without addresses, those of virtual servers are the node's own", async () => {
    const text = NODE.split("\n")
      .filter((line) => !/^\d+: |^net\.|^default|^10\./.test(line))
      .join("\n");
    const { stdout } = await landfall(
      ["trace", "node.txt", "198.51.100.9:41001 to 10.96.0.10:80/tcp", "-o", "json"],
      { files: { "node.txt": text } },
    );
    const { cases, notes } = traceSchema.parse(JSON.parse(stdout));
    expect(cases).toHaveLength(1);
    expect(cases[0]?.landings.map(({ dst }) => dst).sort()).toEqual(["10.244.1.10", "10.244.2.20"]);
    expect(notes).toContain("the addresses of virtual servers are taken to be the node's own");
  });
});

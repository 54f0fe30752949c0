// What is told of a node in IPVS mode: addresses, weights, sets around the virtual servers, and what is not known without them.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { printAddress, readAddress } from "../../grammar/address.js";
import { protocolNumber } from "../../grammar/protocols.js";
import { memoryIO } from "../../src/cli/memory-io.js";
import { run } from "../../src/cli/run.js";
import {
  addressKey,
  type KnownNames,
  nodePortKey,
  type ServicePort,
} from "../../src/explain/service-model.js";
import { nameOf, notesOn, sourceWords } from "../../src/explain/service-words.js";
import { servicesOf } from "../../src/explain/services.js";
import { virtualOverviewOf } from "../../src/explain/virtual-overview.js";
import { mergeStates, type NodeState } from "../../src/state/nodestate.js";
import { readNodeText } from "../../src/text/read.js";
import { segmentsOf } from "../../src/text/segments.js";

const ROOT = join(import.meta.dirname, "../../fixtures/kernel-ipvs/kube-proxy");
const TEXT = readFileSync(join(ROOT, "node.txt"), "utf8");

function stateOf(text: string): NodeState {
  return mergeStates(
    segmentsOf({ name: "node.txt", text }).flatMap((segment) =>
      readNodeText(segment).map(({ state }) => state),
    ),
  );
}

const STATE = stateOf(TEXT);
const { services: SERVICES } = servicesOf(STATE);

function at(end: string, services: readonly ServicePort[] = SERVICES): ServicePort {
  const found = services.find((one) => nameOf(one) === end);
  if (found === undefined) throw new Error(`no ${end}`);
  return found;
}

describe("by sets", () => {
  test("kinds of addresses, and the policy", () => {
    const kind = (end: string) => [at(end).entrances[0]?.kind, at(end).externalPolicy];
    expect(kind("10.96.0.10:80")).toEqual(["cluster IP", undefined]);
    expect(kind("203.0.113.7:80")).toEqual(["external IP", "Cluster"]);
    expect(kind("203.0.113.20:80")).toEqual(["load balancer IP", "Cluster"]);
    expect(kind("10.0.1.50:30080")).toEqual(["node port", "Cluster"]);
    expect(kind("10.0.1.50:30081")).toEqual(["node port", "Local"]);
  });

  test("who keeps the source, and who does not", () => {
    expect(sourceWords(at("10.96.0.10:80"))).toEqual({
      kept: ["cluster IP if the source is in 10.244.0.0/16 (KUBE-CLUSTER-IP)"],
      lost: [
        "cluster IP if the source is not in 10.244.0.0/16 (KUBE-CLUSTER-IP)",
        "an endpoint that reaches itself (KUBE-LOOP-BACK)",
      ],
    });
    expect(sourceWords(at("203.0.113.7:80")).lost[0]).toBe("external IP: always (KUBE-EXTERNAL-IP)");
    expect(sourceWords(at("10.0.1.50:30081")).kept).toEqual(["node port: always (KUBE-NODE-PORT-LOCAL-TCP)"]);
    expect(sourceWords(at("10.0.1.50:30080")).lost[0]).toBe("node port: always (KUBE-NODE-PORT-TCP)");
  });

  test("whom a load balancer's firewall lets in", () => {
    const { entrances } = at("203.0.113.20:80");
    expect(entrances[0]?.letIn).toEqual([
      { set: "KUBE-LOAD-BALANCER-SOURCE-CIDR", sources: ["198.51.100.0/24"] },
    ]);
    expect(notesOn(at("203.0.113.20:80"))[0]).toMatch(/^load balancer IP: dropped without an answer if /);
    expect(at("203.0.113.7:80").entrances[0]?.letIn).toBeUndefined();
    const nobody = stateOf(TEXT.replace(/^add KUBE-LOAD-BALANCER-SOURCE-CIDR .*\n/m, ""));
    expect(at("203.0.113.20:80", servicesOf(nobody).services).entrances[0]?.letIn).toEqual([]);
  });

  /** Whether what tells clients from others is true of a source; both networks end at a dot. */
  function holds(words: string, source: string): boolean {
    const isIn = source.startsWith(words.includes("SOURCE-CIDR") ? "198.51.100." : "10.244.");
    return isIn !== words.includes(" not in ");
  }

  test("the kernel masquerades those, and no others", () => {
    let compared = 0;
    const lines = readFileSync(join(ROOT, "packets.ndjson"), "utf8").trim().split("\n");
    for (const { packet, landed } of lines.map((line) => JSON.parse(line))) {
      if (landed === undefined || packet.src === undefined || packet.in === "" || packet.src === landed.dst)
        continue;
      const entrance = SERVICES.filter(({ protocol }) => protocol === protocolNumber(packet.proto))
        .flatMap(({ entrances }) => entrances)
        .find(({ address, port }) => address === readAddress(packet.dst) && port === packet.dport);
      if (entrance === undefined || packet.in === "local") continue;
      const clients = entrance.clients.filter(({ who }) => who.every((words) => holds(words, packet.src)));
      const told = clients
        .flatMap(({ outcomes }) => outcomes)
        .filter(({ endpoint }) => printAddress(endpoint?.address ?? 0) === landed.dst)
        .map(({ masqueraded }) => masqueraded);
      expect([packet, new Set(told)]).toEqual([packet, new Set([packet.src !== landed.src])]);
      compared += 1;
    }
    expect(compared).toBeGreaterThan(5);
  });
});

test("virtual servers of one name are one service port", () => {
  const tcp = 6;
  const known: KnownNames = {
    names: [],
    byAddress: new Map([
      [addressKey(readAddress("10.96.0.10") ?? 0, 80, tcp), "shop/web:http"],
      [addressKey(readAddress("203.0.113.7") ?? 0, 80, tcp), "shop/web:http"],
    ]),
    byNodePort: new Map([[nodePortKey(30080, tcp), "shop/web:http"]]),
  };
  const { services } = servicesOf(STATE, known);
  const web = at("shop/web:http", services);
  expect(
    web.entrances.map(({ kind, address, port }) => `${kind} ${printAddress(address ?? 0)}:${port}`),
  ).toEqual([
    "cluster IP 10.96.0.10:80",
    "external IP 203.0.113.7:80",
    "node port 10.0.1.50:30080",
    "node port 10.244.1.1:30080",
  ]);
  expect(web.endpoints.map(({ weight }) => weight)).toEqual([1, 1]);
  expect(web.externalPolicy).toBe("Cluster");
  expect(services.length).toBe(SERVICES.length - 3);
});

describe("what is not here", () => {
  const withoutLines = (pattern: RegExp) => stateOf(TEXT.replace(pattern, ""));
  const told = (state: NodeState) => at("10.96.0.10:80", servicesOf(state).services);

  test("without sets or rules nothing is said of the source", () => {
    const noSets = told(withoutLines(/^(?:create|add) .*\n/gm));
    expect(sourceWords(noSets)).toEqual({ kept: [], lost: [] });
    expect(noSets.lacks?.[0]).toMatch(/^members of KUBE-.* are not here \(ipset save\)/);
    expect(noSets.entrances[0]?.kind).toBe("virtual server");
    const noRules = told(withoutLines(/^\*[\s\S]*^COMMIT\n/gm));
    expect(sourceWords(noRules)).toEqual({ kept: [], lost: [] });
    expect(noRules.lacks?.[0]).toMatch(/^the rules of nat are not here \(iptables-save\)/);
  });

  test("without addresses kube-ipvs0 is taken to be as it should", () => {
    const noAddresses = told(withoutLines(/^\d+: .*\n/gm));
    expect(noAddresses.lacks).toHaveLength(1);
    expect(noAddresses.lacks?.[0]).toContain("kube-ipvs0");
    expect(sourceWords(noAddresses)).toEqual(sourceWords(at("10.96.0.10:80")));
    expect(noAddresses.entrances[0]?.ownClients).toEqual([]);
    expect(at("10.96.0.10:80").lacks).toEqual([]);
  });
});

describe("the table as a whole", () => {
  const LISTED =
    "-A -t 10.0.0.1:80 -s rr -p 10800\n-a -t 10.0.0.1:80 -r 10.2.0.1:80 -m -w 1\n-a -t 10.0.0.1:80 -r 10.2.0.2:80 -m -w 0\n-A -f 7 -s rr\n-A -u 10.0.0.1:53 -s lc\n-a -u 10.0.0.1:53 -r 10.2.0.1:80 -m -w 0\n";

  test("in numbers", () => {
    expect(virtualOverviewOf(stateOf(LISTED))).toMatchObject({
      virtualServers: 3,
      marks: 1,
      persistent: 1,
      refusing: 2,
      realServers: 2,
      closed: 2,
      schedulers: [
        { name: "rr", virtualServers: 2 },
        { name: "lc", virtualServers: 1 },
      ],
    });
    expect(virtualOverviewOf({ rulesets: {} })).toBeUndefined();
  });

  const printed = async (...args: string[]) => {
    const io = memoryIO({ files: { "node.txt": TEXT, "ipvs.txt": LISTED } });
    await run(args, io);
    return io.text.stdout;
  };

  test("in words, as Markdown and as JSON", async () => {
    const text = await printed("explain", "ipvs.txt");
    expect(text).toMatch(/^IPVS\n {2}virtual servers +3$/m);
    expect(text).toMatch(/never +→ 10\.2\.0\.2:80 +weight 0/);
    expect(text.match(/the rules of nat are not here/g)).toHaveLength(1);
    expect(await printed("explain", "ipvs.txt", "-o", "markdown")).toContain("## IPVS\n");
    const named = await printed("explain", "ipvs.txt", "10.0.0.1:80");
    expect(named).toMatch(/not known +the rules of nat are not here/);
    expect(named).not.toMatch(/^IPVS$/m);
    const { ipvs, services } = JSON.parse(await printed("explain", "ipvs.txt", "-o", "json"));
    expect(ipvs).toMatchObject({ virtualServers: 3, closed: 2 });
    expect(services).toHaveLength(2);
  });

  test("services carry what their shares rest on", async () => {
    const { services } = JSON.parse(await printed("services", "node.txt", "-o", "json"));
    const web = services.find((one: { entrances: { address: string }[] }) =>
      one.entrances.some(({ address }) => address === "10.96.0.10"),
    );
    expect(web.sharing).toEqual({ assuming: ["whose turn it is, is not known"], next: [] });
    expect(web.lacks).toEqual([]);
    expect(web.endpoints[0].weight).toBe(1);
    expect(web.entrances[0].clients[0].sets).toEqual(["KUBE-CLUSTER-IP"]);
  });
});

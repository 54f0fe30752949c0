// Services found in rules: held against the objects that the rules were written for, and against the evaluator.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Address, type Family, printAddress } from "../../grammar/address.js";
import { protocolName } from "../../grammar/protocols.js";
import type { EndpointInfo } from "../../src/compile/common/endpoints.js";
import { prepare } from "../../src/compile/iptables/compile.js";
import type { Version } from "../../src/compile/versions.js";
import { evaluate } from "../../src/evaluate/evaluate.js";
import { lowestTerms } from "../../src/evaluate/share.js";
import { knownNamesOf } from "../../src/explain/known-names.js";
import type { Clients, Entrance, ServicePort } from "../../src/explain/service-model.js";
import {
  binomialChance,
  endpointOutcomes,
  endpointWords,
  nameOf,
  notesOn,
  shareNumber,
  tallies,
} from "../../src/explain/service-words.js";
import { servicesOf } from "../../src/explain/services.js";
import { readNodeText } from "../../src/text/read.js";
import { readRules } from "../../src/text/rules.js";
import { FAMILIES, goldenKey, goldens, SCENARIOS, scenario } from "../compile/goldens.js";
import { ENDLESS } from "../endless.js";
import { realDumps } from "../text/real.js";

const NODE_A = await import("node:fs").then(({ readFileSync }) =>
  readFileSync(new URL("../../fixtures/example/node-a.save", import.meta.url), "utf8"),
);

function found(text: string, family?: Family) {
  const { ruleset } = readRules({ name: "rules", text }, family === undefined ? {} : { family });
  return servicesOf({ rulesets: { [ruleset.family]: ruleset } });
}

/** Endpoints with their exact shares, in their order. */
function sharesOf(clients: Clients | undefined): readonly string[] {
  return clients === undefined
    ? []
    : endpointOutcomes(clients).map(
        ({ endpoint, share }) =>
          `${endpoint === undefined ? "?" : endpointWords(endpoint)} ${share?.numerator}/${share?.denominator}`,
      );
}

function total({ outcomes }: Clients): number {
  return outcomes.reduce((sum, { share }) => sum + (share === undefined ? 0 : shareNumber(share)), 0);
}

const scenarios = new Map(SCENARIOS.map((name) => [name, scenario(name)]));

describe.each(["1.24", "1.26", "1.30", "1.34"] as const)("what kube-proxy %s wrote", (version) => {
  const texts = goldens(version);
  const cases = SCENARIOS.flatMap((name) => FAMILIES.map((family) => [name, family] as const)).filter(
    ([name, family]) => texts.has(goldenKey(name, "save", family)),
  );

  test.each(cases)("%s, %s: every service port, with its endpoints", (name, family) => {
    const { model, choice } = scenarios.get(name) ?? scenario(name);
    const text = texts.get(goldenKey(name, "save", family)) ?? "";
    const { services, assumed } = found(text, family);
    expect(assumed).toEqual([]);
    const { ports } = prepare(model, {
      version: version as Version,
      family,
      node: choice.node,
      nodeName: choice.name,
    });
    const keyOf = (port: { name: string; protocol: string }) => `${port.name} ${port.protocol}`;
    expect(services.map((one) => `${one.name} ${protocolName(one.protocol ?? 0)}`)).toEqual(
      ports.map(keyOf).sort((left, right) => (left < right ? -1 : 1)),
    );
    for (const service of services) {
      expect(service.nameProven).toBe(true);
      const port = ports.find(
        (one) => keyOf(one) === `${service.name} ${protocolName(service.protocol ?? 0)}`,
      );
      if (port === undefined) throw new Error(`${service.name} is not among the objects`);
      const { chosen, internalLocal, externalLocal } = port;
      const ips = (list: readonly EndpointInfo[]) => list.map(({ text: own }) => own).sort();
      const reached = (clients: Clients) =>
        endpointOutcomes(clients)
          .map(({ endpoint }) => (endpoint ? endpointWords(endpoint) : ""))
          .sort();
      const inside = service.entrances.filter(({ kind }) => kind === "cluster IP");
      expect(
        inside.map(
          ({ address, port: own }) => `${address === undefined ? "" : printAddress(address)} ${own}`,
        ),
      ).toEqual([`${port.clusterIP} ${port.port}`]);
      const wanted = ips(internalLocal ? chosen.local : chosen.cluster).map(canonical);
      for (const clients of inside.flatMap((one) => one.clients))
        expect(reached(clients)).toEqual([...wanted].sort());
      const outside = service.entrances.filter(({ kind }) => kind !== "cluster IP");
      const external = ips(externalLocal ? chosen.local : chosen.cluster).map(canonical);
      // Pods are led to all endpoints; some sources may be refused. Others get what the policy says.
      for (const { clients } of outside)
        for (const one of clients) {
          const ends = reached(one);
          if (ends.length > 0 && !isPods(one, text)) expect(ends).toEqual([...external].sort());
        }
      for (const { clients } of service.entrances) {
        for (const one of clients) {
          expect(total(one)).toBeCloseTo(1, 12);
          const ends = endpointOutcomes(one);
          for (const { share } of ends) expect(share && shareNumber(share)).toBeCloseTo(1 / ends.length, 6);
        }
      }
      expect(service.affinitySeconds).toBe(service.chains.length > 0 ? port.affinitySeconds : undefined);
    }
  });
});

/** Addresses as they are printed; kube-proxy up to 1.30 writes endpoints as they were given. */
function canonical(text: string): string {
  const { services } = { services: text };
  return services.replace(/^\[(.*)\]:(\d+)$/, (_all, address: string, port: string) => {
    const url = new URL(`http://[${address}]`);
    return `[${url.hostname.slice(1, -1)}]:${port}`;
  });
}

/** Clients whose sources a rule for pod traffic names. */
function isPods({ who }: Clients, text: string): boolean {
  const networks = [...text.matchAll(/ -s (\S+) .*"pod traffic for /g)].map(([, network]) => network);
  const devices = [...text.matchAll(/ -i (\S+) .*"pod traffic for /g)].map(([, device]) => device);
  return who.some(
    (words) =>
      networks.some((network) => words.includes(`is in ${network}`)) ||
      devices.some((device) => words.includes(`${device?.replace("+", "")}`) && !/not|another/.test(words)),
  );
}

describe("the evaluator says the same", () => {
  const texts = goldens("1.30");
  const cases = SCENARIOS.flatMap((name) => FAMILIES.map((family) => [name, family] as const)).filter(
    // Sources told by interface need one in the question; the large one is asked elsewhere.
    ([name, family]) =>
      texts.has(goldenKey(name, "save", family)) &&
      !/^(?:detect-local-(?:bridge|prefix)|large|k3s|eks)/.test(name),
  );

  test.each(cases)("%s, %s", (name, family) => {
    const text = texts.get(goldenKey(name, "save", family)) ?? "";
    const { ruleset } = readRules({ name, text }, { family });
    const { services } = servicesOf({ rulesets: { [family]: ruleset } });
    for (const service of services) {
      for (const entrance of service.entrances) {
        for (const clients of entrance.clients)
          compareWithTrace(service, entrance, clients, { [family]: ruleset }, family);
      }
    }
  });
});

function compareWithTrace(
  { protocol }: ServicePort,
  { address, port }: Entrance,
  { sources, outcomes }: Clients,
  rulesets: Parameters<typeof evaluate>[0]["rulesets"],
  family: Family,
): void {
  const own: Address = family === "ipv4" ? 0xc0000201 : 0x20010db8n << 96n;
  const source = sources[0]?.from;
  if (source === undefined || protocol === undefined || port === undefined) return;
  const mask = family === "ipv4" ? 0xffffffff : (1n << 128n) - 1n;
  const network = {
    interfaces: [{ name: "", addresses: [{ address: own, subnet: { address: own, mask } }] }],
    sysctls: new Map(),
  };
  const packet = { family, protocol, source, destination: address ?? own, destinationPort: port };
  const { cases } = evaluate({ rulesets, network }, packet, { fresh: true });
  expect(cases).toHaveLength(1);
  const told = cases[0]?.landings.map(({ verdict, dst, dport, masqueraded, share, with: how }) => {
    const { numerator, denominator } = lowestTerms(share);
    const end =
      dst !== null && (verdict === "forward" || verdict === "local")
        ? `${printAddress(dst)} ${dport} ${masqueraded}`
        : (how ?? verdict);
    return `${end} ${numerator}/${denominator}`;
  });
  const wanted = outcomes.map(({ kind, endpoint, masqueraded, share, with: how }) => {
    const to =
      endpoint?.address === undefined ? printAddress(address ?? own) : printAddress(endpoint.address);
    const end =
      kind === "endpoint" || kind === "passed"
        ? `${to} ${endpoint?.port ?? port} ${masqueraded}`
        : (how ?? kind);
    return `${end} ${share?.numerator}/${share?.denominator}`;
  });
  expect(wanted.sort()).toEqual(told?.sort());
}

describe("the example dump", () => {
  test("names, addresses, chains and shares", () => {
    const { services } = found(NODE_A);
    expect(services.map(nameOf)).toEqual([
      "default/cart:http",
      "default/web:http",
      "kube-system/kube-dns:dns",
    ]);
    const web = services[1];
    expect(web).toMatchObject({
      nameProven: true,
      protocol: 6,
      chains: ["KUBE-SVC-CDGGSHYLG3RE2FKL", "KUBE-EXT-CDGGSHYLG3RE2FKL"],
      internalPolicy: "Cluster",
      externalPolicy: "Cluster",
    });
    expect(
      web?.entrances.map(({ kind, port, chain, rules }) => [kind, port, chain, rules[0]?.rule.place?.line]),
    ).toEqual([
      ["cluster IP", 80, "KUBE-SVC-CDGGSHYLG3RE2FKL", 47],
      ["node port", 30080, "KUBE-EXT-CDGGSHYLG3RE2FKL", 28],
    ]);
    expect(sharesOf(web?.entrances[0]?.clients[0])).toEqual([
      "10.244.1.14:8080 715827883/2147483648",
      "10.244.2.21:8080 1431655765/4294967296",
      "10.244.3.9:8080 1431655765/4294967296",
    ]);
    expect(services[0]?.affinitySeconds).toBe(10800);
    expect(services.flatMap(notesOn)).toEqual([]);
  });

  test("names are found again by the hash where comments are lost", () => {
    const bare = NODE_A.replace(/ -m comment --comment "[^"]*"/g, "");
    expect(found(bare).services.map(({ name }) => name)).toEqual([
      "kube-system/kube-dns:dns",
      undefined,
      undefined,
    ]);
    const { ruleset } = readRules({ name: "rules", text: bare });
    const known = { names: ["default/web:http", "default/cart:http"], byAddress: new Map() };
    const named = servicesOf({ rulesets: { ipv4: ruleset } }, known).services;
    expect(named.map(({ name, nameProven }) => [name, nameProven])).toEqual([
      ["default/cart:http", true],
      ["default/web:http", true],
      ["kube-system/kube-dns:dns", true],
    ]);
  });

  test("a name that the hash contradicts is told, and not as proven", () => {
    const edited = NODE_A.replaceAll("default/web:http", "default/wab:http");
    const { services } = found(edited);
    expect(services.map(({ name, nameProven }) => [name, nameProven])).toContainEqual([
      "default/wab:http",
      false,
    ]);
  });

  test("counters: each endpoint's part of the connections, against its share", () => {
    const counts = new Map([
      ["2HP72ZIPYAM5HUSK", 145],
      ["NIMRB72CNAYKLM25", 521],
      ["RBX5X5TOEG5GD3RO", 538],
    ]);
    const counted = NODE_A.replace(
      /^(-A KUBE-SVC-CDGG.* -j KUBE-SEP-(\w+))$/gm,
      (_all, rule: string, hash: string) => `[${counts.get(hash) ?? 0}:60] ${rule}`,
    );
    const web = found(counted).services.find(({ name }) => name === "default/web:http");
    if (web === undefined) throw new Error("web is not found");
    const [chain] = web.counted;
    expect(chain?.total).toBe(1204n);
    expect(
      chain && tallies(chain, web).map(({ connections, chance }) => [connections, (chance ?? 1) < 0.001]),
    ).toEqual([
      [145n, true],
      [521n, true],
      [538n, true],
    ]);
    expect(notesOn(web)[0]).toBe(
      "10.244.1.14:8080 got 12 % of 1,204 connections, expected 33.3 %: unlikely by chance",
    );
  });
});

describe("fragments", () => {
  const texts = goldens("1.30");
  const names = [
    "metallb-mix",
    "loadbalancer-local",
    "loadbalancer-source-ranges",
    "multi-port",
    "affinity-timeout",
    "internal-local-nodeport-cluster",
    "nodeport",
  ];

  test.each(names)("%s: grep for a service keeps its endpoints and shares", (name) => {
    const text = texts.get(goldenKey(name, "save", "ipv4")) ?? "";
    for (const service of found(text).services) {
      const grepped = text
        .split("\n")
        .filter((line) => line.startsWith("-A") && line.includes(`${service.name}`));
      const again = found(`${grepped.join("\n")}\n`).services.find(
        (one) => one.name === service.name && one.protocol === service.protocol,
      );
      expect(
        again?.entrances.map(({ kind, address, port, clients }) => [
          kind,
          address,
          port,
          clients.map(sharesOf),
        ]),
      ).toEqual(
        service.entrances.map(({ kind, address, port, clients }) => [
          kind,
          address,
          port,
          clients.map(sharesOf),
        ]),
      );
      expect(again?.affinitySeconds).toBe(service.affinitySeconds);
    }
  });

  test("endpoint chains that grep has lost are told from the comments of the rules that go there", () => {
    const lines = NODE_A.split("\n").filter((line) => line.includes("-A KUBE-SVC-CDGG"));
    const { services, assumed } = found(`${lines.join("\n")}\n`);
    expect(sharesOf(services[0]?.entrances[0]?.clients[0])[0]).toBe("10.244.1.14:8080 715827883/2147483648");
    expect(assumed).toContain(
      "3 endpoint chains send where the comments of the rules that go there say (the hashes in the names fit)",
    );
  });

  test("what no line tells is not made up", () => {
    const lines = NODE_A.split("\n").filter((line) => /^-A KUBE-SERVICES .*default\/web/.test(line));
    const [web] = found(`${lines.join("\n")}\n`).services;
    expect(web?.entrances[0]?.clients[0]?.outcomes).toMatchObject([
      { kind: "unknown", lacks: "KUBE-SVC-CDGGSHYLG3RE2FKL" },
    ]);
  });

  test("any lines of a dump: shares add up to 1", () => {
    const lines = NODE_A.split("\n").filter((line) => line.startsWith("-A"));
    fc.assert(
      fc.property(fc.subarray(lines), (some) => {
        for (const { entrances } of found(`${some.join("\n")}\n`).services)
          for (const { clients } of entrances)
            for (const one of clients) expect(total(one)).toBeCloseTo(1, 12);
      }),
      { numRuns: 60 },
    );
  });
});

describe("rules of real nodes", () => {
  const dumps = new Map(realDumps().map((dump) => [dump.name.slice(0, 3), dump.text]));
  const ask = (number: string) => found(dumps.get(number) ?? "");
  const summary = ({ services }: ReturnType<typeof found>) =>
    services.map((one) => [
      nameOf(one),
      one.entrances.map(({ kind }) => kind).join(),
      one.endpoints.map(endpointWords).join(),
      one.entrances[0]?.clients[0]?.outcomes[0]?.kind,
    ]);

  test("a whole dump of kind", () => {
    expect(summary(ask("001"))).toEqual([
      ["default/kubernetes:https", "cluster IP", "172.18.0.5:6443", "endpoint"],
      ["default/traefik:web", "cluster IP", "10.244.0.5:8000", "endpoint"],
      ["default/traefik:websecure", "cluster IP", "10.244.0.5:8443", "endpoint"],
      ["kube-system/kube-dns:dns", "cluster IP", "10.244.0.3:53,10.244.0.4:53", "endpoint"],
      ["kube-system/kube-dns:dns-tcp", "cluster IP", "10.244.0.3:53,10.244.0.4:53", "endpoint"],
      ["kube-system/kube-dns:metrics", "cluster IP", "10.244.0.3:9153,10.244.0.4:9153", "endpoint"],
    ]);
  });

  test("node ports: one that is refused, one whose chain the excerpt lacks", () => {
    expect(summary(ask("002"))).toEqual([
      ["bad-srv:management-port", "node port", "", "reject"],
      ["srv1:management-port", "node port", "", "unknown"],
    ]);
  });

  test("the chances 0.2, 0.25, 0.33 are even: a rule draws among what the rules before it left", () => {
    const chain = "KUBE-SVC-H2F4SOSDHAEHZFXQ";
    const seps = ["A", "B", "C", "D", "E"].map((mark) => `KUBE-SEP-${mark.repeat(16)}`);
    const chances = ["0.20000000019", "0.25000000000", "0.33332999982", "0.50000000000"];
    const rules = seps.map(
      (sep, index) =>
        `-A ${chain} -m comment --comment "default/nginx:"${chances[index] === undefined ? "" : ` -m statistic --mode random --probability ${chances[index]}`} -j ${sep}`,
    );
    const [nginx] = found(`${rules.join("\n")}\n`).services;
    expect(nginx?.name).toBe("default/nginx");
    const outcomes = nginx?.entrances[0]?.clients[0]?.outcomes ?? [];
    expect(outcomes.map(({ endpoint }) => endpoint?.chain)).toEqual(seps);
    for (const { share } of outcomes) expect(share && shareNumber(share)).toBeCloseTo(0.2, 5);
  });

  test("old forms: KUBE-FW with KUBE-MARK-DROP, KUBE-XLB, names with a colon at the end", () => {
    const { services } = ask("132");
    expect(summary({ services, assumed: [] })).toEqual([
      [
        "default/nginx",
        "cluster IP,load balancer IP,node port",
        "10.244.1.2:80,10.244.2.4:80,10.244.3.4:80",
        "endpoint",
      ],
    ]);
    const bind = ask("140").services[0];
    expect([bind?.name, bind?.externalPolicy, bind?.endpoints.length]).toEqual([
      "default/bind9api-svc",
      "Local",
      3,
    ]);
    expect(ask("142").services[0]?.entrances[0]?.clients[0]?.outcomes).toMatchObject([{ kind: "unknown" }]);
    expect(ask("016").services.map(({ affinitySeconds }) => affinitySeconds)).toEqual([180, undefined]);
  });

  test("a listing of `iptables -L -v`", () => {
    expect(summary(ask("149")).map(([name]) => name)).toEqual([
      "default/kubernetes:https",
      "default/nginx-svc",
      "kube-system/kube-dns:dns",
      "kube-system/kube-dns:dns-tcp",
    ]);
  });

  test("rules of other programs are no services, and no trouble", () => {
    for (const number of ["003", "059", "061", "069", "072", "093", "090", "106"])
      expect(ask(number).services).toEqual([]);
    for (const text of dumps.values()) expect(() => found(text)).not.toThrow();
  });
});

describe("IPVS", () => {
  test("virtual servers, with shares by weight", () => {
    const text =
      "-A -t 10.96.0.10:53 -s wrr\n-a -t 10.96.0.10:53 -r 10.244.1.5:53 -m -w 1\n-a -t 10.96.0.10:53 -r 10.244.2.7:53 -m -w 3\n-A -u 10.96.0.10:53 -s lc\n-a -u 10.96.0.10:53 -r 10.244.1.5:53 -m -w 1\n-A -t 10.96.0.9:80 -s rr -p 10800\n-a -t 10.96.0.9:80 -r 10.244.1.5:80 -m -w 0\n";
    const [read] = readNodeText({ kind: "virtual-servers", source: { name: "ipvs", text } });
    const byAddress = new Map([["174063626 53 6", "kube-system/kube-dns:dns-tcp"]]);
    const { services } = servicesOf(read?.state ?? { rulesets: {} }, { names: [], byAddress });
    expect(
      services.map((one) => [
        one.name,
        one.scheduler,
        sharesOf(one.entrances[0]?.clients[0]),
        one.affinitySeconds,
      ]),
    ).toEqual([
      ["kube-system/kube-dns:dns-tcp", "wrr", ["10.244.1.5:53 1/4", "10.244.2.7:53 3/4"], undefined],
      [undefined, "rr", [], 10800],
      [undefined, "lc", ["10.244.1.5:53 1/1"], undefined],
    ]);
    expect(services[1]?.entrances[0]?.clients[0]?.outcomes[0]?.kind).toBe("reject");
  });
});

describe("IPVS schedulers that count, or hash", () => {
  const of = (text: string) => {
    const [read] = readNodeText({ kind: "virtual-servers", source: { name: "ipvs", text } });
    const { services } = servicesOf(read?.state ?? { rulesets: {} }, { names: [], byAddress: new Map() });
    const [one] = services;
    const next = one?.sharing?.next.map(({ address }) => printAddress(address ?? 0));
    return { shares: sharesOf(one?.entrances[0]?.clients[0]), next, assuming: one?.sharing?.assuming };
  };
  const servers = "-a -t 10.0.0.1:80 -r 10.2.0.1:80 -m -w 1\n-a -t 10.0.0.1:80 -r 10.2.0.2:80 -m -w 3\n";

  test("shares in the long run, and what they rest on", () => {
    const even = ["10.2.0.1:80 1/4", "10.2.0.2:80 3/4"];
    expect(of(`-A -t 10.0.0.1:80 -s wlc\n${servers}`)).toEqual({
      shares: even,
      next: [],
      assuming: ["how many connections each real server has, is not known"],
    });
    const { shares, assuming } = of(`-A -t 10.0.0.1:80 -s sh\n${servers}`);
    expect(shares).toEqual(even);
    expect(assuming).toEqual(["in which order the real servers were added, is not known"]);
    expect(of(`-A -t 10.0.0.1:80 -s fo\n${servers}`).shares).toEqual(["10.2.0.1:80 0/1", "10.2.0.2:80 1/1"]);
  });

  test("a listing's counts tell who is next", () => {
    const row = (server: string, weight: number, active: number) =>
      `  -> ${server}:80  Masq ${weight} ${active} 0\n`;
    const heading =
      "Prot LocalAddress:Port Scheduler Flags\n  -> RemoteAddress:Port Forward Weight ActiveConn InActConn\n";
    const listing = (scheduler: string, one: number, other: number) =>
      `${heading}TCP  10.0.0.1:80 ${scheduler}\n${row("10.2.0.1", 1, one)}${row("10.2.0.2", 3, other)}`;
    expect(of(listing("lc", 2, 5)).next).toEqual(["10.2.0.1"]);
    expect(of(listing("wlc", 2, 5)).next).toEqual(["10.2.0.2"]);
    expect(of(listing("wlc", 1, 3)).next).toEqual([]);
    const entries = "IPVS connection entries\nTCP 14:59  ESTABLISHED 10.9.0.1:4000 10.0.0.1:80 10.2.0.1:80\n";
    expect(of(`-A -t 10.0.0.1:80 -s lc\n${servers}${entries}`).next).toEqual(["10.2.0.2"]);
  });
});

describe("chance", () => {
  test("of few draws, by hand", () => {
    expect(binomialChance(0, 2, 0.5)).toBeCloseTo(0.5, 12);
    expect(binomialChance(1, 2, 0.5)).toBeCloseTo(1, 12);
    expect(binomialChance(0, 10, 0.5)).toBeCloseTo(2 / 1024, 12);
    expect(binomialChance(0, 0, 0.3)).toBe(1);
  });

  test("of many draws, nearly the same whichever way it is reckoned", () => {
    expect(binomialChance(1730, 5000, 1 / 3)).toBeCloseTo(0.0599, 2);
    expect(binomialChance(1731, 5001, 1 / 3)).toBeCloseTo(binomialChance(1730, 5000, 1 / 3), 2);
    expect(binomialChance(3000, 9000, 1 / 3)).toBeCloseTo(1, 6);
  });
});

test("objects name what the rules do not", () => {
  const { model } = scenario("seed-example");
  expect(knownNamesOf(model).names).toContain("shop/product-service:http");
});

test("names from inputs are keys of nothing but maps", () => {
  const text =
    '-A KUBE-SERVICES -d 10.0.0.1/32 -p tcp -m comment --comment "__proto__ cluster IP" -m tcp --dport 80 -j KUBE-SVC-AAAAAAAAAAAAAAAA\n';
  expect(found(text).services.map(nameOf)).toEqual(["__proto__"]);
});

test("grep that keeps the last rule of KUBE-POSTROUTING does not make all connections masqueraded", () => {
  const lines = NODE_A.split("\n").filter((line) => /^-A .*(?:default\/web|kubernetes service)/.test(line));
  const { services, assumed } = found(`${lines.join("\n")}\n`);
  const [pods] = services[0]?.entrances[0]?.clients ?? [];
  expect(pods?.who).toEqual(["the source is in 10.244.0.0/16"]);
  expect(pods?.outcomes.map(({ masqueraded }) => masqueraded)).toEqual([false, false, false]);
  expect(assumed[0]).toBe(
    "KUBE-MARK-MASQ marks with 0x4000 and KUBE-POSTROUTING lets go what does not bear the mark 0x4000 (kube-proxy's default)",
  );
});

describe("texts made to take long", () => {
  const entry = (index: number, chain: string) =>
    `-A ${chain} -d 10.${(index >> 16) & 255}.${(index >> 8) & 255}.${index & 255}/32 -p tcp -m tcp --dport 80 -j KUBE-SVC-AAAAAAAAAAAAAAAA`;

  test.each([
    [
      "many addresses of one service port",
      Array.from({ length: 20_000 }, (_, index) => entry(index, "KUBE-SERVICES")),
    ],
    [
      "a long row of chains that lead to one",
      [
        ...Array.from({ length: 20_000 }, (_, index) => `-A C${index} -j C${index + 1}`),
        "-A C20000 -p tcp -m tcp --dport 80 -j KUBE-SVC-AAAAAAAAAAAAAAAA",
      ],
    ],
    [
      "chains in a circle",
      [
        "-A A -j B",
        "-A B -j A",
        "-A A -p tcp -m tcp --dport 80 -j KUBE-SVC-AAAAAAAAAAAAAAAA",
        "-A KUBE-SVC-AAAAAAAAAAAAAAAA -j KUBE-EXT-AAAAAAAAAAAAAAAA",
        "-A KUBE-EXT-AAAAAAAAAAAAAAAA -j KUBE-SVC-AAAAAAAAAAAAAAAA",
      ],
    ],
    [
      "many comments that name one chain",
      Array.from(
        { length: 5_000 },
        (_, index) =>
          `-A KUBE-SVC-AAAAAAAAAAAAAAAA -m comment --comment "a/b${index}" -j KUBE-SEP-AAAAAAAAAAAAAAAA`,
      ),
    ],
  ])("%s", { timeout: ENDLESS }, (_what, lines) => {
    expect(found(`${lines.join("\n")}\n`).services.length).toBeGreaterThan(0);
  });
});

// kube-proxy in IPVS mode: byte for byte what the real one made of a node, and what holds for any cluster.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Family, printAddress } from "../../grammar/address.js";
import { compileSchema } from "../../src/cli/schemas/compile.js";
import type { ClusterModel } from "../../src/cluster/model.js";
import { chooseNode } from "../../src/cluster/node.js";
import { readCluster } from "../../src/cluster/read.js";
import { printPayload } from "../../src/compile/common/payload.js";
import {
  type CompiledIpvs,
  compileIpvs,
  compileNextIpvsSync,
  type IpvsOptions,
} from "../../src/compile/ipvs/compile.js";
import { VERSIONS } from "../../src/compile/versions.js";
import { readDocuments } from "../../src/documents/read.js";
import type { NodeState } from "../../src/state/nodestate.js";
import { readInterfaces } from "../../src/text/ip-addr.js";
import { printSets } from "../../src/text/ipset/save.js";
import { readSets } from "../../src/text/ipset.js";
import { printVirtualServers, readVirtualServers } from "../../src/text/ipvsadm.js";
import { readRules } from "../../src/text/rules.js";
import { printRuleset } from "../../src/text/save.js";
import { landfall } from "../cli/terminal.js";
import { FAMILIES, goldens, IPVS_SCENARIOS, ipvsFiles, networkDocument, withoutRemarks } from "./goldens.js";
import { anyCluster } from "./ipvs-clusters.js";
import { clusterOf, configuration, node, service, slice } from "./objects.js";

const GOLDENS = goldens("ipvs-1.30");

function golden(scenario: string, file: string): string {
  const text = GOLDENS.get(`${scenario} ${file}`);
  if (text === undefined) throw new Error(`there is no ${file} of ${scenario}`);
  return text;
}

function modelOf(scenario: string): ClusterModel {
  const files = ipvsFiles(scenario);
  const documents = ["objects.yaml", "kube-proxy.yaml"].flatMap(
    (name) => readDocuments({ name, text: files[name] ?? "" }).documents,
  );
  return readCluster(documents).model;
}

function compiled(model: ClusterModel, options: IpvsOptions = {}): CompiledIpvs {
  const { node: chosen, name } = chooseNode(model);
  return compileIpvs(model, { version: "1.30", node: chosen, nodeName: name, ...options });
}

/** Lines of `ipset save` as a set: the order of sets and of their members is random, and so is `initval`. */
function setLines(text: string): readonly string[] {
  return text
    .replace(/ initval 0x[0-9a-f]+/g, "")
    .split("\n")
    .sort();
}

/** Without the number of the interface, which depends on what else the node has. */
function addressLines(text: string): readonly string[] {
  return text
    .replace(/^\d+: /gm, "")
    .split("\n")
    .sort();
}

/** The files that a scenario gives to the command, and its words. */
function commandOf(scenario: string): {
  readonly args: readonly string[];
  readonly files: Record<string, string>;
} {
  const {
    "foreign.txt": foreign,
    "interfaces.txt": interfaces,
    "about.md": _about,
    ...objects
  } = ipvsFiles(scenario);
  const inputs = {
    ...objects,
    ...(interfaces === undefined ? {} : { "network.yaml": networkDocument(interfaces) }),
  };
  const onto = foreign === undefined ? {} : { "foreign.txt": foreign };
  return {
    args: [
      "compile",
      ...Object.keys(inputs),
      ...Object.keys(onto).flatMap((name) => ["--onto", name]),
      "--kube-proxy",
      "1.30",
    ],
    files: { ...inputs, ...onto },
  };
}

describe.each(IPVS_SCENARIOS)("kube-proxy 1.30: %s", (scenario) => {
  test("all that the node then holds", async () => {
    const { args, files } = commandOf(scenario);
    const { code, written, stderr } = await landfall([...args, "--out", "node"], { files });
    expect(code, stderr).toBe(0);
    const text = (file: string): string => written.get(`node/${file}`) ?? "";
    for (const family of FAMILIES) {
      const restore = `iptables-restore.${family}.txt`;
      expect(text(restore)).toBe(golden(scenario, restore));
      const save = `iptables-save.${family}.txt`;
      expect(withoutRemarks(text(save))).toBe(withoutRemarks(golden(scenario, save)));
    }
    expect(text("ipvsadm-save.txt")).toBe(golden(scenario, "ipvsadm-save.txt"));
    expect(setLines(text("ipset-save.txt"))).toEqual(setLines(golden(scenario, "ipset-save.txt")));
    expect(addressLines(text("kube-ipvs0.txt"))).toEqual(addressLines(golden(scenario, "kube-ipvs0.txt")));
    expect(written.size).toBe(7);
  });

  test("the listing tells the same table", () => {
    const { services } = readVirtualServers({ name: "listing", text: golden(scenario, "ipvsadm-list.txt") });
    expect(printVirtualServers(services)).toBe(golden(scenario, "ipvsadm-save.txt"));
  });

  test("a second first sync changes nothing", () => {
    const model = modelOf(scenario);
    const { state } = compiled(model);
    expect(everything(compiled(model, { onto: state }).state)).toEqual(everything(state));
  });
});

test.each(["dual-stack-loadbalancer", "exclude-cidrs", "k3s-like"])(
  "each output prints its file: %s",
  async (scenario) => {
    const { args, files } = commandOf(scenario);
    const { written } = await landfall([...args, "--out", "node"], { files });
    const outputs: readonly (readonly [string, string])[] = [
      ["ipvsadm", "ipvsadm-save.txt"],
      ["ipset", "ipset-save.txt"],
      ["addresses", "kube-ipvs0.txt"],
    ];
    for (const [output, file] of outputs) {
      const { stdout } = await landfall([...args, "-o", output], { files });
      expect(stdout).toBe(written.get(`node/${file}`));
    }
    for (const family of FAMILIES) {
      for (const output of ["restore", "save"]) {
        const { stdout } = await landfall([...args, "-o", output, "--family", family], { files });
        expect(stdout).toBe(written.get(`node/iptables-${output}.${family}.txt`));
      }
    }
  },
);

/** All texts of a node. */
function everything({
  rulesets,
  sets,
  virtualServers,
  network,
}: NodeState): Readonly<Record<string, unknown>> {
  return {
    ipv4: rulesets.ipv4 && printRuleset(rulesets.ipv4),
    ipv6: rulesets.ipv6 && printRuleset(rulesets.ipv6),
    sets: sets && printSets(sets),
    servers: virtualServers && printVirtualServers(virtualServers.services),
    timeouts: virtualServers?.timeouts,
    network: network && { ...network, sysctls: [...network.sysctls] },
  };
}

describe("any cluster", () => {
  test("its texts read back as what they are, without a fault", () => {
    fc.assert(
      fc.property(anyCluster, fc.constantFrom(...VERSIONS), (objects, version) => {
        const { state, payloads } = compiled(clusterOf(objects), { version });
        for (const family of FAMILIES) {
          const ruleset = state.rulesets[family];
          const text = ruleset === undefined ? "" : printRuleset(ruleset);
          const read = readRules({ name: "save", text }, { family });
          expect(read.problems).toEqual([]);
          expect(printRuleset(read.ruleset)).toBe(text);
          const payload = printPayload(payloads[family] ?? { tables: [] });
          const again = readRules({ name: "restore", text: payload }, { family });
          const own = (one: string) =>
            one
              .split("\n")
              .filter((line) => /^-A KUBE-/.test(line))
              .sort();
          expect(own(printRuleset(again.ruleset))).toEqual(own(text));
        }
        const sets = readSets({ name: "sets", text: printSets(state.sets ?? new Map()) });
        expect(sets.problems).toEqual([]);
        expect(printSets(sets.sets)).toBe(printSets(state.sets ?? new Map()));
        const text = printVirtualServers(state.virtualServers?.services ?? []);
        const table = readVirtualServers({ name: "table", text });
        expect(table.problems).toEqual([]);
        expect(printVirtualServers(table.services)).toBe(text);
      }),
    );
  });

  test("every virtual server is at an address that is the node's own, and rules name only sets that are there", () => {
    fc.assert(
      fc.property(anyCluster, (objects) => {
        const { state } = compiled(clusterOf(objects));
        const addresses = (state.network?.interfaces ?? []).flatMap((each) => each.addresses);
        const own = new Set(addresses.map(({ address }) => address));
        for (const { key } of state.virtualServers?.services ?? []) {
          expect(key.kind === "address" && own.has(key.address)).toBe(true);
        }
        const text = FAMILIES.map((family) => {
          const ruleset = state.rulesets[family];
          return ruleset === undefined ? "" : printRuleset(ruleset);
        }).join("");
        for (const [, name = ""] of text.matchAll(/--match-set (\S+)/g))
          expect(state.sets?.has(name)).toBe(true);
        const dummy = state.network?.interfaces?.find(({ name }) => name === "kube-ipvs0");
        const bound = (dummy?.addresses ?? []).map(({ address }) => printAddress(address)).sort();
        const listed = ["KUBE-IPVS-IPS", "KUBE-6-IPVS-IPS"].flatMap((name) =>
          (state.sets?.get(name)?.entries ?? []).map(({ parts }) =>
            printAddress(parts[0] as number | bigint),
          ),
        );
        expect(listed.sort()).toEqual(bound);
      }),
    );
  });

  test("the families do not touch each other, and the order of the objects does not matter", () => {
    fc.assert(
      fc.property(
        anyCluster,
        fc.infiniteStream(fc.double({ min: 0, max: 1, noNaN: true })),
        (objects, random) => {
          const model = clusterOf(objects);
          const { state } = compiled(model);
          const turned = [...objects]
            .map((object) => ({ object, at: random.next().value ?? 0 }))
            .sort((left, right) => left.at - right.at)
            .map(({ object }) => object);
          expect(everything(compiled(clusterOf(turned)).state)).toEqual(everything(state));
          const apart = (family: Family) => compiled(model, { families: [family] }).state;
          const [four4, six6] = [apart("ipv4"), apart("ipv6")];
          const services = [four4, six6].flatMap(({ virtualServers }) => virtualServers?.services ?? []);
          expect(printVirtualServers(services)).toBe(
            printVirtualServers(state.virtualServers?.services ?? []),
          );
          const sets = new Map([...(four4.sets ?? []), ...(six6.sets ?? [])]);
          expect(printSets(sets)).toBe(printSets(state.sets ?? new Map()));
        },
      ),
    );
  });

  test("whatever the node held before, it then holds what an empty one would", () => {
    fc.assert(
      fc.property(anyCluster, anyCluster, (before, after) => {
        const { state: there } = compiled(clusterOf(before));
        const model = clusterOf(after);
        const { state } = compiled(model, { onto: { ...there, network: withoutSysctls(there) } });
        const { state: empty } = compiled(model);
        const comparable = (one: NodeState) => ({
          ...everything(one),
          network: undefined,
          servers: printVirtualServers(one.virtualServers?.services ?? [])
            .split("\n")
            .sort(),
          sets: setLines(printSets(one.sets ?? new Map())),
        });
        expect(comparable(state)).toEqual(comparable(empty));
        const addresses = (one: NodeState) =>
          (one.network?.interfaces ?? [])
            .filter(({ name }) => name === "kube-ipvs0")
            .flatMap((each) => each.addresses.map(({ address }) => printAddress(address)))
            .sort();
        expect(addresses(state)).toEqual(addresses(empty));
      }),
    );
  });
});

function withoutSysctls({ network }: NodeState): NonNullable<NodeState["network"]> {
  return { ...network, sysctls: new Map() };
}

const WEB = [
  service({}),
  slice([{ addresses: ["10.244.0.5"] }, { addresses: ["10.244.0.6"] }]),
  node(["192.0.2.1"], "here"),
];

function onto(text: string): NodeState {
  const { problems, ...virtualServers } = readVirtualServers({ name: "before", text });
  expect(problems.filter(({ severity }) => severity === "error")).toEqual([]);
  return { rulesets: {}, virtualServers };
}

function table({ state }: CompiledIpvs): string {
  return printVirtualServers(state.virtualServers?.services ?? []);
}

describe("a node that is not empty", () => {
  const proxy = configuration({ mode: "ipvs", ipvs: { excludeCIDRs: ["172.30.0.0/16"] } });
  const model = clusterOf([...WEB, proxy]);

  test("foreign virtual servers go, but those in excludeCIDRs, of the other family and of marks stay", () => {
    const before = `-A -t 172.29.1.1:80 -s wlc
-A -t 172.30.1.1:80 -s wlc
-A -t [fd00::1]:80 -s sh
-A -f 7 -s rr
`;
    const four = compiled(model, { onto: onto(before), families: ["ipv4"] });
    expect(table(four)).toBe(`-A -t 172.30.1.1:80 -s wlc
-A -t 10.96.0.1:80 -s rr
-a -t 10.96.0.1:80 -r 10.244.0.5:8080 -m -w 1
-a -t 10.96.0.1:80 -r 10.244.0.6:8080 -m -w 1
-A -t [fd00::1]:80 -s sh
-A -f 7 -s rr
`);
    expect(table(compiled(model, { onto: onto(before) }))).not.toContain("fd00::1");
  });

  test("a real server with TCP connections gets weight 0, one without goes; weights are put right", () => {
    const listing = `IP Virtual Server version 1.2.1 (size=4096)
Prot LocalAddress:Port Scheduler Flags
  -> RemoteAddress:Port           Forward Weight ActiveConn InActConn
TCP  10.96.0.1:80 wlc persistent 60
  -> 10.244.0.5:8080              Masq    7      1          0
  -> 10.244.0.7:8080              Masq    1      0          2
  -> 10.244.0.8:8080              Masq    1      0          0
`;
    expect(table(compiled(model, { onto: onto(listing) }))).toBe(`-A -t 10.96.0.1:80 -s rr
-a -t 10.96.0.1:80 -r 10.244.0.5:8080 -m -w 1
-a -t 10.96.0.1:80 -r 10.244.0.6:8080 -m -w 1
-a -t 10.96.0.1:80 -r 10.244.0.7:8080 -m -w 0
`);
    const udp = clusterOf([service({ ports: [{ port: 80, protocol: "UDP" }] }), ...WEB.slice(2), proxy]);
    expect(table(compiled(udp, { onto: onto(listing.replaceAll("TCP", "UDP")) }))).toBe(
      "-A -u 10.96.0.1:80 -s rr\n",
    );
  });

  test("what is right already stays as it is, the mask of persistence too", () => {
    const sticky = clusterOf([
      service({ sessionAffinity: "ClientIP", sessionAffinityConfig: { clientIP: { timeoutSeconds: 60 } } }),
      ...WEB.slice(1),
      proxy,
    ]);
    const before =
      "-A -t 10.96.0.1:80 -s rr -p 60 -M 255.255.255.0\n-a -t 10.96.0.1:80 -r 10.244.0.5:8080 -m -w 1\n";
    expect(table(compiled(sticky, { onto: onto(before) }))).toContain(before);
    const other = before.replace("-p 60", "-p 61");
    expect(table(compiled(sticky, { onto: onto(other) }))).toContain("-A -t 10.96.0.1:80 -s rr -p 60\n");
  });

  test("stale addresses leave kube-ipvs0, and others of the node are not bound again", () => {
    const { interfaces } = readInterfaces({
      name: "addresses",
      text: `2: eth0    inet 192.0.2.1/24 scope global eth0
7: kube-ipvs0    inet 10.96.0.9/32 scope global kube-ipvs0
7: kube-ipvs0    inet 10.96.0.1/32 scope global kube-ipvs0
`,
    });
    const shared = clusterOf([service({ externalIPs: ["192.0.2.1", "192.0.2.9"] }), ...WEB.slice(1), proxy]);
    const { state } = compiled(shared, { network: { interfaces, sysctls: new Map() } });
    const dummy = state.network?.interfaces?.find(({ name }) => name === "kube-ipvs0");
    expect(dummy?.addresses.map(({ address }) => printAddress(address))).toEqual(["10.96.0.1", "192.0.2.9"]);
    expect(dummy?.index).toBe(7);
    const older = compiled(shared, { version: "1.27" }).state.network?.interfaces?.at(-1);
    expect(older?.addresses.map(({ address }) => printAddress(address))).toContain("192.0.2.1");
  });

  test("node ports answer at addresses of kube-ipvs0 too once they are there, if a list of CIDRs holds them", () => {
    const port = service({
      type: "NodePort",
      ports: [{ port: 80, nodePort: 30080 }],
      externalIPs: ["192.0.2.9"],
    });
    const listed = configuration({ mode: "ipvs", nodePortAddresses: ["192.0.2.0/24"] });
    const entrances = (result: CompiledIpvs) => table(result).match(/^-A .*:30080/gm);
    for (const [fields, second] of [
      [listed, ["-A -t 192.0.2.1:30080", "-A -t 192.0.2.9:30080"]],
      [proxy, ["-A -t 192.0.2.1:30080"]],
    ] as const) {
      const cluster = clusterOf([port, ...WEB.slice(1), fields]);
      const first = compiled(cluster);
      expect(entrances(first)).toEqual(["-A -t 192.0.2.1:30080"]);
      expect(entrances(compiled(cluster, { onto: first.state, network: first.state.network }))).toEqual(
        second,
      );
    }
  });

  test("the kubelet's chains stay, and its jumps stand below", () => {
    const rules = (version: "1.26" | "1.30", kubelet: boolean) => {
      const { ipv4 } = compiled(model, { version, facts: { kubelet } }).state.rulesets;
      return (ipv4 === undefined ? "" : printRuleset(ipv4)).split("\n");
    };
    const without = new Set(rules("1.30", false));
    expect(rules("1.30", true).filter((line) => !without.has(line))).toEqual([
      "*mangle",
      ":KUBE-IPTABLES-HINT - [0:0]",
      ":KUBE-KUBELET-CANARY - [0:0]",
      ":KUBE-FIREWALL - [0:0]",
      ":KUBE-KUBELET-CANARY - [0:0]",
      "-A INPUT -j KUBE-FIREWALL",
      "-A OUTPUT -j KUBE-FIREWALL",
      '-A KUBE-FIREWALL ! -s 127.0.0.0/8 -d 127.0.0.0/8 -m comment --comment "block incoming localnet connections" -m conntrack ! --ctstate RELATED,ESTABLISHED,DNAT -j DROP',
      ":KUBE-KUBELET-CANARY - [0:0]",
    ]);
    const inputs = rules("1.26", true).filter((line) => line.startsWith("-A INPUT "));
    expect(inputs.at(-1)).toBe("-A INPUT -j KUBE-FIREWALL");
    expect(inputs).toHaveLength(4);
  });

  test("sets of others stay; one of kube-proxy's with another type is told", () => {
    const text =
      "create mine hash:ip family inet hashsize 64 maxelem 9\ncreate KUBE-CLUSTER-IP hash:net family inet hashsize 64 maxelem 9\n";
    const { sets } = readSets({ name: "sets", text });
    const { state, problems } = compiled(model, { onto: { rulesets: {}, sets } });
    expect([...(state.sets?.keys() ?? [])].slice(0, 2)).toEqual(["mine", "KUBE-CLUSTER-IP"]);
    expect(problems.map(({ code, message }) => `${code} ${message}`)).toEqual([
      "LF5010 ipset would refuse this sync: set KUBE-CLUSTER-IP is there with another type or family",
    ]);
  });

  test("the sync after a change", async () => {
    const files = {
      "before.json": JSON.stringify({ kind: "List", items: WEB }),
      "proxy.json": JSON.stringify(proxy),
      "after.json": JSON.stringify({
        kind: "List",
        items: [service({}), slice([{ addresses: ["10.244.0.6"] }, { addresses: ["10.244.0.9"] }]), WEB[2]],
      }),
    };
    const args = ["compile", "before.json", "proxy.json", "--then", "after.json", "-o", "ipvsadm"];
    const { stdout } = await landfall(args, { files });
    expect(stdout).toBe(`-A -t 10.96.0.1:80 -s rr
-a -t 10.96.0.1:80 -r 10.244.0.6:8080 -m -w 1
-a -t 10.96.0.1:80 -r 10.244.0.9:8080 -m -w 1
`);
  });

  test("a server on its way out that comes back is added anew; one that does not stays", () => {
    const listing = `TCP  10.96.0.1:80 rr
  -> 10.244.0.5:8080              Masq    1      1          0
  -> 10.244.0.6:8080              Masq    1      1          0
  -> 10.244.0.7:8080              Masq    1      1          0
`;
    const few = clusterOf([service({}), slice([{ addresses: ["10.244.0.5"] }]), WEB[2] ?? {}, proxy]);
    const { node: chosen, name: nodeName } = chooseNode(few);
    const next = compileNextIpvsSync(few, model, {
      node: chosen,
      nodeName,
      onto: onto(`${HEADING}${listing}`),
    });
    const { services = [] } = next.state.virtualServers ?? {};
    expect(services[0]?.destinations.map(({ address, weight }) => [printAddress(address), weight])).toEqual([
      ["10.244.0.5", 1],
      ["10.244.0.7", 0],
      ["10.244.0.6", 1],
    ]);
  });
});

const HEADING = `IP Virtual Server version 1.2.1 (size=4096)
Prot LocalAddress:Port Scheduler Flags
  -> RemoteAddress:Port           Forward Weight ActiveConn InActConn
`;

describe("the configuration", () => {
  const withProxy = (fields: Readonly<Record<string, unknown>>, version: "1.26" | "1.30" = "1.30") =>
    compiled(clusterOf([...WEB, configuration({ mode: "ipvs", ...fields })]), { version });

  test("sysctls and timeouts", () => {
    const { state } = withProxy({ ipvs: { strictARP: true, tcpTimeout: "1h0m0s", udpTimeout: "1500ms" } });
    expect([...(state.network?.sysctls ?? [])]).toEqual([
      ["net.ipv4.vs.conntrack", "1"],
      ["net.ipv4.vs.expire_nodest_conn", "1"],
      ["net.ipv4.vs.expire_quiescent_template", "1"],
      ["net.ipv4.ip_forward", "1"],
      ["net.ipv4.conf.all.arp_ignore", "1"],
      ["net.ipv4.conf.all.arp_announce", "2"],
    ]);
    expect(state.virtualServers?.timeouts).toEqual({ tcp: 3600, tcpFin: 120, udp: 1 });
    const plain = withProxy({});
    expect(plain.state.virtualServers?.timeouts).toEqual({ tcp: 900, tcpFin: 120, udp: 300 });
    expect(plain.state.network?.sysctls.has("net.ipv4.conf.all.arp_ignore")).toBe(false);
  });

  test("scheduler mh looks at the client's port since 1.27", () => {
    expect(table(withProxy({ ipvs: { scheduler: "mh" } }))).toContain("-s mh -b mh-port\n");
    expect(table(withProxy({ ipvs: { scheduler: "mh" } }, "1.26"))).toContain("-s mh\n");
  });

  test.each([
    [
      'scheduler: "RR"',
      'ipvs.scheduler must be one of rr, wrr, lc, wlc, lblc, lblcr, dh, sh, mh, sed, nq, got "RR" (did you mean rr?)',
    ],
    [
      "excludeCIDRs: [10.0.0.0/8, 10.0.0.1]",
      'ipvs.excludeCIDRs[1] is no CIDR such as 172.30.0.0/16, got "10.0.0.1"',
    ],
    ["tcpTimeout: -5s", 'ipvs.tcpTimeout must be at least 0, got "-5s"'],
  ])("%s is an error in mode ipvs, and told of in others", (line, message) => {
    const said = (mode: string) => {
      const text = `apiVersion: kubeproxy.config.k8s.io/v1alpha1\nkind: KubeProxyConfiguration\nmode: ${mode}\nipvs:\n  ${line}\n`;
      const { model, problems } = readCluster(readDocuments({ name: "proxy", text }).documents);
      return [
        model.proxy === undefined,
        ...problems.map(
          (problem) =>
            `${problem.place?.line} ${problem.severity} ${problem.message}${problem.label === undefined ? "" : ` (${problem.label})`}`,
        ),
      ];
    };
    expect(said("ipvs")).toEqual([true, `5 error KubeProxyConfiguration: ${message}`]);
    expect(said("iptables")).toEqual([false, `5 warning KubeProxyConfiguration: ${message}`]);
  });

  test.each([
    "tcpTimeout: 900",
    "udpTimeout: 15",
    "tcpFinTimeout: soon",
    "strictARP: maybe",
    "excludeCIDRs: 10.0.0.0/8",
  ])("%s can be read in no mode", (line) => {
    const text = `apiVersion: kubeproxy.config.k8s.io/v1alpha1\nkind: KubeProxyConfiguration\nipvs: {${line}}\n`;
    const { problems } = readCluster(readDocuments({ name: "proxy", text }).documents);
    expect(problems.map(({ code, severity }) => `${code} ${severity}`)).toEqual(["LF5002 error"]);
  });

  test("what it does not do is told", () => {
    const { problems } = withProxy({
      nodePortAddresses: ["127.0.0.0/8"],
      featureGates: { MinimizeIPTablesRestore: false },
    });
    expect(problems.map(({ message }) => message)).toEqual([
      "feature gate MinimizeIPTablesRestore cannot be set in kube-proxy 1.30, so it is ignored",
      "no address of the node is in nodePortAddresses (127.0.0.0/8), so no node port answers",
    ]);
  });

  test("a source range of length 0 is told, since it closes the load balancer", () => {
    const open = service(
      {
        type: "LoadBalancer",
        loadBalancerSourceRanges: ["0.0.0.0/0"],
        ports: [{ port: 80 }, { name: "s", port: 443 }],
      },
      { ingress: [{ ip: "203.0.113.9" }] },
    );
    const { problems, payloads } = compiled(clusterOf([open, configuration({ mode: "ipvs" })]));
    expect(problems.map(({ code, message }) => `${code} ${message}`)).toEqual([
      "LF5005 Service default/web: an ipset cannot hold the source range 0.0.0.0/0, so it lets nobody in",
    ]);
    expect(printPayload(payloads.ipv4 ?? { tables: [] })).toContain(
      "KUBE-LOAD-BALANCER-SOURCE-CIDR dst,dst,src -j RETURN",
    );
  });
});

describe("versions", () => {
  const objects = [
    service(
      {
        type: "LoadBalancer",
        externalTrafficPolicy: "Local",
        loadBalancerSourceRanges: ["198.51.100.0/24"],
        healthCheckNodePort: 32000,
      },
      { ingress: [{ ip: "203.0.113.9" }] },
    ),
    ...WEB.slice(1),
    configuration({ mode: "ipvs" }),
  ];
  const lines = (version: (typeof VERSIONS)[number]) => {
    const { payloads } = compiled(clusterOf(objects), { version });
    return printPayload(payloads.ipv4 ?? { tables: [] }).split("\n");
  };
  const gone = (older: (typeof VERSIONS)[number], newer: (typeof VERSIONS)[number]) => {
    const [before, after] = [lines(older), lines(newer)];
    return {
      gone: before.filter((line) => !after.includes(line)),
      came: after.filter((line) => !before.includes(line)),
    };
  };

  test("1.24 drops in nat what 1.25 drops in filter", () => {
    const set = (name: string, words: string) =>
      expect.stringMatching(new RegExp(`--match-set KUBE-LOAD-BALANCER-${name} ${words}$`));
    expect(gone("1.24", "1.25")).toEqual({
      gone: [
        ":KUBE-FIREWALL - [0:0]",
        set("FW", "dst,dst -j KUBE-FIREWALL"),
        set("SOURCE-CIDR", "dst,dst,src -j RETURN"),
        "-A KUBE-FIREWALL -j KUBE-MARK-DROP",
      ],
      came: [
        ":KUBE-PROXY-FIREWALL - [0:0]",
        ":KUBE-SOURCE-RANGES-FIREWALL - [0:0]",
        set("FW", "dst,dst -j KUBE-SOURCE-RANGES-FIREWALL"),
        set("SOURCE-CIDR", "dst,dst,src -j RETURN"),
        "-A KUBE-SOURCE-RANGES-FIREWALL -j DROP",
      ],
    });
    const order = lines("1.24").flatMap((line) => /--match-set KUBE-(\S+)/.exec(line)?.[1] ?? []);
    expect(order.slice(0, 4)).toEqual([
      "LOAD-BALANCER",
      "LOAD-BALANCER-FW",
      "LOAD-BALANCER-SOURCE-CIDR",
      "LOAD-BALANCER-LOCAL",
    ]);
  });

  test.each([
    [
      "1.25",
      "1.26",
      [
        "-A KUBE-SERVICES -s 127.0.0.0/8 -j RETURN",
        ":KUBE-IPVS-FILTER - [0:0]",
        "-A KUBE-IPVS-FILTER -m set --match-set KUBE-LOAD-BALANCER dst,dst -j RETURN",
        "-A KUBE-IPVS-FILTER -m set --match-set KUBE-CLUSTER-IP dst,dst -j RETURN",
        "-A KUBE-IPVS-FILTER -m set --match-set KUBE-EXTERNAL-IP dst,dst -j RETURN",
        "-A KUBE-IPVS-FILTER -m conntrack --ctstate NEW -m set --match-set KUBE-IPVS-IPS dst -j REJECT",
      ],
    ],
    ["1.26", "1.27", []],
    ["1.27", "1.28", ["-A KUBE-IPVS-FILTER -m set --match-set KUBE-HEALTH-CHECK-NODE-PORT dst -j RETURN"]],
    [
      "1.28",
      "1.29",
      [
        ":KUBE-IPVS-OUT-FILTER - [0:0]",
        "-A KUBE-IPVS-OUT-FILTER -s 203.0.113.9 -m ipvs --vaddr 203.0.113.9 --vproto tcp --vport 80 -j DROP",
      ],
    ],
    ["1.29", "1.30", ["-A KUBE-IPVS-FILTER -m set --match-set KUBE-EXTERNAL-IP-LOCAL dst,dst -j RETURN"]],
    ["1.30", "1.35", []],
  ] as const)("%s → %s", (older, newer, came) => {
    expect(gone(older, newer)).toEqual({ gone: [], came });
  });

  test("the set of bound addresses is there since 1.26", () => {
    const sets = (version: (typeof VERSIONS)[number]) => compiled(clusterOf(objects), { version }).state.sets;
    expect(sets("1.25")?.size).toBe(32);
    expect(sets("1.26")?.size).toBe(34);
  });
});

describe("the command line", () => {
  const files = {
    "web.json": JSON.stringify({ kind: "List", items: WEB }),
    "ipvs.json": JSON.stringify(configuration({ mode: "ipvs" })),
    "nftables.json": JSON.stringify(configuration({ mode: "nftables" })),
  };

  test("mode nftables is refused", async () => {
    for (const args of [["nftables.json"], ["--mode", "nftables"], ["ipvs.json", "--mode", "nftables"]]) {
      const { code, stdout, stderr } = await landfall(["compile", "web.json", ...args], { files });
      expect({ code, stdout }).toEqual({ code: 3, stdout: "" });
      expect(stderr).toContain("error[LF5011]: landfall does not write the rules of mode nftables yet");
    }
  });

  test("--mode goes before the configuration", async () => {
    const { stdout } = await landfall(["compile", "web.json", "--mode", "ipvs", "-o", "ipvsadm"], { files });
    expect(stdout).toContain("-A -t 10.96.0.1:80 -s rr\n");
    const rules = await landfall(["compile", "web.json", "ipvs.json", "--mode", "iptables"], { files });
    expect(rules.stdout).toContain("KUBE-SVC-");
    expect(rules.stderr).not.toContain("LF2001");
  });

  test("what only mode ipvs has is wrong usage in mode iptables", async () => {
    for (const output of ["ipvsadm", "ipset", "addresses"]) {
      const { code, stdout, stderr } = await landfall(["compile", "web.json", "-o", output], { files });
      expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
      expect(stderr).toContain(`-o ${output} is for mode ipvs, and the mode is iptables`);
    }
  });

  test("-o json holds it all", async () => {
    const args = ["compile", "web.json", "ipvs.json", "-o", "json", "--kube-proxy", "1.30"];
    const { stdout, stderr } = await landfall(args, { files });
    expect(stderr).toContain("kube-proxy 1.30 in mode ipvs, IPv4 and IPv6, node here");
    const document = JSON.parse(stdout);
    expect(compileSchema.parse(document)).toEqual(document);
    expect(document).toMatchObject({ schema: "landfall/compile@1", mode: "ipvs", node: "here" });
    expect(document.state.rulesets.map(({ family }: { family: string }) => family)).toEqual(["ipv4", "ipv6"]);
    expect(document.state.sets).toHaveLength(34);
    expect(document.state.sets[1]).toEqual({
      name: "KUBE-CLUSTER-IP",
      type: "hash:ip,port",
      options: "family inet hashsize 1024 maxelem 65536 bucketsize 12",
      entries: ["10.96.0.1,tcp:80"],
    });
    expect(document.state.virtualServers.services).toEqual([
      {
        family: "ipv4",
        protocol: "tcp",
        address: "10.96.0.1",
        port: 80,
        mark: null,
        scheduling: {
          scheduler: "rr",
          flags: [],
          persistence: null,
          persistenceEngine: null,
          onePacket: false,
        },
        servers: ["10.244.0.5", "10.244.0.6"].map((address) => ({
          address,
          port: 8080,
          forwarding: "masquerade",
          weight: 1,
          activeConnections: null,
          inactiveConnections: null,
        })),
      },
    ]);
    expect(document.state.network.interfaces.at(-1)).toMatchObject({
      name: "kube-ipvs0",
      addresses: ["10.96.0.1/32"],
    });
  });

  test("the node's addresses come from what ip addr printed, too", async () => {
    const address =
      "2: eth0    inet 192.0.2.7/24 scope global eth0\n3: docker0    inet 172.17.0.1/16 scope global docker0\n";
    const nodePort = service({ type: "NodePort", ports: [{ port: 80, nodePort: 30080 }] });
    const world = { files: { ...files, "addr.txt": address, "port.json": JSON.stringify(nodePort) } };
    const args = ["compile", "port.json", "ipvs.json", "addr.txt", "-o", "ipvsadm"];
    const { stdout } = await landfall(args, world);
    expect(stdout.match(/^-A -t \S+:30080/gm)).toEqual(["-A -t 172.17.0.1:30080", "-A -t 192.0.2.7:30080"]);
  });
});

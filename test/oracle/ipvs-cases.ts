/** Nodes with virtual servers, and connections to them: cases for a kernel that has IPVS. */
import fc from "fast-check";
import { type Family, familyOf, prefixLength, printAddress, withPort } from "../../grammar/address.js";
import { PROTOCOL, protocolName } from "../../grammar/protocols.js";
import { DUMMY_INTERFACE } from "../../src/cluster/ipvs-names.js";
import { readNetworkDocument } from "../../src/cluster/network.js";
import { chooseNode } from "../../src/cluster/node.js";
import { compileIpvs } from "../../src/compile/ipvs/compile.js";
import { readDocuments } from "../../src/documents/read.js";
import type { Network } from "../../src/state/network.js";
import type { NodeState } from "../../src/state/nodestate.js";
import { familyOfService, type VirtualServer } from "../../src/state/virtual-servers.js";
import { printSets } from "../../src/text/ipset/save.js";
import { printVirtualServers } from "../../src/text/ipvsadm.js";
import { printRuleset } from "../../src/text/save.js";
import { IPVS_SCENARIOS } from "../compile/goldens.js";
import { anyCluster } from "../compile/ipvs-clusters.js";
import { clusterOf } from "../compile/objects.js";
import { kubeProxyNode } from "../evaluate/ipvs-nodes.js";
import { type Dice, diceOf, type KernelCase, type StepSpec } from "./kernel-cases.js";

/** The world around a node: by which interface it comes in, and as whom. */
const WORLD = {
  ipv4: {
    node: "192.0.2.1/24",
    pods: "10.244.0.1/16",
    clients: ["198.51.100.9", "192.0.2.9", "203.0.113.200"],
    podClients: ["10.244.0.2", "10.244.0.5", "10.244.0.77"],
    gateway: "192.0.2.254",
  },
  ipv6: {
    node: "2001:db8:1::1/64",
    pods: "fd00:244::1/64",
    clients: ["2001:db8:99::9", "2001:db8:1::9", "2001:db8::77"],
    podClients: ["fd00:244::2", "fd00:244::5", "fd00:244::77"],
    gateway: "2001:db8:1::fe",
  },
} as const;

const FIRST_PORT = 20_000;

/** What `ipvsadm -R`, `ipset restore` and `iptables-restore` load, and the interfaces: a node that landfall says. */
function nodeSpec(state: NodeState, family: Family): Pick<KernelCase, "rules" | "network"> {
  const ruleset = state.rulesets[family];
  const services = (state.virtualServers?.services ?? []).filter(
    ({ key }) => familyOfService(key) === family,
  );
  const interfaces = (state.network?.interfaces ?? [])
    .filter(({ name }) => name !== "lo")
    .map(({ name, addresses }) => ({
      // A Node object names no interface.
      name: name || "eth0",
      ...(name === DUMMY_INTERFACE ? { kind: "dummy" } : {}),
      addresses: addresses
        .filter(({ address }) => familyOf(address) === family)
        .map(({ address, subnet }) => `${printAddress(address)}/${prefixLength(subnet.mask)}`),
    }));
  const { node, gateway, pods } = WORLD[family];
  const has = (name: string) => interfaces.some((one) => one.name === name);
  const others = [
    ...(has("eth0") ? [] : [{ name: "eth0", addresses: [node] }]),
    ...(has("cni0") ? [] : [{ name: "cni0", addresses: [pods] }]),
  ];
  const dummies = interfaces.filter(({ name }) => name === DUMMY_INTERFACE);
  const rest = interfaces.filter(({ name }) => name !== DUMMY_INTERFACE);
  return {
    rules: ruleset === undefined ? "" : printRuleset(ruleset),
    network: {
      family,
      interfaces: [...rest, ...others, ...dummies],
      routes: [
        { to: "default", dev: "eth0", via: gateway, onlink: true },
        ...(family === "ipv4" ? [{ to: "10.0.0.0/8", dev: "cni0" }] : [{ to: "fd00::/8", dev: "cni0" }]),
      ],
      sysctls: {
        "net.ipv4.vs.conntrack": 1,
        "net.ipv4.vs.expire_nodest_conn": 1,
        "net.ipv4.vs.expire_quiescent_template": 1,
      },
      ipset: printSets(state.sets ?? new Map()),
      ipvs: printVirtualServers(services),
    },
  };
}

/** Connections to virtual servers, one after the other, and answers: one conversation, since the turn goes on. */
function connections(
  dice: Dice,
  family: Family,
  services: readonly VirtualServer[],
  count: number,
  /** Answers come too. */
  answers: boolean,
): readonly StepSpec[] {
  const world = WORLD[family];
  const steps: StepSpec[] = [];
  const open: number[] = [];
  let port = FIRST_PORT;
  while (steps.length < count) {
    if (open.length > 0 && dice.chance(0.25)) {
      steps.push({ again: dice.pick(open), flags: dice.pick(["FA", "A"]) });
      continue;
    }
    const service = services.length === 0 ? undefined : dice.pick(services);
    if (service === undefined || service.key.kind !== "address") return steps;
    const { protocol, address } = service.key;
    const [by, sources] = dice.pick([
      ["eth0", world.clients],
      ["eth0", world.clients],
      ["cni0", world.podClients],
      ["local", undefined],
    ] as const);
    const source = sources === undefined ? undefined : dice.pick(sources);
    steps.push({
      in: by,
      ...(source === undefined ? {} : { src: source }),
      sport: port++,
      dst: printAddress(address),
      dport: service.key.port || 4000 + dice.below(3),
      proto: protocolName(protocol),
    });
    if (!answers || !dice.chance(0.5)) continue;
    // Connection tracking takes what follows a SYN that was not answered for invalid.
    if (protocol === PROTOCOL.tcp) open.push(steps.length - 1);
    steps.push({ reply: true });
  }
  return steps;
}

/** A node with one virtual server and no rules, and connections that come and go. */
export function seriesCase(seed: number, scheduler: string, family: Family): KernelCase {
  const dice = diceOf(seed);
  const { clients } = WORLD[family];
  const vip = family === "ipv4" ? "10.96.0.10" : "fd00:96::10";
  const flag = dice.pick(FLAGS[scheduler] ?? [""]);
  const persistence = dice.chance(0.15) ? ` -p ${dice.pick([30, 600])}` : "";
  const protocol = dice.chance(0.7) ? "-t" : "-u";
  const virtual = `${protocol} ${withPort(vip, 80)}`;
  const servers = Array.from({ length: 1 + dice.below(5) }, (_, index) => {
    const number = ((index * 7 + seed) % 11) + 10;
    const address = family === "ipv4" ? `10.244.0.${number}` : `fd00:244::${number}`;
    const weight = dice.chance(0.5) ? 1 : dice.below(6);
    return `-a ${virtual} -r ${withPort(address, 8080)} -m -w ${weight}`;
  });
  const lines = [`-A ${virtual} -s ${scheduler}${persistence}${flag}`, ...servers];
  const empty: NodeState = {
    rulesets: {},
    network: {
      interfaces: [{ name: DUMMY_INTERFACE, addresses: [] }],
      sysctls: new Map(),
    },
  };
  const { network } = nodeSpec(empty, family);
  const steps: StepSpec[] = [];
  const open: number[] = [];
  for (let port = FIRST_PORT; steps.length < 60; port++) {
    if (protocol === "-t" && open.length > 0 && dice.chance(0.35)) {
      steps.push({ again: dice.pick(open), flags: dice.pick(["FA", "FA", "RA", "A", "S"]) });
      continue;
    }
    open.push(steps.length);
    const proto = protocol === "-t" ? "tcp" : "udp";
    steps.push({ in: "eth0", src: dice.pick(clients), sport: port, dst: vip, dport: 80, proto });
  }
  return {
    name: `${scheduler} ${family} ${seed}`,
    rules: "",
    network: {
      ...network,
      interfaces: network.interfaces.map((one) =>
        one.kind === "dummy" ? { ...one, addresses: [`${vip}/${family === "ipv4" ? 32 : 128}`] } : one,
      ),
      ipvs: `${lines.join("\n")}\n`,
    },
    probes: [{ id: "series", repeat: 1, steps }],
    draws: false,
  };
}

const FLAGS: Readonly<Record<string, readonly string[]>> = {
  sh: ["", " -b sh-port", " -b sh-fallback", " -b sh-fallback,sh-port"],
  mh: ["", " -b mh-port", " -b mh-fallback", " -b mh-fallback,mh-port"],
};

/** Random Services as kube-proxy in mode ipvs has them, by landfall's compiler, and connections to all of them. */
export function clusterCases(seed: number): readonly KernelCase[] {
  const dice = diceOf(seed);
  const [objects] = fc.sample(anyCluster, { seed, numRuns: 1 });
  const model = clusterOf(objects ?? []);
  const { node, name } = chooseNode(model);
  const network = ownNetwork();
  const { state } = compileIpvs(model, { version: "1.30", node, nodeName: name, ...network });
  return (["ipv4", "ipv6"] as const).map((family): KernelCase => {
    const services = (state.virtualServers?.services ?? []).filter(
      ({ key }) => familyOfService(key) === family,
    );
    return {
      name: `cluster ${family} ${seed}`,
      ...nodeSpec(state, family),
      probes: [{ id: "connections", repeat: 1, steps: connections(dice, family, services, 30, true) }],
      draws: false,
    };
  });
}

/** A node that the real kube-proxy made, with connections to its virtual servers. */
export function kubeProxyCase(seed: number): KernelCase {
  const dice = diceOf(seed);
  const scenario = dice.pick(IPVS_SCENARIOS);
  const family = dice.pick(["ipv4", "ipv6"] as const);
  const state = kubeProxyNode(scenario);
  const bound = new Set(
    state.network?.interfaces?.flatMap((one) => one.addresses.map(({ address }) => address)),
  );
  // One that was there before has an address that the node has not, and meets no packets.
  const services = (state.virtualServers?.services ?? []).filter(
    ({ key }) => key.kind === "address" && familyOfService(key) === family && bound.has(key.address),
  );
  return {
    name: `${scenario} ${family} ${seed}`,
    ...nodeSpec(state, family),
    probes: [{ id: "connections", repeat: 1, steps: connections(dice, family, services, 30, true) }],
    draws: false,
  };
}

/** The node of random clusters, with the addresses that its Node object has. */
function ownNetwork(): { readonly network?: Network } {
  const families = ["ipv4", "ipv6"] as const;
  const interfaces = [
    { name: "eth0", addresses: families.map((family) => WORLD[family].node) },
    { name: "cni0", addresses: families.map((family) => WORLD[family].pods) },
  ];
  const [document] = readDocuments({ name: "network", text: JSON.stringify({ interfaces }) }).documents;
  const network = document === undefined ? undefined : readNetworkDocument(document).network;
  return network === undefined ? {} : { network };
}

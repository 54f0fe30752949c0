/** Objects → rules, as the command line asks for it: which node, which addresses, which version, and what to say of it. */
import { type Address, type Family, readAddress, readNetwork } from "../../grammar/address.js";
import {
  type ClusterModel,
  DEFAULT_PROXY_CONFIGURATION,
  type Node,
  type ProxyConfiguration,
} from "../cluster/model.js";
import { chooseNode, loneAddresses, networkOfAddresses, networkOfNode } from "../cluster/node.js";
import { withSlicesFromPods } from "../cluster/slices-from-pods.js";
import type { NodeOptions } from "../compile/common/options.js";
import type { Payload } from "../compile/common/payload.js";
import { type Compiled, compileIptables } from "../compile/iptables/compile.js";
import { compileNextSync } from "../compile/iptables/next-sync.js";
import { compileIpvs, compileNextIpvsSync } from "../compile/ipvs/compile.js";
import { NEWEST_VERSION, readVersion, VERSIONS, type Version } from "../compile/versions.js";
import { appendAll } from "../problems/append.js";
import { nearest } from "../problems/nearest.js";
import type { Problem } from "../problems/problem.js";
import type { Network } from "../state/network.js";
import { mergeStates, type NodeState } from "../state/nodestate.js";
import { UsageError } from "./exit.js";

export interface NodeFlags {
  readonly node?: string;
  readonly localIp?: readonly string[];
  readonly set?: ReadonlyMap<string, string>;
  readonly kubeProxy?: string;
}

/** The node of an answer: its object, name and network, as far as inputs and flags tell. */
export interface NodeFacts {
  readonly node: Node | undefined;
  readonly name: string | undefined;
  readonly network: Network | undefined;
  readonly problems: readonly Problem[];
}

export function nodeFacts(
  cluster: ClusterModel | undefined,
  given: Network | undefined,
  flags: NodeFlags,
): NodeFacts {
  const choice = cluster === undefined ? { problems: [] } : chooseNode(cluster, flags.node);
  const node = "node" in choice ? choice.node : undefined;
  let network = given ?? (node === undefined ? undefined : networkOfNode(node));
  const named = (flags.localIp ?? []).map(readAddress).filter((one): one is Address => one !== undefined);
  if (named.length > 0) {
    network =
      network === undefined
        ? networkOfAddresses(named)
        : {
            ...network,
            interfaces: [...(network.interfaces ?? []), { name: "", addresses: loneAddresses(named) }],
          };
  }
  return {
    node,
    name: "name" in choice ? choice.name : flags.node,
    network: withSettings(network, flags.set ?? new Map()),
    problems: choice.problems,
  };
}

/** The version that was asked for. */
export function versionOf(flags: NodeFlags): Version {
  if (flags.kubeProxy === undefined) return NEWEST_VERSION;
  const version = readVersion(flags.kubeProxy);
  if (version === undefined) {
    throw new UsageError(
      `landfall does not know kube-proxy ${flags.kubeProxy}`,
      `it knows ${VERSIONS.join(", ")}; \`landfall versions\` tells what changed when`,
      "LF5007",
    );
  }
  return version;
}

export interface CompilingRequest {
  readonly cluster: ClusterModel;
  /** The cluster after a change, and its node: the sync that follows is compiled. */
  readonly then?: { readonly cluster: ClusterModel; readonly facts: NodeFacts } | undefined;
  readonly facts: NodeFacts;
  readonly flags: NodeFlags;
  /** What the node has before. */
  readonly onto?: NodeState | undefined;
}

/** Compiles the rules of one family in iptables mode, with notes on all that was left to defaults. */
function compileFor(request: CompilingRequest & { readonly family: Family }): Compiled {
  const { cluster, then, facts, onto, family } = request;
  const options = { ...nodeOptions(request), family, onto: onto?.rulesets[family] };
  const compiled =
    then === undefined
      ? compileIptables(cluster, options)
      : compileNextSync(cluster, then.cluster, options, facts.node);
  return { ...compiled, problems: [...compiled.problems, ...defaultsTaken(request)] };
}

/** What a sync of kube-proxy makes of a node, whatever its mode. */
export interface Compilation {
  readonly mode: "iptables" | "ipvs";
  /** What it sends to iptables-restore. */
  readonly payloads: { readonly [F in Family]?: Payload };
  /** The node after it. */
  readonly state: NodeState;
  readonly problems: readonly Problem[];
}

/** Compiles for one node and some families, in the mode that its configuration names. */
export function compileNode(
  request: CompilingRequest,
  mode: Compilation["mode"],
  families: readonly Family[],
): Compilation {
  const { cluster, then, facts, onto } = request;
  if (mode === "ipvs") {
    const options = { ...nodeOptions(request), families, onto };
    const { payloads, state, problems } =
      then === undefined
        ? compileIpvs(cluster, options)
        : compileNextIpvsSync(cluster, then.cluster, options, facts.node);
    return { mode, payloads, state, problems: [...problems, ...defaultsTaken(request)] };
  }
  const compiled = families.map((family) => compileFor({ ...request, family }));
  return {
    mode,
    payloads: Object.fromEntries(compiled.map(({ family, payload }) => [family, payload])),
    state: mergeStates(compiled.map(({ state }) => state)),
    problems: compiled.flatMap(({ problems }) => problems),
  };
}

function nodeOptions({ then, facts, flags }: CompilingRequest): NodeOptions {
  const { node, name, network } = then?.facts ?? facts;
  return {
    version: versionOf(flags),
    node,
    nodeName: name,
    network,
    facts: {
      nfacct: flags.set?.get("nfacct") !== "false",
      kubelet: flags.set?.get("kubelet") === "true",
    },
  };
}

function defaultsTaken({ cluster, facts }: CompilingRequest): readonly Problem[] {
  const notes: string[] = [];
  if (cluster.proxy === undefined)
    notes.push("no KubeProxyConfiguration was given: kube-proxy's own defaults are used");
  if (facts.name === undefined)
    notes.push("no Node was given: no endpoint is local, and the node has no addresses");
  const asNote = (message: string): Problem => ({ code: "LF2010", severity: "note", message });
  return notes.map(asNote);
}

/** The cluster with slices derived from its Pods where it has none; what that took is told. */
export function withSlices(cluster: ClusterModel, problems: Problem[]): ClusterModel {
  const derived = withSlicesFromPods(cluster);
  appendAll(problems, derived.problems);
  return derived.model;
}

/** `--mode` goes before that of the configuration. */
export function withMode(cluster: ClusterModel, mode: ProxyConfiguration["mode"] | undefined): ClusterModel {
  return mode === undefined
    ? cluster
    : { ...cluster, proxy: { ...(cluster.proxy ?? DEFAULT_PROXY_CONFIGURATION), mode } };
}

export function familyWord(family: Family): string {
  return family === "ipv4" ? "IPv4" : "IPv6";
}

/** `--set`: `nfacct` and `kubelet` (its chains are there before) for compiling, sysctls by their names, `masquerade=ADDRESS`, `route=TO [via ADDRESS] dev NAME`. */
function withSettings(
  network: Network | undefined,
  settings: ReadonlyMap<string, string>,
): Network | undefined {
  let result = network;
  for (const [key, value] of settings) {
    if (key === "nfacct" || key === "kubelet") {
      if (value !== "true" && value !== "false")
        throw new UsageError(`--set ${key} is true or false, not ${value}`);
    } else if (key === "masquerade") {
      const address = readAddress(value);
      if (address === undefined) throw new UsageError(`--set masquerade needs an address, not ${value}`);
      result = { sysctls: new Map(), ...result, masquerade: [...(result?.masquerade ?? []), address] };
    } else if (key === "route") {
      result = { sysctls: new Map(), ...result, routes: [...(result?.routes ?? []), routeOf(value)] };
    } else if (/^net[./]/.test(key)) {
      const sysctls = new Map(result?.sysctls ?? []).set(key.replaceAll("/", "."), value);
      result = { ...result, sysctls };
    } else {
      const near = nearest(key, ["nfacct", "kubelet", "masquerade", "route"]);
      throw new UsageError(
        `--set does not know ${key}`,
        near === undefined
          ? "facts are nfacct, kubelet, masquerade, route, and sysctls such as net.ipv4.ip_forward"
          : `did you mean ${near}?`,
      );
    }
  }
  return result;
}

function routeOf(text: string): NonNullable<Network["routes"]>[number] {
  const found = /^(\S+)(?: via (\S+))?(?: dev (\S+))?(?: src (\S+))?$/.exec(text.trim());
  const [, to = "", via, dev, src] = found ?? [];
  const gateway = via === undefined ? undefined : readAddress(via);
  const source = src === undefined ? undefined : readAddress(src);
  const everywhere = via?.includes(":") ? "::/0" : "0.0.0.0/0";
  const network = readNetwork(to === "default" ? everywhere : to);
  if (network === undefined || (via !== undefined && gateway === undefined)) {
    throw new UsageError(
      `--set route cannot be read: ${text}`,
      "for example --set 'route=10.244.2.0/24 via 10.0.1.51 dev eth0'",
    );
  }
  return {
    type: "unicast",
    to: network,
    ...(gateway === undefined ? {} : { via: gateway }),
    ...(dev === undefined ? {} : { dev }),
    ...(source === undefined ? {} : { src: source }),
  };
}

/** ClusterModel → what kube-proxy in IPVS mode makes of one node, in both families. */
import type { Family } from "../../../grammar/address.js";
import { DUMMY_INTERFACE } from "../../cluster/ipvs-names.js";
import type { ClusterModel, Node } from "../../cluster/model.js";
import { networkOfNode } from "../../cluster/node.js";
import { appendAll } from "../../problems/append.js";
import type { Problem } from "../../problems/problem.js";
import type { Network } from "../../state/network.js";
import type { NodeState } from "../../state/nodestate.js";
import { configurationRemarks, noNodePortAddress } from "../common/configuration-remarks.js";
import { kubeletRules } from "../common/kubelet.js";
import { rulesAfterSync } from "../common/node.js";
import { basisOf, type NodeOptions } from "../common/options.js";
import type { Payload } from "../common/payload.js";
import { servicePorts } from "../common/services.js";
import { NEWEST_VERSION, type Version } from "../versions.js";
import { nodeAddresses, withBoundAddresses } from "./addresses.js";
import { filterTable } from "./filter.js";
import { links } from "./links.js";
import { natTable } from "./nat.js";
import { tableAfterSync } from "./servers.js";
import { wantedOf } from "./services.js";
import { setsAfterSync } from "./sets.js";
import { sysctls } from "./sysctls.js";

export interface IpvsOptions extends NodeOptions {
  /** Default: both, as on every node whose kernel has both. */
  readonly families?: readonly Family[];
  /** What the node has before; default: nothing. Its network counts when no other is given. */
  readonly onto?: NodeState | undefined;
}

export interface CompiledIpvs {
  readonly version: Version;
  readonly families: readonly Family[];
  /** What the sync sends to iptables-restore. */
  readonly payloads: { readonly [F in Family]?: Payload };
  /** The node after it. */
  readonly state: NodeState;
  /** Notes and warnings; compiling itself cannot fail. */
  readonly problems: readonly Problem[];
}

/** Compiles as kube-proxy's first sync does; Services are walked in the byte order of their names. */
export function compileIpvs(model: ClusterModel, options: IpvsOptions = {}): CompiledIpvs {
  const { node, onto } = options;
  const network = options.network ?? onto?.network ?? (node === undefined ? undefined : networkOfNode(node));
  return synced(model, options, withNetwork(onto ?? { rulesets: {} }, network), true);
}

/**
 * The sync after a change: `before` was compiled first, then the cluster became `after`. `options.node` and its network
 * are those after the change, `nodeBefore` is the node before it.
 */
export function compileNextIpvsSync(
  before: ClusterModel,
  after: ClusterModel,
  options: IpvsOptions = {},
  nodeBefore: Node | undefined = options.node,
): CompiledIpvs {
  const { state } = compileIpvs(before, { ...options, node: nodeBefore });
  const { node } = options;
  const network = options.network ?? (node === undefined ? undefined : networkOfNode(node));
  const dummy = (state.network?.interfaces ?? []).filter(({ name }) => name === DUMMY_INTERFACE);
  const others = (network?.interfaces ?? []).filter(({ name }) => name !== DUMMY_INTERFACE);
  const sysctlsBefore = [...(state.network?.sysctls ?? []), ...(network?.sysctls ?? [])];
  const joined = { ...network, interfaces: [...others, ...dummy], sysctls: new Map(sysctlsBefore) };
  return synced(after, options, { ...state, network: joined }, false);
}

function withNetwork(state: NodeState, network: Network | undefined): NodeState {
  return network === undefined ? state : { ...state, network };
}

function synced(model: ClusterModel, options: IpvsOptions, before: NodeState, first: boolean): CompiledIpvs {
  const families = options.families ?? ["ipv4", "ipv6"];
  const problems: Problem[] = [];
  const payloads: { [F in Family]?: Payload } = {};
  let state = before;
  for (const family of families) {
    const sync = syncFamily(model, options, state, family, first);
    ({ state } = sync);
    payloads[family] = sync.payload;
    appendAll(problems, sync.problems);
  }
  const { version = NEWEST_VERSION } = options;
  return { version, families, payloads, state, problems: withoutRepeats(problems) };
}

/** Each family's proxier says the same of the configuration. */
function withoutRepeats(problems: readonly Problem[]): readonly Problem[] {
  return [...new Map(problems.map((problem) => [`${problem.code} ${problem.message}`, problem])).values()];
}

interface FamilySync {
  readonly payload: Payload;
  readonly state: NodeState;
  readonly problems: readonly Problem[];
}

/** What the proxier of one family does, after that of the other may have done its part. */
function syncFamily(
  model: ClusterModel,
  options: IpvsOptions,
  before: NodeState,
  family: Family,
  first: boolean,
): FamilySync {
  const { network } = before;
  const { context, version } = basisOf(model, { ...options, network }, family);
  const addresses = nodeAddresses(context, network);
  const wanted = wantedOf(servicePorts(model, context), addresses, context);
  const payload: Payload = {
    tables: [
      { name: "nat", ...natTable(wanted.entries, context) },
      { name: "filter", ...filterTable(wanted.entries, wanted.keptOut, context) },
    ],
  };
  const there =
    before.rulesets[family] ?? (options.facts?.kubelet === true ? kubeletRules(context) : undefined);
  const rules = rulesAfterSync(payload, links(context), family, there);
  const sets = setsAfterSync(before.sets ?? new Map(), wanted.entries, context.behaviour);
  const problems = [...configurationRemarks(context, version), ...wanted.problems.values()];
  const { nodePorts } = context;
  if (nodePorts.kind === "some" && addresses.nodePorts.length === 0)
    problems.push(noNodePortAddress(context));
  return {
    payload,
    state: {
      ...before,
      rulesets: { ...before.rulesets, [family]: rules.ruleset },
      network: {
        ...network,
        interfaces: withBoundAddresses(network?.interfaces ?? [], wanted.bound, family),
        sysctls: new Map([...(network?.sysctls ?? []), ...sysctls(context.proxy)]),
      },
      sets: sets.sets,
      virtualServers: tableAfterSync(before.virtualServers, wanted.servers, context, first),
    },
    problems: [...problems, ...sets.problems, ...rules.refused],
  };
}

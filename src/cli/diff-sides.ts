/** What `diff` compares: two dumps, objects as rules, or the same objects compiled in two ways. */
import type { ClusterModel, ProxyConfiguration } from "../cluster/model.js";
import { DEFAULT_PROXY_CONFIGURATION } from "../cluster/model.js";
import { familiesOf } from "../compile/common/families.js";
import { makeSide, type Side } from "../diff/side.js";
import { appendAll } from "../problems/append.js";
import { hasErrors, type Problem } from "../problems/problem.js";
import type { NodeState } from "../state/nodestate.js";
import type { TextKind } from "../text/segments.js";
import type { CommonFlags } from "./common.js";
import { compileNode, type NodeFlags, nodeFacts, versionOf, withSlices } from "./compiling.js";
import { UsageError } from "./exit.js";
import { hasRules, readInputs, readState } from "./inputs.js";
import type { IO } from "./io.js";

export interface SidesFlags extends CommonFlags, NodeFlags {
  readonly as?: TextKind;
  /** One mode, or `iptables..ipvs`. */
  readonly mode?: string;
}

export interface Sides {
  readonly left: Side;
  readonly right: Side;
}

const DIFF_USAGE = "landfall diff A B, or landfall diff --kube-proxy 1.27..1.30 objects.yaml";

/** Reads and compiles both sides; problems are added. Undefined when they hold an error. `others`: words that are no files. */
export async function readSides(
  files: readonly string[],
  others: readonly string[],
  flags: SidesFlags,
  io: IO,
  problems: Problem[],
): Promise<Sides | undefined> {
  const parts = sidesOf(files, others, flags);
  const [left, right] = [await readSide(parts.left, io, problems), await readSide(parts.right, io, problems)];
  // Objects that both sides share have the same faults.
  const seen = new Set<string>();
  const once = problems.filter(
    (problem) => !seen.has(JSON.stringify(problem)) && seen.add(JSON.stringify(problem)),
  );
  problems.length = 0;
  appendAll(problems, once);
  if (hasErrors(problems) || left === undefined || right === undefined) return undefined;
  const [one, other] = withEqualFacts(left, right, parts, problems);
  return { left: makeSide(parts.left.name, one), right: makeSide(parts.right.name, other) };
}

interface SideRequest {
  readonly name: string;
  readonly inputs: readonly string[];
  readonly flags: SidesFlags & { readonly mode?: ProxyConfiguration["mode"] };
}

function sidesOf(
  files: readonly string[],
  others: readonly string[],
  flags: SidesFlags,
): { left: SideRequest; right: SideRequest } {
  const shared = flags.file ?? [];
  const versions = splitRange("--kube-proxy", flags.kubeProxy);
  const modes = splitRange("--mode", flags.mode);
  for (const mode of modes) {
    if (mode !== undefined && !MODES.includes(mode as ProxyConfiguration["mode"]))
      throw new UsageError(`there is no mode ${mode}`, `the modes are ${MODES.join(", ")}`);
  }
  const isRange = versions[0] !== versions[1] || modes[0] !== modes[1];
  const side = (index: 0 | 1, name: string, inputs: readonly string[]): SideRequest => {
    const { kubeProxy: _kubeProxy, mode: _mode, ...rest } = flags;
    const [kubeProxy, mode] = [versions[index], modes[index] as ProxyConfiguration["mode"] | undefined];
    const own = {
      ...(kubeProxy === undefined ? {} : { kubeProxy }),
      ...(mode === undefined ? {} : { mode }),
    };
    versionOf(own);
    return { name, inputs, flags: { ...rest, ...own } };
  };
  if (isRange) {
    const inputs = [...files, ...shared];
    if (inputs.length === 0) throw new UsageError("no objects were named to compile", DIFF_USAGE);
    const names = ([0, 1] as const).map((index) =>
      [
        ...(versions[0] === versions[1] ? [] : [`kube-proxy ${versions[index]}`]),
        ...(modes[0] === modes[1] ? [] : [`mode ${modes[index]}`]),
      ].join(", "),
    );
    return { left: side(0, names[0] ?? "", inputs), right: side(1, names[1] ?? "", inputs) };
  }
  const named = files.length === 2 ? files : [...files, ...shared];
  const [left, right] = named;
  if ((left === undefined || right === undefined) && others[0] !== undefined)
    throw new UsageError(`there is no file ${others[0]}`, DIFF_USAGE);
  if (left === undefined || right === undefined || named.length > 2) {
    throw new UsageError(
      `diff compares two sides, and ${named.length === 0 ? "none" : named.length} ${named.length === 1 ? "was" : "were"} named`,
      named.length > 2
        ? "put the texts of one node into one file, folder or archive; what belongs to both sides goes behind -f"
        : DIFF_USAGE,
    );
  }
  if (left === "-" && right === "-") throw new UsageError("standard input cannot be both sides");
  const both = files.length === 2 ? shared : [];
  return { left: side(0, nameOf(left), [left, ...both]), right: side(1, nameOf(right), [right, ...both]) };
}

const MODES: readonly ProxyConfiguration["mode"][] = ["iptables", "ipvs", "nftables"];

function nameOf(input: string): string {
  return input === "-" ? "standard input" : input;
}

/** `A..B` as two, anything else as the same twice. */
function splitRange(
  flag: string,
  text: string | undefined,
): readonly [string | undefined, string | undefined] {
  const at = text?.indexOf("..") ?? -1;
  if (text === undefined || at < 0) return [text, text];
  const [left, right] = [text.slice(0, at), text.slice(at + 2)];
  if (left === "" || right === "") throw new UsageError(`${flag} takes A..B, not ${text}`, DIFF_USAGE);
  return [left, right];
}

/** One side: the rules among its inputs, or those that kube-proxy writes for its objects. */
async function readSide(
  { inputs: names, flags }: SideRequest,
  io: IO,
  problems: Problem[],
): Promise<NodeState | undefined> {
  const inputs = await readInputs(names, io, flags.as);
  appendAll(problems, inputs.problems);
  const dumped = readState(inputs, problems);
  const isLive = hasRules(inputs) || dumped.virtualServers !== undefined;
  const cluster =
    inputs.cluster === undefined || isLive
      ? inputs.cluster
      : withMode(withSlices(inputs.cluster, problems), flags.mode);
  const facts = nodeFacts(cluster, dumped.network, flags);
  // Objects beside a dump only tell of the node.
  appendAll(
    problems,
    facts.problems.map((one): Problem => (isLive ? { ...one, severity: "note" } : one)),
  );
  if (isLive) return facts.network === undefined ? dumped : { ...dumped, network: facts.network };
  if (cluster === undefined) {
    if (!hasErrors(problems)) {
      problems.push({
        code: "LF1034",
        severity: "error",
        message: `${names.map(nameOf).join(", ")}: no input holds rules, virtual servers or objects`,
        help: `for example: ${DIFF_USAGE}`,
      });
    }
    return undefined;
  }
  const { mode, place } = cluster.proxy ?? DEFAULT_PROXY_CONFIGURATION;
  if (mode === "nftables") {
    problems.push({
      code: "LF5011",
      severity: "error",
      message: "landfall does not write the rules of mode nftables yet",
      ...(place === undefined || flags.mode !== undefined ? {} : { place }),
      help: "it compares what the modes iptables and ipvs program",
    });
    return undefined;
  }
  if (hasErrors(problems)) return undefined;
  const families = familiesOf(cluster, facts.node);
  const compiled = compileNode({ cluster, facts, flags }, mode, families.length === 0 ? ["ipv4"] : families);
  appendAll(problems, compiled.problems);
  const { rulesets: _none, network: _merged, ...present } = dumped;
  return { ...present, ...compiled.state };
}

function withMode(cluster: ClusterModel, mode: ProxyConfiguration["mode"] | undefined): ClusterModel {
  return mode === undefined
    ? cluster
    : { ...cluster, proxy: { ...(cluster.proxy ?? DEFAULT_PROXY_CONFIGURATION), mode } };
}

/** A side that tells nothing of its node's addresses is taken to be the node of the other one. */
function withEqualFacts(
  left: NodeState,
  right: NodeState,
  names: { readonly left: SideRequest; readonly right: SideRequest },
  problems: Problem[],
): readonly [NodeState, NodeState] {
  const known = [left, right].map(({ network }) => network?.interfaces !== undefined);
  if (known[0] === known[1]) return [left, right];
  const [lacking, telling] = known[0] ? [names.right, names.left] : [names.left, names.right];
  problems.push({
    code: "LF2001",
    severity: "note",
    message: `${lacking.name} tells no addresses of its node: those of ${telling.name} are taken`,
  });
  const network = (known[0] ? left : right).network;
  if (network === undefined) return [left, right];
  const given = (state: NodeState): NodeState => ({
    ...state,
    network: {
      ...network,
      ...state.network,
      sysctls: new Map([...network.sysctls, ...(state.network?.sysctls ?? [])]),
    },
  });
  return known[0] ? [left, given(right)] : [given(left), right];
}

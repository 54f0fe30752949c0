/** What `diff` compares: two dumps, objects as rules, or the same objects compiled in two ways. */
import type { ClusterModel, ProxyConfiguration } from "../cluster/model.js";
import { DEFAULT_PROXY_CONFIGURATION } from "../cluster/model.js";
import { familiesOf } from "../compile/common/families.js";
import { makeSide, type Side } from "../diff/side.js";
import { appendAll } from "../problems/append.js";
import { nearest } from "../problems/nearest.js";
import { hasErrors, type Problem, type Source } from "../problems/problem.js";
import type { NodeState } from "../state/nodestate.js";
import { dumpsIn } from "../text/dumps.js";
import type { TextKind } from "../text/segments.js";
import type { CommonFlags } from "./common.js";
import { compileNode, type NodeFlags, nodeFacts, versionOf, withMode, withSlices } from "./compiling.js";
import { NoInputError, UsageError } from "./exit.js";
import {
  hasRules,
  type Inputs,
  inputsIn,
  readInputs,
  readSource,
  readState,
  withStdinOnce,
} from "./inputs.js";
import type { IO } from "./io.js";

export interface SidesFlags extends CommonFlags, NodeFlags {
  readonly as?: TextKind;
  /** One mode, or `iptables..ipvs`. */
  readonly mode?: string;
}

export interface Sides {
  readonly left: Side;
  readonly right: Side;
  /** The objects of both sides; undefined when none were given. */
  readonly cluster: ClusterModel | undefined;
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
  const parts = await requestsFor(files, others, flags, io, problems);
  const once = withStdinOnce(io);
  const inputs = [await parts.left.read(once), await parts.right.read(once)] as const;
  const [left, right] = [
    readSide(parts.left, inputs[0], problems),
    readSide(parts.right, inputs[1], problems),
  ];
  // Objects that both sides share have the same faults.
  const seen = new Set<string>();
  const distinct = problems.filter(
    (problem) => !seen.has(JSON.stringify(problem)) && seen.add(JSON.stringify(problem)),
  );
  problems.length = 0;
  appendAll(problems, distinct);
  if (hasErrors(problems) || left === undefined || right === undefined) return undefined;
  const [one, other] = withEqualFacts(left, right, parts, problems);
  const clusters = inputs.flatMap(({ cluster }) => cluster ?? []);
  return {
    left: makeSide(parts.left.name, one),
    right: makeSide(parts.right.name, other),
    cluster:
      clusters[0] === undefined
        ? undefined
        : { ...clusters[0], services: clusters.flatMap(({ services }) => services) },
  };
}

async function requestsFor(
  files: readonly string[],
  others: readonly string[],
  flags: SidesFlags,
  io: IO,
  problems: Problem[],
): Promise<Requests> {
  const { file: shared = [] } = flags;
  const sided = sidedFlags(flags);
  const isPiped = files.length === 0 && shared.length === 0 && !io.stdinIsTerminal;
  const named = isPiped ? ["-"] : files;
  const [only, ...more] = [...named, ...shared];
  const pasted =
    only === undefined || more.length > 0 || sided.names !== undefined
      ? undefined
      : await sidesInOne(only, sided, io, problems);
  return pasted ?? sidesOf(named, others, shared, sided);
}

interface SideRequest {
  readonly name: string;
  /** What its inputs are called. */
  readonly inputs: readonly string[];
  read(io: IO): Promise<Inputs>;
  readonly flags: SidesFlags & { readonly mode?: ProxyConfiguration["mode"] };
}

/** One input that holds two dumps, as pasted one after the other: they are the sides. */
async function sidesInOne(
  name: string,
  { left: flags }: SidedFlags,
  io: IO,
  problems: Problem[],
): Promise<Requests | undefined> {
  const dumps = (await readSource(name, io, problems)).flatMap(dumpsIn);
  const [left, right] = dumps;
  if (dumps.length > 2)
    throw new UsageError(`diff compares two sides, and ${nameOf(name)} holds ${dumps.length} dumps`);
  if (left === undefined || right === undefined) return undefined;
  const side = (source: Source, own: string): SideRequest => ({
    name: `${own} dump`,
    inputs: [name],
    flags,
    read: async () => inputsIn([{ sources: [source], isCollection: false }], [], flags.as),
  });
  const above = right.text.slice(0, right.text.search(/\S/)).split("\n");
  problems.push({
    code: "LF2001",
    severity: "note",
    message: `${nameOf(name)} holds two dumps, which are the two sides: the second begins in line ${above.length}`,
  });
  return { left: side(left, "first"), right: side(right, "second") };
}

interface Requests {
  readonly left: SideRequest;
  readonly right: SideRequest;
}

/** What the sides are compiled for: two versions or modes where a flag names two. */
interface SidedFlags extends Readonly<Record<"left" | "right", SideRequest["flags"]>> {
  /** What the sides are called when they are of the same inputs; undefined when the flags are of one kind. */
  readonly names: readonly [string, string] | undefined;
}

function sidedFlags(flags: SidesFlags): SidedFlags {
  const versions = splitRange("--kube-proxy", flags.kubeProxy);
  const modes = splitRange("--mode", flags.mode).map((mode) => {
    const known = MODES.find((one) => one === mode);
    if (mode === undefined || known !== undefined) return known;
    const near = nearest(mode, MODES);
    throw new UsageError(
      `there is no mode ${mode}`,
      near === undefined ? `the modes are ${MODES.join(", ")}` : `did you mean ${near}?`,
    );
  });
  const { kubeProxy: _kubeProxy, mode: _mode, ...rest } = flags;
  const side = (index: 0 | 1): SideRequest["flags"] => {
    const [kubeProxy, mode] = [versions[index], modes[index]];
    const own = {
      ...(kubeProxy === undefined ? {} : { kubeProxy }),
      ...(mode === undefined ? {} : { mode }),
    };
    versionOf(own);
    return { ...rest, ...own };
  };
  const name = (index: 0 | 1) =>
    [
      ...(versions[0] === versions[1] ? [] : [`kube-proxy ${versions[index]}`]),
      ...(modes[0] === modes[1] ? [] : [`mode ${modes[index]}`]),
    ].join(", ");
  return { left: side(0), right: side(1), names: name(0) === "" ? undefined : [name(0), name(1)] };
}

function sidesOf(
  files: readonly string[],
  others: readonly string[],
  shared: readonly string[],
  { left: leftFlags, right: rightFlags, names }: SidedFlags,
): Requests {
  const side = (name: string, inputs: readonly string[], flags: SideRequest["flags"]): SideRequest => ({
    name,
    inputs,
    flags,
    read: (io) => readInputs(inputs, io, flags.as),
  });
  if (names !== undefined) {
    const inputs = [...files, ...shared];
    if (inputs.length === 0) throw new NoInputError(DIFF_USAGE);
    return { left: side(names[0], inputs, leftFlags), right: side(names[1], inputs, rightFlags) };
  }
  const named = files.length === 2 ? files : [...files, ...shared];
  const [left, right] = named;
  if (left === undefined) throw new NoInputError(DIFF_USAGE);
  if (right === undefined && others[0] !== undefined)
    throw new UsageError(`there is no file ${others[0]}`, DIFF_USAGE);
  if (right === undefined || named.length > 2) {
    throw new UsageError(
      `diff compares two sides, and ${named.length} ${named.length === 1 ? "was" : "were"} named`,
      named.length > 2
        ? "put the texts of one node into one file, folder or archive; what belongs to both sides goes behind -f"
        : DIFF_USAGE,
    );
  }
  if (left === "-" && right === "-") throw new UsageError("standard input cannot be both sides");
  const both = files.length === 2 ? shared : [];
  return {
    left: side(nameOf(left), [left, ...both], leftFlags),
    right: side(nameOf(right), [right, ...both], rightFlags),
  };
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
function readSide(
  { inputs: names, flags }: SideRequest,
  inputs: Inputs,
  problems: Problem[],
): NodeState | undefined {
  appendAll(problems, inputs.problems);
  // Rules are compared with rules: of both back ends, those that are told of.
  const { otherRulesets: _others, ...dumped } = readState(inputs, problems);
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

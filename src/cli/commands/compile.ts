/** `landfall compile`: Services with EndpointSlices or Pods → what kube-proxy programs, as text or as a document. */
import type { Family } from "../../../grammar/address.js";
import { DUMMY_INTERFACE } from "../../cluster/ipvs-names.js";
import {
  type ClusterModel,
  DEFAULT_PROXY_CONFIGURATION,
  type ProxyConfiguration,
} from "../../cluster/model.js";
import { endpointSliceObject } from "../../cluster/objects/endpointslice.js";
import { familiesOf } from "../../compile/common/families.js";
import { printPayload } from "../../compile/common/payload.js";
import type { Version } from "../../compile/versions.js";
import { printYaml } from "../../documents/yaml.js";
import { appendAll } from "../../problems/append.js";
import { hasErrors, type Problem } from "../../problems/problem.js";
import type { Network } from "../../state/network.js";
import { printAddressLines } from "../../text/ip-addr.js";
import { printSets } from "../../text/ipset/save.js";
import { printVirtualServers } from "../../text/ipvsadm.js";
import { printRuleset } from "../../text/save.js";
import type { TextKind } from "../../text/segments.js";
import {
  assumes,
  type CommonFlags,
  type DocumentForm,
  documentText,
  exitCode,
  inputNames,
  isDocumentForm,
  report,
  say,
  write,
} from "../common.js";
import {
  type Compilation,
  compileNode,
  familyWord,
  type NodeFlags,
  nodeFacts,
  versionOf,
  withMode,
  withSlices,
} from "../compiling.js";
import { EXIT, UsageError } from "../exit.js";
import { hasRules, type Inputs, readInputs, readState } from "../inputs.js";
import type { IO } from "../io.js";
import type { CompileDocument } from "../schemas/compile.js";
import { narrowedCluster, type ServiceFlags, wantedBy } from "../service-filter.js";
import { stateDocument } from "../state-json.js";
import { clean } from "../style.js";

export interface CompileFlags extends CommonFlags, NodeFlags, ServiceFlags {
  readonly output: "restore" | "save" | IpvsOutput | "endpointslices" | DocumentForm;
  /** Before that of the configuration. */
  readonly mode?: ProxyConfiguration["mode"];
  readonly family?: Family;
  readonly out?: string;
  /** A dump of the node as it is before. */
  readonly onto?: string;
  /** Inputs of the cluster after a change. */
  readonly then?: readonly string[];
  readonly strict?: boolean;
}

export async function compile(named: readonly string[], flags: CompileFlags, io: IO): Promise<number> {
  const version = versionOf(flags);
  const names = inputNames(named, flags, io, "landfall compile FILE… -o save");
  const inputs = await readInputs(names, io);
  const problems = [...inputs.problems];
  const cluster =
    inputs.cluster === undefined
      ? undefined
      : withMode(withSlices(wantedOf(inputs.cluster, flags), problems), flags.mode);
  if (cluster === undefined && !hasErrors(problems)) {
    problems.push({
      code: "LF5008",
      severity: "error",
      message: "no Kubernetes objects were given",
      help: "compile needs Services and EndpointSlices, for example from kubectl get svc,endpointslices,nodes -A -o json",
    });
  }
  if (hasRules(inputs)) {
    problems.push({
      code: "LF2010",
      severity: "note",
      message: "rules among the inputs are not used to compile",
    });
  }
  const after = flags.then === undefined ? undefined : await readInputs(flags.then, io);
  if (after !== undefined) appendAll(problems, after.problems);
  const clusterThen =
    cluster === undefined || after === undefined ? undefined : clusterAfter(cluster, after, flags, problems);
  if (flags.output === "endpointslices" && flags.out === undefined) {
    const failed = report(problems, io, flags);
    if (failed !== undefined || cluster === undefined) return failed ?? EXIT.unreadable;
    write(io, printYaml((clusterThen ?? cluster).slices.map(endpointSliceObject)));
    return exitCode(flags, { assumed: assumes(problems) });
  }
  const there = flags.onto === undefined ? undefined : await readInputs([flags.onto], io);
  if (there !== undefined) appendAll(problems, there.problems);
  const onto = there === undefined ? undefined : readState(there, problems);
  const network = networkAmong(inputs, problems) ?? onto?.network;
  const facts = nodeFacts(cluster, network, flags);
  appendAll(problems, facts.problems);
  const networkThen = (after === undefined ? undefined : networkAmong(after, problems)) ?? network;
  const then =
    clusterThen === undefined
      ? undefined
      : { cluster: clusterThen, facts: nodeFacts(clusterThen, networkThen, flags) };
  if (then !== undefined) appendAll(problems, then.facts.problems);
  const { mode, place } = (clusterThen ?? cluster)?.proxy ?? DEFAULT_PROXY_CONFIGURATION;
  if (mode === "nftables") {
    problems.push({
      code: "LF5011",
      severity: "error",
      message: "landfall does not write the rules of mode nftables yet",
      ...(place === undefined || flags.mode !== undefined ? {} : { place }),
      help: "it writes those of the modes iptables and ipvs: --mode iptables shows what that mode would program",
    });
  }
  if (hasErrors(problems) || cluster === undefined || mode === "nftables")
    return report(problems, io, flags) ?? EXIT.unreadable;
  const isOfNode = Object.hasOwn(IPVS_FILES, flags.output);
  if (isOfNode && mode !== "ipvs") {
    throw new UsageError(
      `-o ${flags.output} is for mode ipvs, and the mode is ${mode}`,
      "give a KubeProxyConfiguration with mode: ipvs, or --mode ipvs",
    );
  }

  const every = familiesOf(cluster, facts.node);
  const [first = "ipv4"] = every;
  const all = isOfNode || flags.out !== undefined || isDocumentForm(flags.output);
  // In mode ipvs a proxier of each family runs, whether Services have it or not.
  const whole = mode === "ipvs" ? BOTH : every.length > 0 ? every : [first];
  const families = flags.family !== undefined ? [flags.family] : all ? whole : [first];
  if (flags.family === undefined && !all) appendAll(problems, otherFamilies(every.slice(1)));
  const compiled = compileNode({ cluster, then, facts, flags, onto }, mode, families);
  appendAll(problems, compiled.problems);
  report(problems, io, flags);
  const how = mode === "ipvs" ? " in mode ipvs" : "";
  const which = families.map(familyWord).join(" and ");
  say(io, flags, `kube-proxy ${version}${how}, ${which}, node ${clean(facts.name ?? "without a name")}`);
  const done = { ...compiled, families, version, node: facts.name };
  if (flags.out !== undefined) await writeAll(done, flags.out, flags, io);
  else write(io, textOf(flags.output, done, flags));
  return exitCode(flags, { assumed: assumes(problems) });
}

const BOTH: readonly Family[] = ["ipv4", "ipv6"];

/** Texts of what kube-proxy keeps outside of iptables. */
const IPVS_FILES = {
  ipvsadm: "ipvsadm-save.txt",
  ipset: "ipset-save.txt",
  addresses: "kube-ipvs0.txt",
} as const;

type IpvsOutput = keyof typeof IPVS_FILES;

const NETWORK_KINDS: readonly TextKind[] = ["interfaces", "routes", "routing-rules", "sysctls"];

/** The node's network as documents and the texts of `ip` and `sysctl` tell it. */
function networkAmong(inputs: Inputs, problems: Problem[]): Network | undefined {
  const segments = inputs.segments.filter(({ kind }) => NETWORK_KINDS.includes(kind));
  return readState({ ...inputs, segments }, problems).network;
}

function wantedOf(cluster: ClusterModel, flags: CompileFlags): ClusterModel {
  return narrowedCluster(cluster, wantedBy(flags, cluster));
}

/** The cluster after a change: what it does not say of nodes and configuration is as before. */
function clusterAfter(
  before: ClusterModel,
  after: Inputs,
  flags: CompileFlags,
  problems: Problem[],
): ClusterModel {
  const model = after.cluster ?? { services: [], slices: [], nodes: [], pods: [] };
  const whole: ClusterModel = {
    ...(before.proxy === undefined ? {} : { proxy: before.proxy }),
    ...model,
    nodes: model.nodes.length === 0 ? before.nodes : model.nodes,
  };
  return withSlices(wantedOf(whole, flags), problems);
}

function otherFamilies(others: readonly Family[]): readonly Problem[] {
  const [first] = others;
  if (first === undefined) return [];
  const flag = `--family ${first === "ipv6" ? 6 : 4}`;
  const message = `the cluster also has ${others.map(familyWord).join(", ")} (${flag})`;
  return [{ code: "LF2010", severity: "note", message }];
}

interface Done extends Compilation {
  readonly families: readonly Family[];
  readonly version: Version;
  /** The node's name. */
  readonly node: string | undefined;
}

function textOf(output: CompileFlags["output"], done: Done, flags: CompileFlags): string {
  const { families, payloads, state } = done;
  switch (output) {
    case "restore":
      return families.map((family) => printPayload(payloads[family] ?? { tables: [] })).join("");
    case "save":
      return families.map((family) => saveText(family, done, flags)).join("");
    case "ipvsadm":
      return printVirtualServers(state.virtualServers?.services ?? []);
    case "ipset":
      return printSets(state.sets ?? new Map());
    case "addresses": {
      const interfaces = state.network?.interfaces ?? [];
      const at = interfaces.findIndex(({ name }) => name === DUMMY_INTERFACE);
      return interfaces
        .slice(at, at + 1)
        .map((one) => printAddressLines(one, at + 1))
        .join("");
    }
    case "endpointslices":
      return "";
    case "json":
    case "ndjson":
    case "yaml":
      return documentText(compileDocument(done), output);
  }
}

async function writeAll(done: Done, folder: string, flags: CompileFlags, io: IO): Promise<void> {
  const write = async (name: string, text: string): Promise<void> => {
    try {
      await io.writeFile(folder, name, text);
    } catch (error) {
      const { code = "" } = error as { readonly code?: string };
      throw new UsageError(`${name} cannot be written into ${folder}: ${WRITE_ERRORS[code] ?? code}`);
    }
  };
  for (const family of done.families) {
    const one = { ...done, families: [family] };
    await write(`iptables-restore.${family}.txt`, textOf("restore", one, flags));
    await write(`iptables-save.${family}.txt`, textOf("save", one, flags));
  }
  if (done.mode !== "ipvs") return;
  for (const output of ["ipvsadm", "ipset", "addresses"] as const)
    await write(IPVS_FILES[output], textOf(output, done, flags));
}

const WRITE_ERRORS: Readonly<Record<string, string>> = {
  EACCES: "permission denied",
  ENOENT: "there is no such folder, and none can be made",
  ENOSPC: "there is no room left",
  ENOTDIR: "a part of the path is no folder",
  EROFS: "nothing can be written there",
};

function compileDocument({ version, mode, node, state }: Done): CompileDocument {
  return {
    schema: "landfall/compile@1",
    kubeProxy: version,
    mode,
    node: node ?? null,
    state: stateDocument(state),
  };
}

/**
 * What iptables-save prints afterwards; the first line tells readers the family, without a date that would differ. A dump
 * that was there has such a line of its own.
 */
function saveText(family: Family, { version, state }: Done, flags: CompileFlags): string {
  const ruleset = state.rulesets[family];
  const text = ruleset === undefined ? "" : printRuleset(ruleset);
  if (flags.onto !== undefined && text.startsWith("#")) return text;
  const program = family === "ipv4" ? "iptables-save" : "ip6tables-save";
  return `# Generated by ${program}, as after kube-proxy ${version} (landfall)\n${text}`;
}

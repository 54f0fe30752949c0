/** `landfall compile`: Services with EndpointSlices or Pods → what kube-proxy programs, as text or as a document. */

import type { Family } from "../../../grammar/address.js";
import type { ClusterModel } from "../../cluster/model.js";
import { endpointSliceObject } from "../../cluster/objects/endpointslice.js";
import { type Compiled, familiesOf } from "../../compile/iptables/compile.js";
import { printPayload } from "../../compile/iptables/payload.js";
import type { Version } from "../../compile/versions.js";
import { printYaml } from "../../documents/yaml.js";
import { appendAll } from "../../problems/append.js";
import { hasErrors, type Problem } from "../../problems/problem.js";
import { mergeStates } from "../../state/nodestate.js";
import { printRuleset } from "../../text/save.js";
import { type CommonFlags, inputNames, report, say } from "../common.js";
import {
  compileFor,
  familyWord,
  type NodeFacts,
  type NodeFlags,
  nodeFacts,
  versionOf,
  withSlices,
} from "../compiling.js";
import { EXIT } from "../exit.js";
import { hasRules, type Inputs, readInputs, readState } from "../inputs.js";
import type { IO } from "../io.js";
import type { CompileDocument } from "../schemas.js";
import { stateDocument } from "../state-json.js";
import { clean } from "../style.js";

export interface CompileFlags extends CommonFlags, NodeFlags {
  readonly output: "restore" | "save" | "endpointslices" | "json";
  readonly family?: Family;
  readonly out?: string;
  /** A dump of the node as it is before. */
  readonly onto?: string;
  /** Inputs of the cluster after a change. */
  readonly then?: readonly string[];
}

export async function compile(named: readonly string[], flags: CompileFlags, io: IO): Promise<number> {
  const version = versionOf(flags);
  const names = inputNames(named, flags, io, "landfall compile FILE… -o save");
  const inputs = await readInputs(names, io);
  const problems = [...inputs.problems];
  const cluster = inputs.cluster === undefined ? undefined : withSlices(inputs.cluster, problems);
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
    cluster === undefined || after === undefined ? undefined : clusterAfter(cluster, after, problems);
  if (flags.output === "endpointslices" && flags.out === undefined) {
    const failed = report(problems, io, flags);
    if (failed !== undefined || cluster === undefined) return failed ?? EXIT.unreadable;
    write(io, printYaml((clusterThen ?? cluster).slices.map(endpointSliceObject)));
    return EXIT.done;
  }
  const facts = nodeFacts(cluster, inputs.network, flags);
  appendAll(problems, facts.problems);
  const then =
    clusterThen === undefined
      ? undefined
      : { cluster: clusterThen, facts: nodeFacts(clusterThen, after?.network ?? inputs.network, flags) };
  if (then !== undefined) appendAll(problems, then.facts.problems);
  const there = flags.onto === undefined ? undefined : await readInputs([flags.onto], io);
  if (there !== undefined) appendAll(problems, there.problems);
  const onto = there === undefined ? undefined : readState(there, problems);
  if (hasErrors(problems) || cluster === undefined) return report(problems, io, flags) ?? EXIT.unreadable;

  const every = familiesOf(cluster, facts.node);
  const all = flags.out !== undefined || flags.output === "json";
  const [first = "ipv4"] = every;
  const families = flags.family !== undefined ? [flags.family] : all && every.length > 0 ? every : [first];
  const remarks = flags.family === undefined && !all ? otherFamilies(every.slice(1)) : [];
  const compiled = families.map((family) =>
    compileFor({
      cluster,
      then,
      facts,
      flags,
      family,
      ...(onto === undefined ? {} : { onto: onto.rulesets }),
    }),
  );
  appendAll(problems, remarks);
  for (const one of compiled) appendAll(problems, one.problems);
  report(problems, io, flags);
  const which = compiled.map(({ family }) => familyWord(family)).join(" and ");
  say(io, flags, `kube-proxy ${version}, ${which}, node ${clean(facts.name ?? "without a name")}`);
  if (flags.out !== undefined) await writeAll(compiled, flags.out, flags, io);
  else if (flags.output === "json") write(io, jsonText(compiled, facts, version));
  else for (const one of compiled) write(io, textOf(one, flags));
  return EXIT.done;
}

/** The cluster after a change: what it does not say of nodes and configuration is as before. */
function clusterAfter(before: ClusterModel, after: Inputs, problems: Problem[]): ClusterModel {
  const model = after.cluster ?? { services: [], slices: [], nodes: [], pods: [] };
  const whole: ClusterModel = {
    ...(before.proxy === undefined ? {} : { proxy: before.proxy }),
    ...model,
    nodes: model.nodes.length === 0 ? before.nodes : model.nodes,
  };
  return withSlices(whole, problems);
}

function otherFamilies(others: readonly Family[]): readonly Problem[] {
  const [first] = others;
  if (first === undefined) return [];
  const flag = `--family ${first === "ipv6" ? 6 : 4}`;
  const message = `the cluster also has ${others.map(familyWord).join(", ")} (${flag})`;
  return [{ code: "LF2010", severity: "note", message }];
}

function textOf(compiled: Compiled, flags: CompileFlags): string {
  return flags.output === "restore" ? printPayload(compiled.payload) : saveText(compiled, flags);
}

function write(io: IO, text: string): void {
  io.stdout.write(io.stdout.isTerminal ? clean(text, true) : text);
}

async function writeAll(
  compiled: readonly Compiled[],
  folder: string,
  flags: CompileFlags,
  io: IO,
): Promise<void> {
  for (const one of compiled) {
    await io.writeFile(folder, `iptables-restore.${one.family}.txt`, printPayload(one.payload));
    await io.writeFile(folder, `iptables-save.${one.family}.txt`, saveText(one, flags));
  }
}

function jsonText(compiled: readonly Compiled[], { name }: NodeFacts, version: Version): string {
  const document: CompileDocument = {
    schema: "landfall/compile@1",
    kubeProxy: version,
    mode: "iptables",
    node: name ?? null,
    state: stateDocument(mergeStates(compiled.map(({ state }) => state))),
  };
  return `${JSON.stringify(document)}\n`;
}

/**
 * What iptables-save prints afterwards; the first line tells readers the family, without a date that would differ. A dump
 * that was there has such a line of its own.
 */
function saveText({ family, version, state }: Compiled, flags: CompileFlags): string {
  const ruleset = state.rulesets[family];
  if (flags.onto !== undefined) return ruleset === undefined ? "" : printRuleset(ruleset);
  const program = family === "ipv4" ? "iptables-save" : "ip6tables-save";
  return `# Generated by ${program}, as after kube-proxy ${version} (landfall)\n${ruleset === undefined ? "" : printRuleset(ruleset)}`;
}

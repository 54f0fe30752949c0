/** Files and standard input → texts of a known kind. */

import type { Family } from "../../grammar/address.js";
import type { ClusterModel } from "../cluster/model.js";
import { isNetworkDocument, readNetworkDocument } from "../cluster/network.js";
import { readCluster } from "../cluster/read.js";
import type { Document } from "../documents/document.js";
import { readDocuments } from "../documents/read.js";
import { appendAll } from "../problems/append.js";
import { type Problem, placeInLine, type Source } from "../problems/problem.js";
import { backEndOf } from "../state/back-end.js";
import { joinNetworks, type Network } from "../state/network.js";
import { isIdle, mergeStates, type NodeState } from "../state/nodestate.js";
import type { Ruleset } from "../state/rules.js";
import { complaintIn } from "../text/complaints.js";
import { type NodeText, type NodeTextOptions, readNodeText } from "../text/read.js";
import { type Segment, segmentsOf, type TextKind } from "../text/segments.js";
import type { IO } from "./io.js";
import { type PackedFile, UnpackError, unpack } from "./unpack.js";

/** What the named inputs hold. */
export interface Inputs {
  /** Texts of a node, in the order in which they came. */
  readonly segments: readonly Segment[];
  /** Absent when no objects were given. */
  readonly cluster?: ClusterModel;
  /** Of network documents. */
  readonly network?: Network;
  readonly problems: readonly Problem[];
}

/** Reads all inputs; `-` is standard input, a folder or an archive stands for its files. `as` forces the kind. */
export async function readInputs(names: readonly string[], io: IO, as?: TextKind): Promise<Inputs> {
  const problems: Problem[] = [];
  const read: Sources[] = [];
  for (const name of names) read.push(await readSources(name, io, problems));
  return inputsIn(read, problems, as);
}

/** What texts hold that were read already; to `problems` theirs are added. */
export function inputsIn(read: readonly Sources[], problems: Problem[], as?: TextKind): Inputs {
  const segments: Segment[] = [];
  const documents: Document[] = [];
  for (const { sources, isCollection } of read) {
    for (const source of sources) {
      const parts = as === undefined ? segmentsOf(source) : [{ kind: as, source }];
      if (parts.length === 0) problems.push(complaintIn(source) ?? unrecognised(source, isCollection));
      for (const part of parts) {
        if (part.kind !== "documents") segments.push(part);
        else {
          const read = readDocuments(part.source);
          appendAll(documents, read.documents);
          appendAll(problems, read.problems);
        }
      }
    }
  }
  const networks: Network[] = [];
  for (const document of documents.filter(isNetworkDocument)) {
    const read = readNetworkDocument(document);
    appendAll(problems, read.problems);
    if (read.network !== undefined) networks.push(read.network);
  }
  const objects = documents.filter((document) => !isNetworkDocument(document));
  const cluster = objects.length === 0 ? undefined : readCluster(objects);
  if (cluster !== undefined) appendAll(problems, cluster.problems);
  return {
    segments,
    ...(cluster === undefined ? {} : { cluster: cluster.model }),
    ...(networks.length === 0 ? {} : { network: joinNetworks(networks) }),
    problems,
  };
}

/** A world whose standard input can be read more than once. */
export function withStdinOnce(io: IO): IO {
  let read: Promise<Uint8Array> | undefined;
  return {
    ...io,
    readStdin: () => {
      read ??= io.readStdin();
      return read;
    },
  };
}

/** Whether rules are among the inputs. */
export function hasRules({ segments }: Inputs): boolean {
  return segments.some(({ kind }) => kind === "rules");
}

/** The texts of a node, read; their problems are added. */
export function readTexts(
  { segments }: Inputs,
  problems: Problem[],
  options: NodeTextOptions = {},
): readonly NodeText[] {
  return segments.flatMap((segment) => {
    const texts = readNodeText(segment, options);
    for (const text of texts) appendAll(problems, text.problems);
    return texts;
  });
}

/** All that the inputs tell of one node; problems are added. */
export function readState(inputs: Inputs, problems: Problem[], options: NodeTextOptions = {}): NodeState {
  const texts = readTexts(inputs, problems, options);
  const state = mergeStates([
    ...texts.map(({ state: own }) => own),
    ...(inputs.network === undefined ? [] : [{ rulesets: {}, network: inputs.network }]),
  ]);
  for (const family of ["ipv4", "ipv6"] as const) {
    const given = texts.flatMap(({ state: own }) => own.rulesets[family] ?? []);
    const [told, other] = [state.rulesets[family], state.otherRulesets?.[family]];
    if (told !== undefined && other !== undefined) problems.push(bothBackEnds(told));
    const isUsed = (one: Ruleset) => one === told || one === other;
    // Empty tables of the other back end are of no use, and no loss.
    const isLost = (one: Ruleset) => !isUsed(one) && !(isIdle(one) && isOfOther(one, told));
    if (given.some(isLost)) problems.push(rulesTwice(family, given.length));
  }
  return state;
}

function isOfOther(one: Ruleset, told: Ruleset | undefined): boolean {
  const [own, other] = [backEndOf(one), told && backEndOf(told)];
  return own !== undefined && other !== undefined && own !== other;
}

function bothBackEnds(told: Ruleset): Problem {
  const tool = told.family === "ipv4" ? "iptables" : "ip6tables";
  return {
    code: "LF1023",
    severity: "warning",
    message: `${tool}-legacy and ${tool}-nft both hold rules: packets are traced through both, and all else is told of those of ${tool}-${backEndOf(told)}`,
    help: `\`landfall lint\` has more about it (LF3012); on the node, let all programs use one of the two, and empty the other`,
  };
}

function rulesTwice(family: Family, count: number): Problem {
  return {
    code: "LF1023",
    severity: "warning",
    message: `${count} inputs hold ${family === "ipv4" ? "IPv4" : "IPv6"} rules: only those of the last are used`,
    help: "give the dumps of one node at a time",
  };
}

/** The text of one input, or a problem that says why there is none. */
export async function readSource(name: string, io: IO, problems: Problem[]): Promise<readonly Source[]> {
  return (await readSources(name, io, problems)).sources;
}

export interface Sources {
  readonly sources: readonly Source[];
  /** They are the files of a folder or an archive, of which some may be of no use here. */
  readonly isCollection: boolean;
}

async function readSources(name: string, io: IO, problems: Problem[]): Promise<Sources> {
  const nothing = { sources: [], isCollection: false };
  let bytes: Uint8Array;
  try {
    const files = name === "-" ? undefined : await io.listFolder(name);
    if (files !== undefined) {
      const sources: Source[] = [];
      for (const file of files) appendAll(sources, (await readSources(file, io, problems)).sources);
      return { sources, isCollection: true };
    }
    bytes = name === "-" ? await io.readStdin() : await io.readFile(name);
  } catch (error) {
    const code = (error as { code?: string }).code ?? "";
    problems.push({
      code: "LF1033",
      severity: "error",
      message: `${name} cannot be read: ${FILE_ERRORS[code] ?? code}`,
      ...(code === "ENOENT"
        ? { help: "give the name of a file that is there, or - for standard input" }
        : {}),
    });
    return nothing;
  }
  let packed: readonly PackedFile[] | undefined;
  try {
    packed = await unpack(name, bytes);
  } catch (error) {
    if (!(error instanceof UnpackError)) throw error;
    problems.push({
      code: "LF1032",
      severity: "error",
      message: `this archive cannot be unpacked: ${error.message}`,
      place: startOf({ name, text: "" }),
      help: "was it copied in full?",
    });
    return nothing;
  }
  const files = packed ?? [{ name, bytes }];
  const sources = files.flatMap((file) => decode(file.name, file.bytes, problems) ?? []);
  return { sources, isCollection: files.length > 1 };
}

const FILE_ERRORS: Readonly<Record<string, string>> = {
  ENOENT: "there is no such file",
  EACCES: "permission denied",
  EISDIR: "it is a folder",
};

function startOf(source: Source): NonNullable<Problem["place"]> {
  const end = source.text.search(/\r?\n|$/);
  return placeInLine(source, 1, 1, Math.max(end, 1) + 1);
}

/** Of so many characters one may be a NUL, as a log that was cut off by a crash has them. */
const NULS_AMONG = 1000;

function decode(name: string, bytes: Uint8Array, problems: Problem[]): Source | undefined {
  const complain = (code: "LF1030" | "LF1032", message: string, help: string): undefined => {
    problems.push({ code, severity: "error", message, place: startOf({ name, text: "" }), help });
    return undefined;
  };
  const [first, second] = bytes;
  const isUTF16 = (first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff);
  // Bytes that are no UTF-8 stand for themselves in comments: they are shown as U+FFFD.
  const text = new TextDecoder(isUTF16 ? (first === 0xff ? "utf-16le" : "utf-16be") : "utf-8").decode(bytes);
  const nuls = isUTF16 ? 0 : bytes.reduce((count, byte) => count + (byte === 0 ? 1 : 0), 0);
  if (nuls * NULS_AMONG > bytes.length) {
    return complain(
      "LF1032",
      "this is a binary file, not text",
      "landfall reads text as iptables-save and kubectl print it",
    );
  }
  if (text.trim() === "")
    return complain(
      "LF1030",
      "this input is empty",
      "did the command before the pipe fail? iptables-save needs root",
    );
  return { name, text };
}

function unrecognised(source: Source, isCollection: boolean): Problem {
  return {
    code: "LF1034",
    severity: isCollection ? "note" : "error",
    message: "what kind of text this is, is not recognised",
    place: startOf(source),
    help: `landfall reads what iptables-save, ipset save, ipvsadm -Sn, conntrack -L, ip addr and ip route print, Kubernetes objects and network documents; --as KIND says what it is`,
  };
}

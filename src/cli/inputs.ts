/** Files and standard input → texts of a known kind. */

import type { Family } from "../../grammar/address.js";
import type { ClusterModel } from "../cluster/model.js";
import { isNetworkDocument, readNetworkDocument } from "../cluster/network.js";
import { readCluster } from "../cluster/read.js";
import type { Document } from "../documents/document.js";
import { readDocuments } from "../documents/read.js";
import { appendAll } from "../problems/append.js";
import type { Problem, Source } from "../problems/problem.js";
import type { Network } from "../state/network.js";
import { mergeStates, type NodeState } from "../state/nodestate.js";
import { familyOfRules } from "../text/family.js";
import { recognise, type TextKind } from "../text/recognise.js";
import { readRules } from "../text/rules.js";
import type { IO } from "./io.js";

/** What the named inputs hold. */
export interface Inputs {
  readonly rules: readonly { readonly source: Source; readonly family: Family }[];
  /** Absent when no objects were given. */
  readonly cluster?: ClusterModel;
  readonly network?: Network;
  readonly problems: readonly Problem[];
}

/** Reads all inputs; `-` is standard input, a folder stands for its files. */
export async function readInputs(names: readonly string[], io: IO): Promise<Inputs> {
  const problems: Problem[] = [];
  const sources: Source[] = [];
  for (const name of names) {
    const source = await readSource(name, io, problems);
    appendAll(sources, source);
  }
  const rules: { source: Source; family: Family }[] = [];
  const documents: Document[] = [];
  for (const source of sources) {
    const kind = recognise(source.text);
    if (kind === "rules") appendAll(rules, byFamily(source));
    else if (kind === "documents") {
      const read = readDocuments(source);
      appendAll(documents, read.documents);
      appendAll(problems, read.problems);
    } else problems.push(unreadable(source, kind));
  }
  let network: Network | undefined;
  for (const document of documents.filter(isNetworkDocument)) {
    const read = readNetworkDocument(document);
    appendAll(problems, read.problems);
    network = read.network ?? network;
  }
  const objects = documents.filter((document) => !isNetworkDocument(document));
  const cluster = objects.length === 0 ? undefined : readCluster(objects);
  if (cluster !== undefined) appendAll(problems, cluster.problems);
  return {
    rules,
    ...(cluster === undefined ? {} : { cluster: cluster.model }),
    ...(network === undefined ? {} : { network }),
    problems,
  };
}

/** The rules among the inputs as one state; their problems are added. */
export function readDumps(inputs: Inputs, problems: Problem[]): NodeState {
  return mergeStates(
    inputs.rules.map(({ source, family }) => {
      const read = readRules(source, { family });
      appendAll(problems, read.problems);
      return { rulesets: { [family]: read.ruleset } };
    }),
  );
}

/** The text of one input, or a problem that says why there is none. */
export async function readSource(name: string, io: IO, problems: Problem[]): Promise<readonly Source[]> {
  let bytes: Uint8Array;
  try {
    if (name !== "-") {
      const files = await io.listFolder(name);
      if (files !== undefined) {
        const sources: Source[] = [];
        for (const file of files) appendAll(sources, await readSource(file, io, problems));
        return sources;
      }
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
    return [];
  }
  const source = decode(name, bytes, problems);
  return source === undefined ? [] : [source];
}

const FILE_ERRORS: Readonly<Record<string, string>> = {
  ENOENT: "there is no such file",
  EACCES: "permission denied",
  EISDIR: "it is a folder",
};

function decode(name: string, bytes: Uint8Array, problems: Problem[]): Source | undefined {
  const complain = (code: "LF1030" | "LF1032", message: string, help: string): undefined => {
    const place = { source: { name, text: "" }, line: 1, column: 1, endLine: 1, endColumn: 2 };
    problems.push({ code, severity: "error", message, place, help });
    return undefined;
  };
  if (bytes.length === 0)
    return complain(
      "LF1030",
      "this input is empty",
      "did the command before the pipe fail? iptables-save needs root",
    );
  const [first, second] = bytes;
  if ((first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff)) {
    return { name, text: new TextDecoder(first === 0xff ? "utf-16le" : "utf-16be").decode(bytes) };
  }
  if (bytes.includes(0)) {
    const gzip = first === 0x1f && second === 0x8b;
    return complain(
      "LF1032",
      "this is a binary file, not text",
      gzip
        ? "unpack it first: gzip -dc FILE | landfall …"
        : "landfall reads text as iptables-save and kubectl print it",
    );
  }
  // Bytes that are no UTF-8 stand for themselves in comments: they are shown as U+FFFD.
  const text = new TextDecoder("utf-8").decode(bytes);
  if (text.trim() === "")
    return complain(
      "LF1030",
      "this input is empty",
      "did the command before the pipe fail? iptables-save needs root",
    );
  return { name, text };
}

/** iptables-save and ip6tables-save output that was put into one input, apart again. */
function byFamily(source: Source): readonly { source: Source; family: Family }[] {
  const whole = familyOfRules(source.text);
  const other = whole === "ipv4" ? /^# Generated by ip6tables/m : /^# Generated by iptables/m;
  const at = source.text.search(other);
  if (at <= 0) return [{ source, family: whole }];
  // Line numbers stay those of the input: what belongs to the other family is blanked, not cut.
  const blank = source.text.slice(0, at).replace(/[^\n]/g, "");
  return [
    { source: { name: source.name, text: source.text.slice(0, at) }, family: whole },
    {
      source: { name: source.name, text: blank + source.text.slice(at) },
      family: whole === "ipv4" ? "ipv6" : "ipv4",
    },
  ];
}

const ADVICE: Readonly<Partial<Record<TextKind, readonly [string, string]>>> = {
  nft: [
    "`nft list ruleset`",
    "landfall reads iptables-save text; on this node run `iptables-nft-save` as root",
  ],
  ipset: ["`ipset save` or `ipset list`", "landfall does not read sets yet; leave this input out"],
  ipvsadm: ["`ipvsadm` output", "landfall does not read IPVS yet; give the node's iptables-save"],
  conntrack: ["`conntrack -L`", "landfall does not read connection entries yet; leave this input out"],
  addresses: ["`ip addr`", "write the addresses with --local-ip, or as a network document"],
  routes: ["`ip route`", "write the routes as a network document"],
  listing: ["`iptables -L`", "a listing leaves parts of rules out; run `iptables-save` instead"],
};

function unreadable(source: Source, kind: TextKind): Problem {
  const end = source.text.search(/\r?\n|$/);
  const place = { source, line: 1, column: 1, endLine: 1, endColumn: Math.max(end, 1) + 1 };
  const [what, help] = ADVICE[kind] ?? [];
  return what === undefined
    ? {
        code: "LF1034",
        severity: "error",
        message: "what kind of text this is, is not recognised",
        place,
        help: "landfall reads iptables-save text, Kubernetes objects (YAML or JSON) and network documents",
      }
    : {
        code: "LF1031",
        severity: "error",
        message: `this looks like ${what}`,
        place,
        ...(help === undefined ? {} : { help }),
      };
}

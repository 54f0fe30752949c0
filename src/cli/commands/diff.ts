/** `landfall diff`: what differs between two nodes' rules, in behaviour, in structure and in text. */

import { type BehaviourOptions, nameOf } from "../../diff/behaviour.js";
import { compareStates, type Differences } from "../../diff/compare.js";
import { type EntryPoint, entryPoints } from "../../diff/entry-points.js";
import type { Ignorable } from "../../diff/ignoring.js";
import { FAMILIES } from "../../diff/side.js";
import { nearest } from "../../problems/nearest.js";
import type { Problem } from "../../problems/problem.js";
import { assumes, type DocumentForm, documentText, exitCode, report, write } from "../common.js";
import { familyWord } from "../compiling.js";
import { diffDocument } from "../diff-json.js";
import { diffMarkdown } from "../diff-markdown.js";
import { readSides, type Sides, type SidesFlags } from "../diff-sides.js";
import { type DiffTextOptions, diffText } from "../diff-text.js";
import { EXIT, UsageError } from "../exit.js";
import type { IO } from "../io.js";
import { namingOf } from "../naming.js";
import { progressOn } from "../progress.js";
import { isWanted, type ServiceFlags, wantedBy } from "../service-filter.js";
import { styleFor } from "../style.js";
import { splitInputs } from "../subjects.js";

export interface DiffFlags extends SidesFlags, ServiceFlags {
  readonly output: "text" | DocumentForm | "markdown";
  readonly behaviour?: boolean;
  readonly structure?: boolean;
  readonly text?: boolean;
  readonly maxExamples: number;
  readonly ignore: readonly Ignorable[];
  readonly for?: readonly string[];
  readonly exact?: boolean;
  readonly strict?: boolean;
}

export async function diff(words: readonly string[], flags: DiffFlags, io: IO): Promise<number> {
  const { files, subjects } = splitInputs(words, io);
  const problems: Problem[] = [];
  const sides = await readSides(files, subjects, flags, io, problems);
  const failed = report(problems, io, flags);
  if (sides === undefined || failed !== undefined) return failed ?? EXIT.unreadable;
  const only = wantedEntries(subjects, flags, sides);
  const options = textOptions(flags, sides, only !== undefined, io);
  const progress = progressOn(io, "entry point");
  const found = compareStates(sides.left, sides.right, {
    parts: {
      behaviour: options.behaviour,
      structure: options.structure !== "no",
      text: options.text !== "no",
    },
    ignored: new Set(flags.ignore),
    ...(only === undefined ? {} : { only }),
    onProgress: progress.show,
  });
  progress.end();
  const notes = notesOn(found, sides);
  report(notes, io, flags);
  print(found, flags, options, io);
  const assumed = assumes([...problems, ...notes]) || found.behaviour.undecided.length > 0;
  return exitCode(flags, { differs: differs(found), assumed });
}

/** Without any of the three flags, behaviour in full and the others in a line; with names, behaviour alone. */
function textOptions(flags: DiffFlags, { left, right }: Sides, isNarrowed: boolean, io: IO): DiffTextOptions {
  const asked = flags.behaviour || flags.structure || flags.text;
  const rest = asked || isNarrowed ? "no" : "summary";
  return {
    style: styleFor(io.stdout, io.env, flags),
    exact: flags.exact ?? false,
    behaviour: flags.behaviour || !asked,
    structure: flags.structure ? "full" : rest,
    text: flags.text ? "full" : rest,
    examplesMax: flags.maxExamples,
    left,
    right,
  };
}

function print(found: Differences, { output }: DiffFlags, options: DiffTextOptions, io: IO): void {
  if (output === "text") io.stdout.write(diffText(found, options));
  else if (output === "markdown") write(io, diffMarkdown(found, options));
  else write(io, documentText(diffDocument(found, namingOf(undefined), options), output));
}

/** Parts that were not asked for are empty. */
function differs({ behaviour, structure, text }: Differences): boolean {
  const isRestructured = structure.changes.length + structure.reworded + structure.reordered > 0;
  return behaviour.differing > 0 || isRestructured || text.removed + text.added > 0;
}

/** What one side alone holds. */
function notesOn({ families, onOneSide }: Differences, { left, right }: Sides): readonly Problem[] {
  const lone = onOneSide.map(({ family, side }) => {
    const { name } = side === "left" ? left : right;
    return `only ${name} holds ${familyWord(family)} rules: they are not compared`;
  });
  const tables = families.flatMap((family) => {
    const [one, other] = [left, right].map(({ plain }) => [...(plain[family]?.tables.keys() ?? [])]);
    const only = (own: readonly string[] = [], others: readonly string[] = []) =>
      own.filter((table) => !others.includes(table));
    return [
      ...only(one, other).map((table) => ({ name: left.name, lacking: right.name, table })),
      ...only(other, one).map((table) => ({ name: right.name, lacking: left.name, table })),
    ].map(
      ({ name, lacking, table }) =>
        `only ${name} holds table ${table} (${familyWord(family)}): in ${lacking} it is taken to be empty`,
    );
  });
  return [...lone, ...tables].map((message) => ({ code: "LF2001", severity: "note", message }));
}

/** Which entry points the names mean: services as kube-proxy names them, or addresses; undefined: all. */
function wantedEntries(
  words: readonly string[],
  flags: DiffFlags,
  { left, right, cluster }: Sides,
): BehaviourOptions["only"] {
  const names = [...words, ...(flags.for ?? [])];
  const wanted = wantedBy(flags, cluster);
  const isNarrowed = wanted.namespace !== undefined || wanted.labelled !== undefined;
  if (names.length === 0 && !isNarrowed) return undefined;
  const all = entryPoints(left, right, FAMILIES);
  const spelled = new Map(names.map((name) => [name, name.replace(/^(?:svc|service)\//, "")]));
  const isInReach = ({ service }: EntryPoint) => isWanted(service, wanted);
  const known = all.filter(isInReach);
  if (known.length === 0 && isNarrowed)
    throw new UsageError(
      `no service ${wanted.labelled === undefined ? `of namespace ${wanted.namespace}` : "with these labels"} is on either side`,
    );
  for (const [name, spelling] of spelled) {
    if (known.some((entry) => spellingsOf(entry).includes(spelling))) continue;
    const near = nearest(spelling, new Set(known.flatMap(spellingsOf)));
    throw new UsageError(
      `${name} is ${words.includes(name) ? "no file, and " : ""}no service on either side`,
      near === undefined ? undefined : `did you mean ${near}?`,
    );
  }
  const spellings = new Set(spelled.values());
  return (entry) =>
    isInReach(entry) && (names.length === 0 || spellingsOf(entry).some((one) => spellings.has(one)));
}

/** `ns/name:port`, `ns/name`, `name:port`, `name`, `10.96.0.10:53/udp`, `10.96.0.10:53` */
function spellingsOf(entry: EntryPoint): readonly string[] {
  const end = nameOf(entry);
  const ends = [end, end.replace(/\/[a-z-]+$/, "")];
  const { service } = entry;
  if (service === undefined) return ends;
  const plain = service.replace(/:[^:]*$/, "");
  const bare = (text: string) => text.slice(text.indexOf("/") + 1);
  return [service, plain, bare(service), bare(plain), ...ends];
}

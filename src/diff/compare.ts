/** Two states of nodes → what differs in behaviour, structure and text. The door of this folder. */
import type { Family } from "../../grammar/address.js";
import { appendAll } from "../problems/append.js";
import { type BehaviourDifference, type BehaviourOptions, compareBehaviour } from "./behaviour.js";
import { IGNORED_BY_DEFAULT, type Ignorable, structureWithout, textsWithout } from "./ignoring.js";
import type { PlainRuleset } from "./plain.js";
import { FAMILIES, type Side } from "./side.js";
import { compareStructure, type StructureChange, type StructureDifference } from "./structure.js";
import { compareTexts, otherSections, ruleSections, type Section, type TextDifference } from "./text.js";

export interface Differences {
  /** Of which both sides hold rules. */
  readonly families: readonly Family[];
  /** Of which one side alone does; not compared. */
  readonly onOneSide: readonly { readonly family: Family; readonly side: "left" | "right" }[];
  readonly behaviour: BehaviourDifference;
  readonly structure: StructureDifference;
  readonly text: TextDifference;
}

export interface CompareStatesOptions extends BehaviourOptions {
  /** Parts that are wanted; the others come empty. Default: all. */
  readonly parts?: { readonly behaviour: boolean; readonly structure: boolean; readonly text: boolean };
  /** What structure and text leave out of account. Default: counters. */
  readonly ignored?: ReadonlySet<Ignorable>;
}

const ALL = { behaviour: true, structure: true, text: true };
const NO_BEHAVIOUR: BehaviourDifference = {
  entryPoints: 0,
  differing: 0,
  byRules: 0,
  packets: 0,
  changes: [],
  same: [],
  rounded: 0,
  undecided: [],
};

/** What differs between two states. The sides may be exchanged: then the answer is the same, turned round. */
export function compareStates(left: Side, right: Side, options: CompareStatesOptions = {}): Differences {
  const { parts = ALL, ignored = IGNORED_BY_DEFAULT } = options;
  const families = FAMILIES.filter(
    (family) => left.plain[family] !== undefined && right.plain[family] !== undefined,
  );
  const onOneSide = FAMILIES.flatMap((family) => {
    const [one, other] = [left.plain[family] !== undefined, right.plain[family] !== undefined];
    return one === other ? [] : [{ family, side: one ? ("left" as const) : ("right" as const) }];
  });
  return {
    families,
    onOneSide,
    behaviour: parts.behaviour ? compareBehaviour(left, right, families, options) : NO_BEHAVIOUR,
    structure: parts.structure
      ? structureWithout(structureOf(left, right, families), ignored)
      : { changes: [], reworded: 0, reordered: 0 },
    text: parts.text ? textsOf(left, right, families, ignored) : { removed: 0, added: 0, hunks: [] },
  };
}

function structureOf(left: Side, right: Side, families: readonly Family[]): StructureDifference {
  const changes: StructureChange[] = [];
  let [reworded, reordered] = [0, 0];
  for (const family of families) {
    const [one, other] = [left.plain[family], right.plain[family]];
    if (one === undefined || other === undefined) continue;
    const found = compareStructure(one, other);
    for (const change of found.changes) changes.push(change);
    reworded += found.reworded;
    reordered += found.reordered;
  }
  return { changes, reworded, reordered };
}

function textsOf(
  left: Side,
  right: Side,
  families: readonly Family[],
  ignored: ReadonlySet<Ignorable>,
): TextDifference {
  const counted = !ignored.has("counters");
  const sections: { readonly left: Section[]; readonly right: Section[] } = { left: [], right: [] };
  const add = (to: Section[], family: Family, ruleset: PlainRuleset): void =>
    appendAll(
      to,
      ruleSections(ruleset, counted).map((section) => ({ ...section, name: `${family} ${section.name}` })),
    );
  for (const family of families) {
    const [one, other] = [left.plain[family], right.plain[family]];
    if (one === undefined || other === undefined) continue;
    const [mine, theirs] = textsWithout(one, other, ignored);
    add(sections.left, family, mine);
    add(sections.right, family, theirs);
  }
  appendAll(sections.left, otherSections(left.state, counted));
  appendAll(sections.right, otherSections(right.state, counted));
  return compareTexts(sections.left, sections.right);
}

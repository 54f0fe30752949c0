/** Differences as JSON, schema landfall/diff@1. */
import { printAddress } from "../../grammar/address.js";
import { protocolName } from "../../grammar/protocols.js";
import { nameOf } from "../diff/behaviour.js";
import type { Differences } from "../diff/compare.js";
import type { EntryPoint } from "../diff/entry-points.js";
import { questionText } from "../diff/question.js";
import { tellingRules } from "../diff/telling.js";
import type { Step } from "../evaluate/outcome.js";
import type { DiffTextOptions } from "./diff-text.js";
import type { Naming } from "./naming.js";
import type { DiffDocument } from "./schemas/diff.js";
import { landingRecord } from "./trace-json.js";

export function diffDocument(found: Differences, naming: Naming, options: DiffTextOptions): DiffDocument {
  const { left, right } = options;
  return {
    schema: "landfall/diff@1",
    left: left.name,
    right: right.name,
    families: [...found.families],
    behaviour: options.behaviour
      ? {
          entryPoints: found.behaviour.entryPoints,
          differing: found.behaviour.differing,
          rounded: found.behaviour.rounded,
          byRules: found.behaviour.byRules,
          packets: found.behaviour.packets,
          proof: false,
          changes: found.behaviour.changes.map((change) => {
            const { difference } = change.example;
            const rules = tellingRules(change, left, right);
            return {
              service: change.service ?? null,
              entries: change.entries.map(({ entry, who }) => ({ ...entryRecord(entry), clients: [...who] })),
              what: difference.what,
              assuming: [...difference.assuming],
              cases: difference.cases,
              left: {
                packet: questionText(change.example.left),
                landings: difference.left.map((landing) => landingRecord(landing, naming)),
                rules: rules.left.map(ruleRecord),
              },
              right: {
                packet: questionText(change.example.right),
                landings: difference.right.map((landing) => landingRecord(landing, naming)),
                rules: rules.right.map(ruleRecord),
              },
            };
          }),
          same: [...found.behaviour.same],
          undecided: found.behaviour.undecided.map(({ entry, who, why }) => ({
            ...entryRecord(entry),
            client: who,
            why,
          })),
        }
      : null,
    structure:
      options.structure === "no"
        ? null
        : {
            reworded: found.structure.reworded,
            reordered: found.structure.reordered,
            changes: found.structure.changes.map((change) => ({ ...change })),
          },
    text:
      options.text === "no"
        ? null
        : {
            removed: found.text.removed,
            added: found.text.added,
            hunks: found.text.hunks.map(({ left: own, right: other, lines }) => ({
              left: own,
              right: other,
              lines: lines.map((line) => ({ ...line })),
            })),
          },
  };
}

function entryRecord(entry: EntryPoint) {
  const { service, kind, address, port, protocol } = entry;
  return {
    entry: nameOf(entry),
    service: service ?? null,
    kind: kind === "" ? null : kind,
    dst: address === undefined ? null : printAddress(address),
    dport: port,
    proto: protocolName(protocol),
  };
}

function ruleRecord({ table, chain, number, rule }: Step) {
  return { table, chain, rule: number, line: rule?.place?.line ?? null };
}

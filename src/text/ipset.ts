/**
 * The text of `ipset save` and of `ipset restore` (commands, one a line), and the blocks of `ipset list` → sets. Any text is
 * accepted: what ipset would refuse is a problem with its place, and the rest is read, where `ipset restore` would stop at
 * the first. `ipset/save.ts` prints sets.
 */

import { type Problem, placeInLine, type Source } from "../problems/problem.js";
import type { IpSet, IpSets } from "../state/sets.js";
import { COMMANDS } from "./ipset/commands.js";
import { EXPANDED_MAX } from "./ipset/elements.js";
import { beginBlock, endBlock, readInBlock } from "./ipset/listing.js";
import { complain, lineOf, type Reading, splitSetWords } from "./ipset/reading.js";
import type { Words } from "./words.js";

export interface SetsRead {
  readonly sets: IpSets;
  readonly problems: readonly Problem[];
}

/**
 * The sets that a node has after `ipset restore` of this text on an empty node, or that a listing shows. `-exist` holds
 * for the lines after it, too, as it does in `ipset restore`.
 */
export function readSets(source: Source): SetsRead {
  const reading: Reading = {
    source,
    problems: [],
    sets: new Map(),
    refused: new Set(),
    exist: false,
    over: false,
    made: 0,
    held: new Map(),
    room: EXPANDED_MAX,
    block: undefined,
  };
  if (/^\s*(?:<\?xml[^>]*>\s*)?<ipsets>/.test(source.text)) {
    const problem = {
      code: "LF1031",
      severity: "error",
      message: "this is the XML that `ipset list -o xml` prints",
      place: placeInLine(source, 1, 1, 2),
      help: "give what `ipset save` prints",
    } as const;
    return { sets: new Map(), problems: [problem] };
  }
  let line = 0;
  for (let start = 0; start <= source.text.length && !reading.over; ) {
    const feed = source.text.indexOf("\n", start);
    const end = feed < 0 ? source.text.length : feed;
    line++;
    readLine(reading, source.text.slice(start, end).replace(/\r$/, ""), line);
    start = end + 1;
  }
  endBlock(reading);
  return { sets: finish(reading), problems: reading.problems };
}

/** What a shell shows before a command, and the command itself. */
const PROMPT = /^\s*(?:\S*[$#>%]\s+)?(?:sudo\s+)?ipset\s+/;

function readLine(reading: Reading, text: string, line: number): undefined {
  const trimmed = text.trim();
  if (reading.block !== undefined && readInBlock(reading, reading.block, text, line)) return;
  if (beginBlock(reading, text, line)) return;
  if (trimmed === "" || trimmed.startsWith("#")) return;
  const found = splitSetWords(text, PROMPT.exec(text)?.[0].length ?? 0);
  const kept = withoutSwitches(found);
  const command = COMMANDS.get(kept.words[0] ?? "");
  if (command === undefined) {
    const place = placeInLine(reading.source, line, 1, text.length + 1);
    complain(reading, "LF1001", "this line is no part of a dump", place, { severity: "note" });
  } else if (found.openQuote) {
    const from = found.starts.at(-1) ?? 0;
    const place = placeInLine(reading.source, line, from + 1, text.length + 1);
    complain(reading, "LF1016", "a quote is not closed", place);
  } else {
    if (found.words.some((word) => EXIST.test(word))) reading.exist = true;
    command(lineOf(reading, kept, line));
  }
}

const EXIST = /^(?:--?exist|-!)$/;

/** Takes out the options of ipset itself, which may stand anywhere. */
function withoutSwitches(found: Words): Words {
  const at = found.words.map((word) => !/^(?:--?(?:exist|quiet|sorted)|-[!qs])$/.test(word));
  if (!at.includes(false)) return found;
  const keep = <T>(items: readonly T[]) => items.filter((_, index) => at[index]);
  return {
    words: keep(found.words),
    starts: keep(found.starts),
    ends: keep(found.ends),
    openQuote: found.openQuote,
  };
}

function finish({ sets }: Reading): IpSets {
  const finished = new Map<string, IpSet>();
  for (const [name, draft] of [...sets].sort(([, left], [, right]) => left.order - right.order)) {
    const { type, options, place, entries, notListed, references } = draft;
    const all = entries === undefined ? undefined : [...entries.values()];
    // A bitmap is walked from its beginning.
    if (type.method === "bitmap") all?.sort((left, right) => Number(left.parts[0]) - Number(right.parts[0]));
    finished.set(name, {
      name,
      type: type.name,
      options,
      ...(all === undefined ? {} : { entries: all }),
      ...(notListed === undefined ? {} : { notListed }),
      ...(references === undefined ? {} : { references }),
      place,
    });
  }
  return finished;
}

/** The blocks of `ipset list`. */
import { placeInLine } from "../../problems/problem.js";
import { addElements } from "./elements.js";
import { newDraft } from "./options.js";
import { type Block, complain, lineOf, type Reading, splitSetWords } from "./reading.js";

/** A line `Name: …` begins a block, and ends the one before it. */
export function beginBlock(reading: Reading, text: string, line: number): boolean {
  const name = /^\s*Name:/.test(text) ? text.slice(text.indexOf(":") + 1).trim() : "";
  if (name === "") return false;
  endBlock(reading);
  const from = text.indexOf(name, text.indexOf(":"));
  reading.block = {
    name,
    line,
    place: placeInLine(reading.source, line, from + 1, from + name.length + 1),
    type: undefined,
    header: undefined,
    count: undefined,
    references: undefined,
    draft: undefined,
    members: false,
    refused: false,
  };
  return true;
}

/** Reads a line of a block; false when the block ended before it. */
export function readInBlock(reading: Reading, block: Block, text: string, line: number): boolean {
  const trimmed = text.trim();
  if (block.members) {
    if (trimmed === "" || /^\s*Name:/.test(text) || looksLikePrompt(trimmed)) {
      endBlock(reading);
      return false;
    }
    if (block.draft !== undefined) addElements(lineOf(reading, splitSetWords(text, 0), line), block.draft, 0);
    return true;
  }
  const colon = text.indexOf(":");
  const field = text.slice(0, Math.max(colon, 0)).trim();
  const value = text.slice(colon + 1).trim();
  const from = text.indexOf(value, colon + 1);
  switch (field) {
    case "Type":
      block.type = {
        word: value,
        place: placeInLine(reading.source, line, from + 1, from + value.length + 1),
      };
      return true;
    case "Header":
      block.header = { text, from: colon + 1, line };
      return true;
    case "Number of entries":
      block.count = countIn(value);
      return true;
    case "Members":
      makeOfBlock(reading, block);
      block.members = true;
      return true;
    case "References":
      block.references = countIn(value);
      return true;
    case "Revision":
    case "Size in memory":
      return true;
    default:
      endBlock(reading);
      return false;
  }
}

function countIn(text: string): number | undefined {
  return /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}

function looksLikePrompt(text: string): boolean {
  const [word = ""] = text.split(/\s/, 1);
  return (
    (/[$#%>]$/.test(word) && (word.length === 1 || /[@~\]]/.test(word))) || /^(?:sudo\s+)?ipset\s/.test(text)
  );
}

/** The set that a block's first lines tell. */
function makeOfBlock(reading: Reading, block: Block): undefined {
  if (block.draft !== undefined || block.refused) return;
  const { name, place, type, header } = block;
  if (type === undefined) {
    block.refused = true;
    return complain(reading, "LF1025", `the type of set ${name} is not here`, place, {
      help: "a line `Type: …` stands below the name",
    });
  }
  const found = splitSetWords(header?.text ?? "", header?.from ?? 0);
  const line = lineOf(reading, found, header?.line ?? block.line);
  const draft = newDraft(line, name, place, type.word, type.place, 0);
  block.refused = draft === undefined;
  if (draft === undefined) return;
  const known = reading.sets.get(name);
  if (known !== undefined) {
    block.refused = true;
    return complain(reading, "LF1024", `set ${name} is listed in line ${known.place.line} already`, place, {
      help: "are these the lists of two nodes? give each as a file of its own",
    });
  }
  block.draft = draft;
  reading.sets.set(name, draft);
}

export function endBlock(reading: Reading): undefined {
  const { block } = reading;
  if (block === undefined) return;
  makeOfBlock(reading, block);
  reading.block = undefined;
  const { draft, name, count, references, place } = block;
  if (draft === undefined) return;
  if (references !== undefined) draft.references = references;
  if (!block.members) {
    draft.entries = count === 0 ? new Map() : undefined;
    if (count !== 0)
      complain(reading, "LF1022", `the members of set ${name} are not listed, so they are not known`, place, {
        severity: "warning",
        help: "give what `ipset save` prints, or `ipset list` without -t",
      });
    return;
  }
  const listed = draft.entries?.size ?? 0;
  // Elements whose time is over are counted until the kernel clears them away.
  if (count === undefined || listed >= count || draft.options.timeout !== undefined) return;
  draft.notListed = count - listed;
  complain(reading, "LF1022", `${listed} of the ${count} members of set ${name} are listed`, place, {
    severity: "warning",
    help: "was the list cut off?",
  });
}

/** The words that name a command of iptables, in all the ways in which getopt_long takes them. */
import { HEADER, spellingsOf } from "../../grammar/extensions.js";
import { COMMAND_WORDS } from "./rule-option.js";
import { splitWords, type Words } from "./words.js";

export const LONG_COMMANDS: Readonly<Record<string, string>> = {
  "--append": "-A",
  "--insert": "-I",
  "--replace": "-R",
  "--delete": "-D",
  "--new-chain": "-N",
  "--delete-chain": "-X",
  "--flush": "-F",
  "--policy": "-P",
  "--rename-chain": "-E",
  "--zero": "-Z",
};

export const KNOWN_COMMANDS: readonly string[] = Object.values(LONG_COMMANDS);

/**
 * A line of a table with its command as a word of its own: `[1:2]-A`, `-AINPUT`, `--append=INPUT` and `--app INPUT` are
 * read as iptables-restore (1.8.9) reads them. A line that begins otherwise stays as it is.
 */
export function withPlainCommand(line: string): Words {
  const close = /^\[\d{1,20}:\d{1,20}\](?=-)/.exec(line)?.[0].length;
  const words = close === undefined ? splitWords(line) : afterCounters(line, close);
  const at = /^\[\d{1,20}:\d{1,20}\]$/.test(words.words[0] ?? "") ? 1 : 0;
  const word = words.words[at] ?? "";
  if (word.startsWith("--")) {
    const equals = word.indexOf("=");
    const long = fullCommand(equals < 0 ? word : word.slice(0, equals));
    return long === undefined
      ? words
      : replaced(words, at, equals < 0 ? [long] : [long, word.slice(equals + 1)]);
  }
  const letter = word.slice(0, 2);
  return word.length > 2 && KNOWN_COMMANDS.includes(letter)
    ? replaced(words, at, [letter, word.slice(2)])
    : words;
}

function afterCounters(line: string, close: number): Words {
  const rest = splitWords(line, close);
  return {
    ...rest,
    words: [line.slice(0, close), ...rest.words],
    starts: [0, ...rest.starts],
    ends: [close, ...rest.ends],
  };
}

/** The one command that begins so; no other option may begin so too. */
function fullCommand(written: string): string | undefined {
  if (Object.hasOwn(LONG_COMMANDS, written)) return written;
  const begun = [...COMMAND_WORDS, ...spellingsOf(HEADER).keys()].filter((name) => name.startsWith(written));
  const [only] = begun;
  return begun.length === 1 && only !== undefined && Object.hasOwn(LONG_COMMANDS, only) ? only : undefined;
}

function replaced(line: Words, at: number, by: readonly string[]): Words {
  const each = <T>(list: readonly T[], middle: readonly T[]) => [
    ...list.slice(0, at),
    ...middle,
    ...list.slice(at + 1),
  ];
  const start = line.starts[at] ?? 0;
  const end = line.ends[at] ?? start;
  return {
    ...line,
    words: each(line.words, by),
    starts: each(
      line.starts,
      by.map(() => start),
    ),
    ends: each(
      line.ends,
      by.map(() => end),
    ),
  };
}

/** Flags that commands share, and how their values are read. */
import { type Argument, type Command, InvalidArgumentError, Option } from "commander";
import { type Family, readAddress } from "../../grammar/address.js";
import { type LabelSelector, readLabelSelector } from "../../grammar/label-selector.js";
import { nearest } from "../problems/nearest.js";
import { TEXT_KINDS } from "../text/segments.js";

/** Flags of every command. */
export function withCommonFlags(
  command: Command,
  file = "an input, as kubectl names it; may be repeated",
): Command {
  return command
    .option("-f, --file <file>", file, collect)
    .option("-q, --quiet", "no notes on stderr")
    .option("-v, --verbose", "all problems, not some of each kind; trace: all rules on the way")
    .addOption(
      oneOf(new Option("--diagnostics <form>", "how problems are printed"), ["text", "json"]).default("text"),
    )
    .addOption(oneOf(new Option("--color <when>", "colours"), ["auto", "always", "never"]).default("auto"))
    .addOption(new Option("--no-color", "no colours"))
    .option("--ascii", "-> and | for arrows and bars; default: when the terminal's locale is not UTF-8")
    .addOption(
      new Option("--width <columns>", "what tables fit into; default: the terminal").argParser(
        countFlag(WIDTH_MIN, "the width"),
      ),
    )
    .option("--no-pager", "no pager for what is longer than the terminal");
}

/** Flags of commands that tell of Services, as kubectl names them. */
export function withServiceFlags(command: Command): Command {
  return command
    .option("-n, --namespace <name>", "only services of this namespace")
    .option("-A, --all-namespaces", "services of all namespaces, which is the default")
    .addOption(
      new Option(
        "-l, --selector <labels>",
        "only services whose objects have these labels: app=web,tier!=db",
      ).argParser(selectorFlag),
    );
}

export function strictFlag(): Option {
  return new Option("--strict", "exit 4 when the answer took anything for granted");
}

/** An option or argument that takes one of some words, with a "did you mean" for others. */
export function oneOf<T extends Option | Argument>(taker: T, choices: readonly string[]): T {
  taker.choices(choices);
  taker.argParser((text: string) => chosen(text, choices));
  return taker;
}

/** Words with commas between them, each one of some; `none` forgets those before it. The flag may be repeated. */
export function someOf<T extends string>(option: Option, choices: readonly T[]): Option {
  return option
    .choices([...choices, NONE])
    .argParser((text: string, before: readonly T[] = []): readonly T[] => {
      const words = listFlag(text).map((word) => chosen<string>(word, [...choices, NONE]));
      const last = words.lastIndexOf(NONE);
      const named = words.slice(last + 1).flatMap((word) => choices.find((one) => one === word) ?? []);
      return last < 0 ? [...before, ...named] : named;
    });
}

const NONE = "none";

function chosen<T extends string>(text: string, choices: readonly T[]): T {
  const choice = choices.find((one) => one === text);
  if (choice !== undefined) return choice;
  const near = nearest(text, choices);
  throw new InvalidArgumentError(
    near === undefined ? `there are ${choices.join(", ")}` : `did you mean ${near}?`,
  );
}

const WIDTH_MIN = 20;

function collect(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value];
}

function selectorFlag(text: string): LabelSelector {
  const read = readLabelSelector(text);
  if (read.ok) return read.value;
  throw new InvalidArgumentError(
    `at "${text.slice(read.offset, read.offset + SHOWN_MAX)}" there should be ${read.expected.join(", or ")}`,
  );
}

/** Of what a selector has in the place of what is expected. */
const SHOWN_MAX = 20;

/** A whole number, from `least`. */
export function countFlag(least: number, what: string): (text: string) => number {
  return (text) => {
    if (/^\d{1,9}$/.test(text) && Number(text) >= least) return Number(text);
    throw new InvalidArgumentError(`${what} is a whole number${least === 0 ? "" : `, ${least} or more`}`);
  };
}

/** Words with commas between them; the flag may be repeated. */
export function listFlag(text: string, before: readonly string[] = []): readonly string[] {
  return [...before, ...text.split(",").map((word) => word.trim())];
}

/** `--family`: `4` or `6`, or with `ipv` before it. */
export function familyOption(byDefault: string): Option {
  return new Option("--family <family>", `default: ${byDefault}`)
    .choices(["4", "6"])
    .argParser((text): Family => {
      if (/^(ipv)?4$/i.test(text)) return "ipv4";
      if (/^(ipv)?6$/i.test(text)) return "ipv6";
      throw new InvalidArgumentError("the family is 4 or 6");
    });
}

export function addressFlag(text: string, before: readonly string[]): readonly string[] {
  for (const part of text.split(",")) {
    if (readAddress(part.trim()) === undefined) throw new InvalidArgumentError(`${part} is no IP address`);
  }
  return [...before, ...text.split(",").map((part) => part.trim())];
}

export function settingFlag(text: string, before: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  const at = text.indexOf("=");
  if (at < 1) throw new InvalidArgumentError("a fact is KEY=VALUE");
  return new Map(before).set(text.slice(0, at), text.slice(at + 1));
}

/** `--as`: what the inputs are, where that cannot be told by content. */
export function asOption(): Option {
  return oneOf(new Option("--as <kind>", "what the inputs are; default: told by content"), TEXT_KINDS);
}

/** `-o`, with a "did you mean" for a form that is not there; what is a JSON document can be YAML too. */
export function outputFlag(forms: readonly string[], byDefault: string | undefined): Option {
  const all = forms.flatMap((form) => (form === "json" ? [form, "yaml"] : [form]));
  return oneOf(new Option("-o, --output <form>", "form of the answer"), all).default(byDefault);
}

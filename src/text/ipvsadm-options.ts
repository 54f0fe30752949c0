/**
 * The options of ipvsadm 1.31, and a line taken apart into them as popt(3) does it: short ones may stand in one word
 * (`-At`), values may be attached (`-w5`, `--weight=5`), and what takes a value takes whatever follows.
 */
import type { Code } from "../problems/codes.js";
import { didYouMean } from "../problems/meant.js";
import { nearest } from "../problems/nearest.js";
import type { Fix, Severity } from "../problems/problem.js";
import type { Words } from "./words.js";

/** What is wrong with a line; `from` and `to` are offsets in it. */
export interface Fault {
  readonly code: Code;
  readonly message: string;
  readonly from: number;
  readonly to: number;
  readonly label?: string;
  readonly fix?: Fix;
  readonly help?: string;
  /** Default: error. */
  readonly severity?: Severity;
}

/** What a command is; `none` changes nothing here. */
export type CommandName =
  | "add-service"
  | "edit-service"
  | "delete-service"
  | "add-server"
  | "edit-server"
  | "delete-server"
  | "clear"
  | "zero"
  | "set"
  | "none";

export const COMMANDS: ReadonlyMap<string, CommandName> = new Map<string, CommandName>([
  ["-A", "add-service"],
  ["--add-service", "add-service"],
  ["-E", "edit-service"],
  ["--edit-service", "edit-service"],
  ["-D", "delete-service"],
  ["--delete-service", "delete-service"],
  ["-C", "clear"],
  ["--clear", "clear"],
  ["-a", "add-server"],
  ["--add-server", "add-server"],
  ["-e", "edit-server"],
  ["--edit-server", "edit-server"],
  ["-d", "delete-server"],
  ["--delete-server", "delete-server"],
  ["-Z", "zero"],
  ["--zero", "zero"],
  ["--set", "set"],
  ["-L", "none"],
  ["-l", "none"],
  ["--list", "none"],
  ["-S", "none"],
  ["--save", "none"],
  ["-R", "none"],
  ["--restore", "none"],
  ["-h", "none"],
  ["--help", "none"],
  ["-v", "none"],
  ["--version", "none"],
  ["--start-daemon", "none"],
  ["--stop-daemon", "none"],
]);

/** What can be given once: ipvsadm's own names for it. */
export type Slot =
  | "service-address"
  | "scheduler"
  | "persistent"
  | "netmask"
  | "pe"
  | "ops"
  | "sched-flags"
  | "real-server"
  | "forwarding-method"
  | "weight"
  | "u-threshold"
  | "l-threshold"
  | "tun-type"
  | "tun-port"
  | "tun-nocsum"
  | "tun-csum"
  | "tun-remcsum"
  | "listing";

interface OptionForm {
  /** The spelling that ipvsadm -S prints, where it prints the option. */
  readonly name: string;
  /** Absent: may be given again. */
  readonly slot?: Slot;
  /** `saved`: a value, which ipvsadm -S leaves out where it has no names for the flags. */
  readonly takes: "value" | "maybe" | "saved" | "nothing";
}

const option = (spellings: string, slot: Slot | undefined, takes: OptionForm["takes"] = "value") =>
  spellings
    .split(" ")
    .map((name, _, [first = ""]): readonly [string, OptionForm] => [
      name,
      { name: first, takes, ...(slot === undefined ? {} : { slot }) },
    ]);

export const OPTIONS: ReadonlyMap<string, OptionForm> = new Map([
  ...option("-t --tcp-service", "service-address"),
  ...option("-u --udp-service", "service-address"),
  ...option("--sctp-service", "service-address"),
  ...option("-f --fwmark-service", "service-address"),
  ...option("-6 --ipv6", undefined, "nothing"),
  ...option("-s --scheduler", "scheduler"),
  ...option("-p --persistent", "persistent", "maybe"),
  ...option("-M --netmask", "netmask"),
  ...option("--pe", "pe"),
  ...option("-o --ops", "ops", "nothing"),
  ...option("-b --sched-flags", "sched-flags", "saved"),
  ...option("-r --real-server", "real-server"),
  ...option("-m --masquerading", "forwarding-method", "nothing"),
  ...option("-g --gatewaying", "forwarding-method", "nothing"),
  ...option("-i --ipip", "forwarding-method", "nothing"),
  ...option("-w --weight", "weight"),
  ...option("-x --u-threshold", "u-threshold"),
  ...option("-y --l-threshold", "l-threshold"),
  ...option("--tun-type", "tun-type"),
  ...option("--tun-port", "tun-port"),
  ...option("--tun-nocsum", "tun-nocsum", "nothing"),
  ...option("--tun-csum", "tun-csum", "nothing"),
  ...option("--tun-remcsum", "tun-remcsum", "nothing"),
  ...option("--sort", undefined, "nothing"),
  ...["-n --numeric", "-c --connection", "-X --exact", "--timeout", "--daemon", "--stats", "--rate"].flatMap(
    (spellings) => option(spellings, "listing", "nothing"),
  ),
  ...["--thresholds", "--persistent-conn", "--tun-info", "--nosort"].flatMap((spellings) =>
    option(spellings, "listing", "nothing"),
  ),
]);

/** An option as given. */
export interface Given {
  readonly form: OptionForm;
  readonly value: string | undefined;
  /** Of option and value together, and of the value alone. */
  readonly from: number;
  readonly to: number;
  readonly valueFrom: number;
}

export interface Arguments {
  /** Why the options behind `given` were not read. */
  readonly fault?: Fault;
  readonly given: readonly Given[];
  readonly rest: readonly { readonly word: string; readonly from: number; readonly to: number }[];
}

/** Words → options with their values, as popt(3) takes them apart; `skip` characters of the first word are the command. */
export function parseOptions(words: Words, first: number, skip: number): Arguments {
  const given: Given[] = [];
  const rest: { word: string; from: number; to: number }[] = [];
  let ended = false;
  for (let index = first; index < words.words.length; index++) {
    const word = words.words[index] ?? "";
    const from = words.starts[index] ?? 0;
    const to = words.ends[index] ?? from;
    // Quotes, if any, belong to a shell; the places of what is inside are near enough.
    const end = Math.min(to, from + word.length);
    // ipvsadm -R passes over its own name wherever it stands.
    if (word === "ipvsadm") continue;
    if (index > first && word === "--" && !ended) {
      ended = true;
      continue;
    }
    if (ended || (index > first && (!word.startsWith("-") || word === "-"))) {
      rest.push({ word, from, to });
      continue;
    }
    const long = word.startsWith("--");
    let at = index > first ? (long ? 0 : 1) : skip;
    if (index === first && at >= word.length) continue;
    if (long) {
      const equals = word.indexOf("=");
      const spelled = equals < 0 ? word : word.slice(0, equals);
      const form = index === first ? undefined : OPTIONS.get(spelled);
      if (form === undefined) return { fault: unknownOption(spelled, from), given, rest };
      const value = equals < 0 ? undefined : word.slice(equals + 1);
      if (value !== undefined && form.takes === "nothing")
        return { fault: { code: "LF1017", message: `${spelled} takes no value`, from, to }, given, rest };
      const taken = value === undefined ? take(form) : { value, valueFrom: from + equals + 1, to: end };
      if (taken === undefined) return { fault: noValue(spelled, from, to), given, rest };
      given.push({ form, from, ...taken });
      continue;
    }
    while (at < word.length) {
      const spelled = `-${word[at]}`;
      const form = OPTIONS.get(spelled);
      if (form === undefined) return { fault: unknownOption(spelled, from + at - 1, word), given, rest };
      const optionFrom = at === 1 ? from : from + at;
      at++;
      if (form.takes === "nothing") {
        given.push({ form, value: undefined, from: optionFrom, to: from + at, valueFrom: from + at });
        continue;
      }
      const equals = word[at] === "=";
      if (equals) at++;
      const attached = word.slice(at);
      const taken =
        attached === "" && !equals ? take(form) : { value: attached, valueFrom: from + at, to: end };
      if (taken === undefined) return { fault: noValue(spelled, optionFrom, to), given, rest };
      given.push({ form, from: optionFrom, ...taken });
      break;
    }

    function take(form: OptionForm): Omit<Given, "form" | "from"> | undefined {
      const next = words.words[index + 1];
      if (
        form.takes === "nothing" ||
        (form.takes === "maybe" && (next === undefined || next.startsWith("-")))
      )
        return { value: undefined, valueFrom: to, to };
      if (next === undefined)
        return form.takes === "saved" ? { value: undefined, valueFrom: to, to } : undefined;
      index++;
      return { value: next, valueFrom: words.starts[index] ?? to, to: words.ends[index] ?? to };
    }
  }
  return { given, rest };
}

function unknownOption(spelled: string, from: number, word = spelled): Fault {
  const at = { from: Math.max(0, from), to: from + spelled.length };
  if (COMMANDS.has(spelled)) return { code: "LF1014", message: `${spelled} is a second command`, ...at };
  const near = OPTIONS.has(`-${word}`) ? `-${word}` : nearest(spelled, OPTIONS.keys());
  return {
    code: "LF1007",
    message: `ipvsadm has no option ${spelled}`,
    ...at,
    ...didYouMean(near?.startsWith("--") ? near : undefined),
  };
}

export const noValue = (spelled: string, from: number, to: number): Fault => ({
  code: "LF1005",
  message: `${spelled} needs a value`,
  from,
  to,
});

export const atValue = (given: Given, code: Code, message: string): Fault => ({
  code,
  message,
  from: given.valueFrom,
  to: Math.max(given.to, given.valueFrom + 1),
});

export const atOption = ({ from, to }: { from: number; to: number }, code: Code, message: string): Fault => ({
  code,
  message,
  from,
  to,
});

export const find = (given: readonly Given[], slot: Slot): Given | undefined =>
  given.find(({ form }) => form.slot === slot);

/** Sets → the text that `ipset save` prints. */
import type {
  CreateOptions,
  ElementPart,
  ExtensionName,
  Extensions,
  SetType,
} from "../../../grammar/sets/description.js";
import { CREATE_OPTIONS, EXTENSIONS, printRange, type SetOption } from "../../../grammar/sets/options.js";
import { setTypeNamed } from "../../../grammar/sets/types.js";
import { contextOf, type IpSet, type IpSets } from "../../state/sets.js";

/** What `ipset save` prints for these sets; of a set whose elements are not known, the line that creates it. */
export function printSets(sets: IpSets): string {
  const all = [...sets.values()];
  const lines: string[] = [];
  // Lists stand behind the sets they may name.
  for (const lists of [false, true]) {
    for (const set of all) if ((setTypeNamed(set.type)?.method === "list") === lists) printSet(set, lines);
  }
  return lines.length === 0 ? "" : `${lines.join("\n")}\n`;
}

function printSet(set: IpSet, lines: string[]): undefined {
  const type = setTypeNamed(set.type);
  if (type === undefined) return;
  const { options } = set;
  lines.push(
    words("create", set.name, type.name, ...type.options.map((name) => printOption(name, options, type))),
  );
  for (const { parts, extensions } of set.entries ?? []) {
    const element = printElement(type, parts, options);
    lines.push(
      words("add", set.name, element, ...type.extensions.map((name) => printExtension(name, extensions))),
    );
  }
}

function words(...parts: readonly string[]): string {
  return parts.filter((part) => part !== "").join(" ");
}

function printOption<K extends keyof CreateOptions>(name: K, options: CreateOptions, type: SetType): string {
  const value = options[name];
  if (value === undefined) return "";
  if (name === "range") return `range ${printRange(value as NonNullable<CreateOptions["range"]>, type)}`;
  return printGiven(name, CREATE_OPTIONS[name] as SetOption<unknown>, value);
}

function printExtension(name: ExtensionName, extensions: Extensions): string {
  const value = extensions[name];
  return value === undefined ? "" : printGiven(name, EXTENSIONS[name] as SetOption<unknown>, value);
}

function printGiven(name: string, option: SetOption<unknown>, value: unknown): string {
  return option.print === undefined ? name : `${name} ${option.print(value)}`;
}

export function printElement(type: SetType, parts: readonly ElementPart[], options: CreateOptions): string {
  const context = contextOf(options);
  return parts.map((part, index) => type.dimensions[index]?.print(part, context) ?? "").join(",");
}

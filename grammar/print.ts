/** Options as iptables-save prints them. */
import type { Family } from "./address.js";
import type { Flavour, Given, OptionTable } from "./description.js";

/** An option as iptables-save prints it. */
export interface PrintedOption {
  readonly name: string;
  readonly negated: boolean;
  /** Absent for an option without value. */
  readonly value?: string;
}

/** The options that iptables-save prints, in its order. */
export function printedOptions(
  table: OptionTable,
  given: Given,
  family: Family,
  flavour: Flavour = "legacy",
): readonly PrintedOption[] {
  const printed: PrintedOption[] = [];
  for (const key in table) {
    const option = table[key];
    const one = given[key];
    if (option === undefined || one === undefined || option.hidden?.(one.value, one.negated, given, flavour))
      continue;
    const { name, value } = option;
    const { negated } = one;
    printed.push(
      value === undefined ? { name, negated } : { name, negated, value: value.print(one.value, family) },
    );
  }
  return printed;
}

/** The same as words with blanks between them. */
export function printedText(table: OptionTable, given: Given, family: Family): string {
  return printedOptions(table, given, family)
    .flatMap(({ name, negated, value }) => [negated ? "!" : "", name, value ?? ""])
    .filter((word) => word !== "")
    .join(" ");
}

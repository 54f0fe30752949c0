/** What tcp, udp and sctp share: `--sport` and `--dport`. */
import type { GivenOption, Option } from "./description.js";
import { type Condition, type NumberField, negatedIf, type Range } from "./meaning.js";
import { portRangeKind } from "./values.js";

/** The whole range says nothing, and iptables-save leaves it out. */
const wholeRange = (range: Range, negated: boolean) => !negated && range.from === 0 && range.to === 65535;

export const SOURCE_PORT = {
  name: "--sport",
  aliases: ["--source-port"],
  value: portRangeKind,
  negatable: true,
  hidden: wholeRange,
} satisfies Option<Range>;

export const DESTINATION_PORT = {
  name: "--dport",
  aliases: ["--destination-port"],
  value: portRangeKind,
  negatable: true,
  hidden: wholeRange,
} satisfies Option<Range>;

/** Conditions of the two port options, where given. */
export function portConditions(given: {
  readonly sourcePort?: GivenOption<Range>;
  readonly destinationPort?: GivenOption<Range>;
}): readonly Condition[] {
  const condition = (field: NumberField, option: GivenOption<Range> | undefined): Condition[] =>
    option ? [negatedIf(option.negated, { kind: "within", field, ranges: [option.value] })] : [];
  return [
    ...condition("sourcePort", given.sourcePort),
    ...condition("destinationPort", given.destinationPort),
  ];
}

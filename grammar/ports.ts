/** What tcp, udp, sctp and dccp share: `--sport` and `--dport`. */
import type { GivenOption, Option } from "./description.js";
import { type Condition, type NumberField, negatedIf, type Range } from "./meaning.js";
import { isWhole, portRangeKind } from "./values.js";

const portOption = (name: string, alias: string, hidden: (range: Range, negated: boolean) => boolean) =>
  ({ name, aliases: [alias], value: portRangeKind, negatable: true, hidden }) satisfies Option<Range>;

/** The whole range says nothing, and iptables-save leaves it out: for tcp and udp even with `!` before it. */
const whole = isWhole(65535);
const wholeUnlessNegated = (range: Range, negated: boolean) => !negated && whole(range);

export const SOURCE_PORT = portOption("--sport", "--source-port", whole);
export const DESTINATION_PORT = portOption("--dport", "--destination-port", whole);

/** The same for sctp and dccp. */
export const SHOWN_SOURCE_PORT = portOption("--sport", "--source-port", wholeUnlessNegated);
export const SHOWN_DESTINATION_PORT = portOption("--dport", "--destination-port", wholeUnlessNegated);

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

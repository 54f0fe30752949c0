/** What tcp, udp, sctp and dccp share: `--sport` and `--dport`. */
import type { GivenOption, Option, ValueKind } from "./description.js";
import { type Condition, type NumberField, negatedIf, type Range } from "./meaning.js";
import { isWhole } from "./values.js";

const whole = isWhole(65535);

/**
 * The two port options, whose values are of the kind given. `wholeIsHidden` for tcp and udp: iptables-save leaves out the
 * range of all ports, even with `!` before it.
 */
export function portOptions(kind: ValueKind<Range>, { wholeIsHidden }: { readonly wholeIsHidden: boolean }) {
  const option = (name: string, alias: string) =>
    ({
      name,
      aliases: [alias],
      value: kind,
      negatable: true,
      hidden: (range: Range) => wholeIsHidden && whole(range),
    }) satisfies Option<Range>;
  return {
    sourcePort: option("--sport", "--source-port"),
    destinationPort: option("--dport", "--destination-port"),
  };
}

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

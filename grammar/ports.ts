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

interface GivenPorts {
  readonly sourcePort?: GivenOption<Range>;
  readonly destinationPort?: GivenOption<Range>;
}

/** Whether the options ask nothing of ports. */
export function asksNoPort({ sourcePort, destinationPort }: GivenPorts): boolean {
  return [sourcePort, destinationPort].every(
    (one) => one === undefined || (!one.negated && whole(one.value)),
  );
}

/**
 * What iptables-nft (1.8.9) makes of the port options: those not below a number are those above it, and a question that
 * holds for no port is forgotten.
 */
export function portsForNft<G extends GivenPorts>(given: G): G {
  const turned = (option: GivenOption<Range> | undefined): GivenOption<Range> | undefined => {
    if (!option?.negated || option.value.from !== 0 || option.value.to === 0) return option;
    return whole(option.value)
      ? undefined
      : { value: { from: Number(option.value.to) + 1, to: 65535 }, negated: false };
  };
  const { sourcePort, destinationPort, ...rest } = given;
  const [source, destination] = [turned(sourcePort), turned(destinationPort)];
  return {
    ...rest,
    ...(source ? { sourcePort: source } : {}),
    ...(destination ? { destinationPort: destination } : {}),
  } as G;
}

/**
 * Two matches of one rule as iptables-nft-save (1.8.9) shows them, in one: what the later one asks takes the place of what
 * the earlier did, a range that is open at an end leaves that end, and `!` stays.
 */
export function portsTogether(first: GivenPorts, next: GivenPorts): GivenPorts {
  const together = (
    before: GivenOption<Range> | undefined,
    after: GivenOption<Range> | undefined,
  ): GivenOption<Range> | undefined => {
    if (before === undefined || after === undefined) return after ?? before;
    const { from, to } = after.value;
    return {
      value: {
        from: from === 0 && to > 0 && !after.negated ? before.value.from : from,
        to: to === 65535 && from < 65535 && !after.negated ? before.value.to : to,
      },
      negated: before.negated || after.negated,
    };
  };
  const source = together(first.sourcePort, next.sourcePort);
  const destination = together(first.destinationPort, next.destinationPort);
  return {
    ...(source ? { sourcePort: source } : {}),
    ...(destination ? { destinationPort: destination } : {}),
  };
}

/** Conditions of the two port options, where given. */
export function portConditions(given: GivenPorts): readonly Condition[] {
  const condition = (field: NumberField, option: GivenOption<Range> | undefined): Condition[] =>
    option ? [negatedIf(option.negated, { kind: "within", field, ranges: [option.value] })] : [];
  return [
    ...condition("sourcePort", given.sourcePort),
    ...condition("destinationPort", given.destinationPort),
  ];
}

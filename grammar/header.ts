/**
 * The options that need no `-m`, in the order in which iptables-save prints them: -s -d -i -o -p -f.
 */

import type { Network } from "./address.js";
import { type Flavour, flag, type Given, type Option } from "./description.js";
import { EGRESS, INGRESS } from "./hooks.js";
import { allOf, type Condition, negatedIf, within } from "./meaning.js";
import { interfaceKind, networkKind, networkRange, protocolKind } from "./values.js";

const negatable = { negatable: true } as const;

export const HEADER_OPTIONS = {
  source: {
    name: "-s",
    aliases: ["--source", "--src"],
    value: networkKind,
    makesRules: true,
    hidden: isEverything,
    ...negatable,
  } satisfies Option<Network>,
  destination: {
    name: "-d",
    aliases: ["--destination", "--dst"],
    value: networkKind,
    makesRules: true,
    hidden: isEverything,
    ...negatable,
  } satisfies Option<Network>,
  inInterface: {
    name: "-i",
    aliases: ["--in-interface"],
    hooks: INGRESS,
    value: interfaceKind,
    hidden: isAnyInterface,
    ...negatable,
  } satisfies Option<string>,
  outInterface: {
    name: "-o",
    aliases: ["--out-interface"],
    hooks: EGRESS,
    value: interfaceKind,
    hidden: isAnyInterface,
    ...negatable,
  } satisfies Option<string>,
  protocol: {
    name: "-p",
    aliases: ["--protocol", "--proto"],
    value: protocolKind,
    hidden: (protocol: number, negated: boolean) => protocol === 0 && !negated,
    ...negatable,
  } satisfies Option<number>,
  fragment: flag("-f", { aliases: ["--fragments"], negatable: true, families: ["ipv4"] }),
} as const;

export type HeaderGiven = Given<typeof HEADER_OPTIONS>;

/** What the header asks, tested before all matches. */
export function headerCondition(given: HeaderGiven): Condition {
  const { source, destination, inInterface, outInterface, protocol, fragment } = given;
  return allOf([
    ...(source ? [negatedIf(source.negated, inNetworkCondition("source", source.value))] : []),
    ...(destination
      ? [negatedIf(destination.negated, inNetworkCondition("destination", destination.value))]
      : []),
    ...(inInterface
      ? [negatedIf(inInterface.negated, interfaceCondition("inInterface", inInterface.value))]
      : []),
    ...(outInterface
      ? [negatedIf(outInterface.negated, interfaceCondition("outInterface", outInterface.value))]
      : []),
    ...(protocol && protocol.value !== 0
      ? [negatedIf(protocol.negated, within("protocol", protocol.value))]
      : []),
    ...(fragment ? [negatedIf(fragment.negated, within("fragmentOffset", 1, 8191))] : []),
  ]);
}

/** The address field lies in the network; masks with holes are asked bit by bit. */
function inNetworkCondition(field: "source" | "destination", network: Network): Condition {
  const range = networkRange(network);
  return range === undefined
    ? { kind: "masked", field, value: network.address, mask: network.mask }
    : { kind: "within", field, ranges: [range] };
}

function interfaceCondition(field: "inInterface" | "outInterface", pattern: string): Condition {
  // `+` alone matches every packet, also one that has no such interface at this hook.
  return pattern === "+" ? { kind: "always" } : { kind: "oneOf", field, words: [pattern] };
}

function isEverything(network: Network, negated: boolean): boolean {
  return !negated && !network.mask;
}

/** `! -i +` holds for no packet; the older iptables drops it from what it prints. */
function isAnyInterface(pattern: string, negated: boolean, _given: Given, flavour: Flavour): boolean {
  return pattern === "+" && !(negated && flavour === "nft");
}

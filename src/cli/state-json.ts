/** NodeState as JSON: the `state` of landfall/compile@1. */
import { type Address, type Family, printAddress, printNetwork } from "../../grammar/address.js";
import type { Given, OptionTable } from "../../grammar/description.js";
import { matchNamed, targetNamed } from "../../grammar/extensions.js";
import { HEADER_OPTIONS } from "../../grammar/header.js";
import { printedOptions } from "../../grammar/print.js";
import type { Network } from "../state/network.js";
import type { NodeState } from "../state/nodestate.js";
import {
  type Chain,
  type Counters,
  type Rule,
  type Ruleset,
  rulesOf,
  type TargetTerm,
} from "../state/rules.js";
import { printRule } from "../text/save.js";
import type { NetworkDocument, OptionDocument, RuleDocument, StateDocument } from "./schemas.js";

/** The whole state; parts that it does not have are null. */
export function stateDocument(state: NodeState): StateDocument {
  const rulesets = [state.rulesets.ipv4, state.rulesets.ipv6].filter((one) => one !== undefined);
  return {
    rulesets: rulesets.map(rulesetDocument),
    network: state.network === undefined ? null : networkDocument(state.network),
  };
}

function rulesetDocument({ family, tables }: Ruleset): StateDocument["rulesets"][number] {
  return {
    family,
    tables: [...tables.values()].map(({ name, chains }) => ({
      name,
      chains: [...chains.values()].map((chain) => ({
        name: chain.name,
        policy: chain.policy ?? null,
        ...counters(chain.counters),
        rules: rulesOf(chain).map((rule, index) => ruleDocument(rule, index + 1, chain, family)),
      })),
    })),
  };
}

function ruleDocument(rule: Rule, number: number, chain: Chain, family: Family): RuleDocument {
  return {
    rule: number,
    text: printRule(rule, chain.name, family),
    line: rule.place?.line ?? null,
    ...counters(rule.counters),
    header: options(HEADER_OPTIONS, rule.header, family),
    matches: rule.matches.map((term) =>
      term.kind === "unknown-match"
        ? { name: term.name, options: [], words: [...term.words] }
        : {
            name: term.name,
            options: options(matchNamed(term.name, family)?.options, term.given, family),
            words: null,
          },
    ),
    target: rule.target === undefined ? null : targetDocument(rule.target, family),
  };
}

function targetDocument(target: TargetTerm, family: Family): NonNullable<RuleDocument["target"]> {
  switch (target.kind) {
    case "chain":
      return { kind: "chain", chain: target.chain, goto: target.goto };
    case "unknown-target":
      return { kind: "target", name: target.name, options: [], words: [...target.words] };
    case "target":
      return {
        kind: "target",
        name: target.name,
        options: options(targetNamed(target.name, family)?.options, target.given, family),
        words: null,
      };
  }
}

function options(table: OptionTable | undefined, given: Given, family: Family): OptionDocument[] {
  return printedOptions(table ?? {}, given, family).map(({ name, negated, value }) => ({
    option: name,
    negated,
    value: value ?? null,
  }));
}

function counters(given: Counters | undefined): { packets: string | null; bytes: string | null } {
  return given === undefined
    ? { packets: null, bytes: null }
    : { packets: `${given.packets}`, bytes: `${given.bytes}` };
}

function networkDocument({ interfaces, routes, masquerade, sysctls }: Network): NetworkDocument {
  return {
    interfaces:
      interfaces?.map(({ name, addresses, ports }) => ({
        name,
        addresses: addresses.map(({ address, subnet }) => printNetwork({ address, mask: subnet.mask })),
        ports: ports?.map((one) => ({ name: one.name, hosts: one.hosts.map(printAddress) })) ?? null,
      })) ?? null,
    routes:
      routes?.map(({ type, to, via, dev, src, metric }) => ({
        type,
        to: printNetwork(to),
        via: addressText(via),
        dev: dev ?? null,
        src: addressText(src),
        metric: metric ?? null,
      })) ?? null,
    masquerade: (masquerade ?? []).map(printAddress),
    sysctls: Object.fromEntries(sysctls),
  };
}

function addressText(address: Address | undefined): string | null {
  return address === undefined ? null : printAddress(address);
}

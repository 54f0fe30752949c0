/** NodeState as JSON: the `state` of landfall/compile@1. */
import {
  type Address,
  type Family,
  type Network as Prefix,
  printAddress,
  printNetwork,
} from "../../grammar/address.js";
import type { Given, OptionTable } from "../../grammar/description.js";
import { matchNamed, targetNamed } from "../../grammar/extensions.js";
import { HEADER_OPTIONS } from "../../grammar/header.js";
import { printedOptions } from "../../grammar/print.js";
import { protocolName } from "../../grammar/protocols.js";
import type { Interface, Network, PolicyRule, Route } from "../state/network.js";
import type { NodeState } from "../state/nodestate.js";
import {
  type Chain,
  type Counters,
  type Rule,
  type Ruleset,
  rulesOf,
  type TargetTerm,
} from "../state/rules.js";
import type { IpSet } from "../state/sets.js";
import {
  familyOfService,
  type Scheduling,
  type VirtualServer,
  type VirtualServers,
} from "../state/virtual-servers.js";
import { printSets } from "../text/ipset/save.js";
import { printRule } from "../text/save.js";
import type { NetworkDocument, OptionDocument, RuleDocument, StateDocument } from "./schemas/state.js";

/** The whole state; parts that it does not have are null. */
export function stateDocument(state: NodeState): StateDocument {
  const rulesets = [state.rulesets.ipv4, state.rulesets.ipv6].filter((one) => one !== undefined);
  return {
    rulesets: rulesets.map(rulesetDocument),
    network: state.network === undefined ? null : networkDocument(state.network),
    sets: state.sets === undefined ? null : [...state.sets.values()].map(setDocument),
    virtualServers: state.virtualServers === undefined ? null : virtualServersDocument(state.virtualServers),
  };
}

type SetDocument = NonNullable<StateDocument["sets"]>[number];
type VirtualServersDocument = NonNullable<StateDocument["virtualServers"]>;

function setDocument(set: IpSet): SetDocument {
  const [create = "", ...entries] = printSets(new Map([[set.name, set]]))
    .split("\n")
    .slice(0, -1);
  return {
    name: set.name,
    type: set.type,
    options: create.slice(`create ${set.name} ${set.type} `.length),
    entries: set.entries === undefined ? null : entries.map((line) => line.slice(`add ${set.name} `.length)),
  };
}

function virtualServersDocument({ services, timeouts = {} }: VirtualServers): VirtualServersDocument {
  const { tcp = null, tcpFin = null, udp = null } = timeouts;
  return { services: services.map(virtualServerDocument), timeouts: { tcp, tcpFin, udp } };
}

function virtualServerDocument({
  key,
  scheduling,
  destinations,
}: VirtualServer): VirtualServersDocument["services"][number] {
  const isMark = key.kind === "mark";
  return {
    family: familyOfService(key),
    protocol: isMark ? null : protocolName(key.protocol),
    address: isMark ? null : printAddress(key.address),
    port: isMark ? null : key.port,
    mark: isMark ? key.mark : null,
    scheduling: scheduling === undefined ? null : schedulingDocument(scheduling),
    servers: destinations.map((server) => ({
      address: printAddress(server.address),
      port: server.port,
      forwarding: server.forwarding?.kind ?? null,
      weight: server.weight ?? null,
      activeConnections: server.activeConnections ?? null,
      inactiveConnections: server.inactiveConnections ?? null,
    })),
  };
}

function schedulingDocument({
  scheduler,
  flags,
  persistence,
  persistenceEngine,
  onePacket,
}: Scheduling): VirtualServersDocument["services"][number]["scheduling"] {
  return {
    scheduler,
    flags: [...flags],
    persistence:
      persistence === undefined
        ? null
        : { seconds: persistence.timeoutSeconds, mask: printAddress(persistence.mask) },
    persistenceEngine: persistenceEngine ?? null,
    onePacket,
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

function networkDocument(network: Network): NetworkDocument {
  return {
    interfaces: network.interfaces?.map(interfaceDocument) ?? null,
    addressFamilies: network.addressFamilies === undefined ? null : [...network.addressFamilies],
    routes: network.routes?.map(routeDocument) ?? null,
    routeFamilies: network.routeFamilies === undefined ? null : [...network.routeFamilies],
    policyRules: network.policyRules?.map(policyRuleDocument) ?? null,
    listeners:
      network.listeners?.map(({ protocol, address, port, transparent }) => ({
        protocol,
        address: addressText(address),
        port,
        transparent,
      })) ?? null,
    masquerade: (network.masquerade ?? []).map(printAddress),
    sysctls: Object.fromEntries(network.sysctls),
  };
}

function interfaceDocument(one: Interface): NonNullable<NetworkDocument["interfaces"]>[number] {
  return {
    name: one.name,
    addresses: one.addresses.map(({ address, subnet }) => printNetwork({ address, mask: subnet.mask })),
    details: one.addresses.map(({ peer, broadcast, scope, flags }) => ({
      peer: addressText(peer),
      broadcast: addressText(broadcast),
      scope: scope ?? null,
      flags: [...(flags ?? [])],
    })),
    ports:
      one.ports?.map(({ name, hosts, hairpin }) => ({
        name,
        hosts: hosts?.map(printAddress) ?? null,
        hairpin: hairpin ?? null,
      })) ?? null,
    index: one.index ?? null,
    flags: one.flags === undefined ? null : [...one.flags],
    mtu: one.mtu ?? null,
    linkAddress: one.linkAddress ?? null,
    kind: one.kind ?? null,
    master: one.master ?? null,
    link: one.link ?? null,
  };
}

function routeDocument(route: Route): NonNullable<NetworkDocument["routes"]>[number] {
  return {
    type: route.type,
    to: printNetwork(route.to),
    via: addressText(route.via),
    dev: route.dev ?? null,
    src: addressText(route.src),
    metric: route.metric ?? null,
    from: prefixText(route.from),
    table: route.table ?? null,
    proto: route.proto ?? null,
    scope: route.scope ?? null,
    flags: [...(route.flags ?? [])],
    nextHops: (route.nextHops ?? []).map(({ via, dev, weight, flags }) => ({
      via: addressText(via),
      dev: dev ?? null,
      weight: weight ?? null,
      flags: [...(flags ?? [])],
    })),
    attributes: attributes(route.attributes),
  };
}

function policyRuleDocument(rule: PolicyRule): NonNullable<NetworkDocument["policyRules"]>[number] {
  return {
    family: rule.family,
    priority: rule.priority,
    not: rule.not ?? false,
    from: prefixText(rule.from),
    to: prefixText(rule.to),
    fwmark: rule.fwmark === undefined ? null : { ...rule.fwmark },
    iif: rule.iif ?? null,
    oif: rule.oif ?? null,
    action: rule.action,
    table: rule.table ?? null,
    goto: rule.goto ?? null,
    attributes: attributes(rule.attributes),
  };
}

function attributes(pairs: Route["attributes"] = []): { name: string; value: string }[] {
  return pairs.map(([name, value]) => ({ name, value }));
}

function prefixText(prefix: Prefix | undefined): string | null {
  return prefix === undefined ? null : printNetwork(prefix);
}

function addressText(address: Address | undefined): string | null {
  return address === undefined ? null : printAddress(address);
}

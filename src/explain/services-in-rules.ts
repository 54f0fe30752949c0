/** The service ports that the comments of kube-proxy's rules name: where they are reached, and their endpoints. */
import type { Address } from "../../grammar/address.js";
import type { Condition, NumberField } from "../../grammar/meaning.js";
import type { KnownService } from "../cluster/resolve.js";
import { meaningOf, type RuleMeaning } from "../state/meaning.js";
import { type Ruleset, rulesOf } from "../state/rules.js";
import { servicePortNamedBy } from "./service-port.js";

export interface ServicesInRules {
  /** Those that are reached by a cluster IP. */
  readonly services: readonly KnownService[];
  /** Names `namespace/name:port` of the service ports that have this endpoint, by `endpointKey`. */
  readonly endpoints: ReadonlyMap<string, ReadonlySet<string>>;
  /** Names of all service ports. */
  readonly names: ReadonlySet<string>;
}

export function endpointKey(address: Address, port: number): string {
  return `${address} ${port}`;
}

/** Looks at the comments of the nat tables. */
export function servicesInRules(rulesets: readonly Ruleset[]): ServicesInRules {
  const services = new Map<string, KnownService>();
  const endpoints = new Map<string, Set<string>>();
  const names = new Set<string>();
  for (const { family, tables } of rulesets) {
    for (const rule of [...(tables.get("nat")?.chains.values() ?? [])].flatMap(rulesOf)) {
      const named = servicePortNamedBy(rule);
      if (named === undefined) continue;
      names.add(named.name);
      const meaning = meaningOf(rule, family);
      const endpoint = endpointOf(meaning);
      if (endpoint !== undefined)
        endpoints.set(endpoint, (endpoints.get(endpoint) ?? new Set()).add(named.name));
      if (named.reachedBy === "cluster IP") addPort(services, named.name, meaning);
    }
  }
  return { services: [...services.values()], endpoints, names };
}

/** Where a DNAT rule sends packets. */
function endpointOf({ effect }: RuleMeaning): string | undefined {
  if (effect.kind !== "rewrite" || effect.side !== "destination") return undefined;
  const { addresses, ports } = effect.to;
  if (addresses === undefined || ports === undefined || addresses.from !== addresses.to) return undefined;
  return endpointKey(addresses.from, Number(ports.from));
}

const SERVICE_PORT = /^([^/]+)\/([^:]+)(?::(.+))?$/;

function addPort(services: Map<string, KnownService>, name: string, { matches }: RuleMeaning): void {
  const [, namespace = "", own = "", port = ""] = SERVICE_PORT.exec(name) ?? [];
  const single = (field: NumberField) =>
    singleValue(
      field,
      matches.map(({ condition }) => condition),
    );
  const [clusterIP, number, protocol] = [
    single("destination"),
    single("destinationPort"),
    single("protocol"),
  ];
  if (clusterIP === undefined || number === undefined || protocol === undefined) return;
  const key = `${namespace}/${own}`;
  const { ports } = services.get(key) ?? { ports: [] };
  const added = { name: port, port: Number(number), protocol: Number(protocol) };
  if (ports.some((one) => one.name === port && one.protocol === added.protocol)) return;
  services.set(key, { namespace, name: own, clusterIP, ports: [...ports, added] });
}

/** The one value that the conditions leave of a field. */
function singleValue(field: NumberField, conditions: readonly Condition[]): Address | undefined {
  for (const condition of conditions) {
    if (condition.kind === "all") {
      const value = singleValue(field, condition.of);
      if (value !== undefined) return value;
    }
    if (condition.kind !== "within" || condition.field !== field || condition.ranges.length !== 1) continue;
    const [range] = condition.ranges;
    if (range !== undefined && range.from === range.to) return range.from;
  }
  return undefined;
}

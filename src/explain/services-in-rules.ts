/** The service ports that rules name: where their cluster IPs are, and their endpoints. Nothing is evaluated. */
import type { Address } from "../../grammar/address.js";
import type { KnownService } from "../cluster/resolve.js";
import { type Ruleset, rulesOf } from "../state/rules.js";
import { endsOfService, findServices, kindOf } from "./find-services.js";
import { translationOf } from "./proxy-view.js";
import { withoutColon } from "./service-names.js";
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

/** Of all families; names are those of comments, which nothing proves. */
export function servicesInRules(rulesets: readonly Ruleset[]): ServicesInRules {
  const services = new Map<string, KnownService>();
  const endpoints = new Map<string, Set<string>>();
  const names = new Set<string>();
  for (const ruleset of rulesets) {
    for (const found of findServices(ruleset)) {
      for (const written of found.names) {
        const name = withoutColon(written);
        names.add(name);
        for (const { end, entries } of endsOfService(found)) {
          if (end.address !== undefined && kindOf(end, entries) === "cluster IP")
            addPort(services, name, end.address, end);
        }
      }
    }
    for (const rule of [...(ruleset.tables.get("nat")?.chains.values() ?? [])].flatMap(rulesOf)) {
      const name = servicePortNamedBy(rule)?.name;
      const to = name === undefined ? undefined : translationOf(rule, ruleset.family);
      if (name === undefined || to?.address === undefined || to.port === undefined) continue;
      const key = endpointKey(to.address, to.port);
      endpoints.set(key, (endpoints.get(key) ?? new Set()).add(name));
    }
  }
  return { services: [...services.values()], endpoints, names };
}

const SERVICE_PORT = /^([^/]+)\/([^:]+)(?::(.+))?$/;

function addPort(
  services: Map<string, KnownService>,
  name: string,
  clusterIP: Address,
  { port: number, protocol }: { readonly port: number; readonly protocol: number },
): void {
  const [, namespace = "", own = "", port = ""] = SERVICE_PORT.exec(name) ?? [];
  if (own === "") return;
  const key = `${namespace}/${own}`;
  const { ports } = services.get(key) ?? { ports: [] };
  if (ports.some((one) => one.name === port && one.protocol === protocol)) return;
  services.set(key, {
    namespace,
    name: own,
    clusterIP,
    ports: [...ports, { name: port, port: number, protocol }],
  });
}

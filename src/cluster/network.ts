/**
 * landfall's own network YAML: the interfaces, addresses, routes, policy rules, listeners and sysctls of a node. Since no
 * other program defines the form, fields that it does not have are pointed out.
 */

import * as z from "zod/mini";
import {
  type Address,
  type Family,
  familyOf,
  prefixMask,
  readAddress,
  readNetwork,
} from "../../grammar/address.js";
import { PROTOCOL } from "../../grammar/protocols.js";
import { checked, checkFieldNames } from "../documents/check.js";
import { type Document, isRecord, type Path } from "../documents/document.js";
import { appendAll } from "../problems/append.js";
import { nearest } from "../problems/nearest.js";
import type { Problem } from "../problems/problem.js";
import {
  type Interface,
  type InterfaceAddress,
  type Listener,
  type Network,
  type PolicyRule,
  type Route,
  sysctlName,
  usualRules,
} from "../state/network.js";
import { readAddedRule } from "../text/ip-rule.js";
import { LOOPBACK } from "./node.js";
import { absent, address, flag, portNumber, present, text } from "./objects/fields.js";

const interfaceName = z.string().check(z.minLength(1), z.maxLength(15));
const addressWithLength = z
  .string()
  .check(z.refine((value) => readNetwork(value) !== undefined, "is no address such as 10.0.1.50/24"));
const destination = z
  .string()
  .check(
    z.refine(
      (value) => value === "default" || readNetwork(value) !== undefined,
      "is no CIDR such as 10.244.2.0/24, and not default",
    ),
  );

const policyRule = z
  .string()
  .check(
    z.refine(
      (value) => readAddedRule(value) !== undefined,
      "is no policy rule as `ip rule add` takes it, such as from 10.1.0.0/16 fwmark 0x1 lookup 100",
    ),
  );

const portSchema = z.looseObject({ name: interfaceName, hosts: absent(z.array(address)), hairpin: flag });
const interfaceSchema = z.looseObject({
  name: interfaceName,
  kind: text,
  addresses: absent(z.array(addressWithLength)),
  ports: absent(z.array(portSchema)),
});
const routeSchema = z.looseObject({
  to: destination,
  via: absent(address),
  dev: absent(interfaceName),
  src: absent(address),
  onlink: flag,
  type: absent(
    z.enum(["unicast", "local", "broadcast", "multicast", "blackhole", "unreachable", "prohibit", "throw"]),
  ),
  metric: absent(z.int().check(z.gte(0), z.lte(0xffffffff))),
  table: absent(
    z.union(
      [z.string().check(z.minLength(1)), z.int().check(z.gte(1))],
      "is no name and no number of a table",
    ),
  ),
});
const listenerSchema = z.looseObject({
  proto: z.enum(["tcp", "udp"]),
  address: absent(address),
  port: portNumber,
  transparent: flag,
});
const networkSchema = z.looseObject({
  family: absent(z.enum(["ipv4", "ipv6"])),
  interfaces: absent(z.array(interfaceSchema)),
  routes: absent(z.array(routeSchema)),
  rules: absent(z.array(policyRule)),
  listen: absent(z.array(listenerSchema)),
  sysctls: absent(z.record(z.string(), z.union([z.string(), z.number()], "is no number and no text"))),
});

export interface NetworkRead {
  /** Absent when there are errors. */
  readonly network?: Network;
  /** What the document says its packets are of. */
  readonly family?: Family;
  readonly problems: readonly Problem[];
}

/** A mapping with `interfaces` that is no Kubernetes object. */
export function isNetworkDocument(document: Document): boolean {
  const { value } = document;
  const has = (key: string) => isRecord(value) && Object.hasOwn(value, key);
  return has("interfaces") && !has("kind") && !has("apiVersion");
}

/**
 * Reads a network document. `lo` with its usual addresses is added unless it is named. Routes are unicast unless they
 * say otherwise; a `default` without gateway, and a rule without addresses, is of the document's family (ipv4 unless
 * given). Things stand in the order in which `ip addr add`, `ip rule add` … would add them: rules come on top of the usual
 * ones, and of IPv6 addresses the last is the first that the kernel looks at.
 */
export function readNetworkDocument(document: Document): NetworkRead {
  const problems: Problem[] = [];
  const object = checked(document, networkSchema, "network", problems);
  if (object === undefined) return { problems };
  checkFieldNames(document, networkSchema, { who: "network", effect: "", every: true }, problems);
  const interfaces: Interface[] = (object.interfaces ?? []).map(({ name, kind, addresses, ports }) => ({
    name,
    ...present("kind", kind),
    addresses: inKernelsOrder((addresses ?? []).map(interfaceAddress)),
    ...(ports
      ? {
          ports: ports.map((port) => ({
            name: port.name,
            ...present("hosts", port.hosts?.map(addressOf)),
            hairpin: port.hairpin ?? false,
          })),
        }
      : {}),
  }));
  appendAll(problems, unknownDevices(document, interfaces, object.routes ?? []));
  if (!interfaces.some(({ name }) => name === "lo")) interfaces.push({ name: "lo", addresses: LOOPBACK });
  const routes = (object.routes ?? []).map((route): Route => {
    const near = route.via || route.src;
    const family = near ? (near.includes(":") ? "ipv6" : "ipv4") : (object.family ?? "ipv4");
    const everywhere = { address: family === "ipv4" ? 0 : 0n, mask: prefixMask(0, family) };
    return {
      type: route.type ?? "unicast",
      to: route.to === "default" ? everywhere : (readNetwork(route.to) ?? everywhere),
      ...present("via", route.via ? addressOf(route.via) : undefined),
      ...present("dev", route.dev),
      ...present("src", route.src ? addressOf(route.src) : undefined),
      ...present("metric", route.metric),
      ...present("table", route.table?.toString()),
      ...(route.onlink ? { flags: ["onlink"] } : {}),
    };
  });
  const sysctls = new Map(
    Object.entries(object.sysctls ?? {}).map(([name, value]) => [sysctlName(name), String(value)]),
  );
  const policyRules = object.rules && rulesAdded(object.rules, object.family ?? "ipv4");
  const listeners = object.listen?.map(
    (one): Listener => ({
      protocol: PROTOCOL[one.proto],
      ...present("address", one.address ? wildcardless(addressOf(one.address)) : undefined),
      port: one.port,
      transparent: one.transparent ?? false,
    }),
  );
  const network: Network = {
    interfaces,
    routes,
    ...present("policyRules", policyRules),
    ...present("listeners", listeners),
    sysctls,
  };
  return { network, ...present("family", object.family), problems };
}

/** The usual rules and those that `ip rule add` adds; one without a priority goes before the second of the list. */
function rulesAdded(texts: readonly string[], byDefault: Family): readonly PolicyRule[] {
  const byFamily = new Map<Family, PolicyRule[]>();
  for (const text of texts) {
    const added = readAddedRule(text);
    if (added === undefined) continue;
    const prefix = added.from ?? added.to;
    const family = prefix === undefined ? byDefault : familyOf(prefix.address);
    const rules = byFamily.get(family) ?? [...usualRules(family)];
    byFamily.set(family, rules);
    const second = rules[1]?.priority ?? 0;
    const priority = added.priority ?? Math.max(0, second - 1);
    const after = rules.findIndex((other) => other.priority > priority);
    rules.splice(after === -1 ? rules.length : after, 0, { ...added, family, priority });
  }
  return [...byFamily.values()].flat();
}

/** The kernel keeps the addresses of IPv6 with the newest first. */
function inKernelsOrder(added: readonly InterfaceAddress[]): readonly InterfaceAddress[] {
  const isIPv6 = ({ address }: InterfaceAddress) => typeof address === "bigint";
  return [...added.filter((own) => !isIPv6(own)), ...added.filter(isIPv6).reverse()];
}

/** 0.0.0.0 and :: stand for all addresses. */
function wildcardless(address: Address): Address | undefined {
  return address === 0 || address === 0n ? undefined : address;
}

function interfaceAddress(text: string): InterfaceAddress {
  const address = addressOf(text.split("/")[0] ?? "");
  return { address, subnet: readNetwork(text) ?? { address, mask: address } };
}

/** The schema has let only addresses through. */
function addressOf(text: string): Address {
  return readAddress(text) ?? 0;
}

function unknownDevices(
  document: Document,
  interfaces: readonly Interface[],
  routes: readonly { readonly dev?: string | null | undefined }[],
): readonly Problem[] {
  const names = [...interfaces.map(({ name }) => name), "lo"];
  return routes.flatMap(({ dev }, index): Problem[] => {
    if (!dev || names.includes(dev)) return [];
    return [
      warning(document, ["routes", index, "dev"], `no interface is called ${dev}`, nearest(dev, names)),
    ];
  });
}

function warning(document: Document, path: Path, message: string, near: string | undefined): Problem {
  return {
    code: "LF5002",
    severity: "warning",
    message: `network: ${message}`,
    place: document.placeOf(path),
    ...(near === undefined ? {} : { label: `did you mean ${near}?` }),
  };
}

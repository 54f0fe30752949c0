/** landfall's own network YAML: interfaces, addresses, routes and sysctls of a node. */
import { type Address, type Family, prefixMask, readAddress, readNetwork } from "../../grammar/address.js";
import { checked } from "../documents/check.js";
import { type Document, isRecord } from "../documents/read.js";
import type { Problem } from "../problems/problem.js";
import type { Interface, InterfaceAddress, Network, Route } from "../state/network.js";
import { LOOPBACK } from "./node.js";
import { networkSchema } from "./schemas.js";

export interface NetworkRead {
  /** Absent when there are errors. */
  readonly network?: Network;
  /** What the document says its addresses are of; default ipv4. */
  readonly family?: Family;
  readonly problems: readonly Problem[];
}

/** A mapping with `interfaces` that is no Kubernetes object. */
export function isNetworkDocument(document: Document): boolean {
  return isRecord(document.value) && "interfaces" in document.value && !("kind" in document.value);
}

/** Reads a network document. `lo` with its usual addresses is added unless it is named. */
export function readNetworkDocument(document: Document): NetworkRead {
  const problems: Problem[] = [];
  const object = checked(document, networkSchema, "network", problems);
  if (object === undefined) return { problems };
  const family = object.family ?? "ipv4";
  const interfaces: Interface[] = object.interfaces.map(({ name, addresses, ports }) => ({
    name,
    addresses: (addresses ?? []).map(interfaceAddress),
    ...(ports
      ? { ports: ports.map((port) => ({ name: port.name, hosts: (port.hosts ?? []).map(addressOf) })) }
      : {}),
  }));
  if (!interfaces.some(({ name }) => name === "lo")) interfaces.push({ name: "lo", addresses: LOOPBACK });
  const routes = (object.routes ?? []).map((route): Route => {
    // `default` is of the family of its gateway.
    const routeFamily = route.via ? (route.via.includes(":") ? "ipv6" : "ipv4") : family;
    const everywhere = { address: routeFamily === "ipv4" ? 0 : 0n, mask: prefixMask(0, routeFamily) };
    return {
      type: route.type ?? "unicast",
      to: route.to === "default" ? everywhere : (readNetwork(route.to) ?? everywhere),
      ...(route.via ? { via: addressOf(route.via) } : {}),
      ...(route.dev ? { dev: route.dev } : {}),
      ...(route.src ? { src: addressOf(route.src) } : {}),
      ...(route.metric === undefined || route.metric === null ? {} : { metric: route.metric }),
    };
  });
  const sysctls = new Map(
    Object.entries(object.sysctls ?? {}).map(([name, value]) => [name.replaceAll("/", "."), String(value)]),
  );
  return { network: { interfaces, routes, sysctls }, family, problems };
}

function interfaceAddress(text: string): InterfaceAddress {
  const address = addressOf(text.split("/")[0] ?? "");
  return { address, subnet: readNetwork(text) ?? { address, mask: address } };
}

/** The schema has let only addresses through. */
function addressOf(text: string): Address {
  return readAddress(text) ?? 0;
}

/** What names of service ports stand for: told by objects, and by the comments of rules in dumps. */
import { type Address, readAddress } from "../../grammar/address.js";
import type { Packet } from "../../grammar/packet.js";
import { PROTOCOL, protocolNumber } from "../../grammar/protocols.js";
import { servicePortName } from "../cluster/names.js";
import type { Landing } from "../evaluate/outcome.js";
import { endpointKey } from "../explain/services-in-rules.js";
import type { AskedNode } from "./asking.js";
import { endpointNames } from "./naming.js";

export interface ServiceNames {
  /** `namespace/name:port` of all service ports that the inputs name. */
  readonly all: ReadonlySet<string>;
  /** Those that have the landing's destination for an endpoint. */
  at(landing: Landing): readonly string[];
  /** The one that a packet is sent to; undefined when it is sent to none, or that is not known. */
  sentTo(packet: Packet): string | undefined;
}

export function serviceNames({ cluster, servicePorts }: AskedNode): ServiceNames {
  const inRules = servicePorts();
  const all = new Set(inRules.names);
  const reached = new Map<string, string>();
  const endpoints = endpointNames(cluster);
  for (const { namespace, name, clusterIP, ports } of inRules.services) {
    for (const { name: own, port, protocol } of ports) {
      if (clusterIP === undefined) continue;
      reached.set(reachedKey(clusterIP, port, protocol), servicePortName(namespace, name, own));
    }
  }
  for (const { meta, clusterIP, clusterIPs, externalIPs, ingress, ports } of cluster?.services ?? []) {
    const addresses = [clusterIP, ...clusterIPs, ...externalIPs, ...ingress.flatMap(({ ip }) => ip ?? [])];
    for (const { name, port, protocol } of ports) {
      const own = servicePortName(meta.namespace, meta.name, name);
      all.add(own);
      for (const address of addresses.flatMap((one) => readAddress(one) ?? []))
        reached.set(reachedKey(address, port, protocolNumber(protocol) ?? PROTOCOL.tcp), own);
    }
  }
  return {
    all,
    at({ dst, dport }) {
      if (dst === null || dport === null) return [];
      const key = endpointKey(dst, dport);
      return [...new Set([...(endpoints.get(key) ?? []), ...(inRules.endpoints.get(key) ?? [])])];
    },
    sentTo({ destination, destinationPort, protocol }) {
      return destinationPort === undefined
        ? undefined
        : reached.get(reachedKey(destination, destinationPort, protocol));
    },
  };
}

function reachedKey(address: Address, port: number, protocol: number): string {
  return `${endpointKey(address, port)}/${protocol}`;
}

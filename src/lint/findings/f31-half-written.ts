import { protocolName } from "../../../grammar/protocols.js";
import type { IpSets } from "../../state/sets.js";
import { membership } from "../../state/sets.js";
import { familyOfService, type ServiceKey } from "../../state/virtual-servers.js";
import type { Check, Found } from "../finding.js";
import { printEnd } from "../look.js";
import { endKey } from "./flows.js";
import { serverName, setNamed } from "./servers.js";

const CLUSTER_IPS = "KUBE-CLUSTER-IP";

/** Sets of kube-proxy whose members are address, protocol and port of virtual servers. */
const ADDRESS_SETS: readonly string[] = [
  CLUSTER_IPS,
  "KUBE-LOAD-BALANCER",
  "KUBE-EXTERNAL-IP",
  "KUBE-EXTERNAL-IP-LOCAL",
];

export const halfWritten: Check = {
  code: "LF3031",
  severity: "error",
  sureness: "sure",
  find({ state: { sets, virtualServers, network } }) {
    if (sets === undefined || virtualServers === undefined) return [];
    const found: Found[] = [];
    const served = new Set<string>();
    const local = new Set(
      (network?.interfaces ?? []).flatMap((one) => one.addresses.map(({ address }) => address)),
    );
    for (const { key } of virtualServers.services) {
      if (key.kind === "mark") continue;
      served.add(endKey(key.address, key.port, key.protocol));
      const isKnown = sets.get(setNamed(CLUSTER_IPS, familyOfService(key)))?.entries !== undefined;
      if (isKnown && !isNamed(sets, key) && !isNodePort(sets, key) && !local.has(key.address))
        found.push({
          message: `${serverName(key)} is a virtual server, but in none of kube-proxy's sets`,
          // Another program may have made it, and excludeCIDRs spared it.
          severity: "warning",
          sureness: "likely",
          seen: [],
        });
    }
    for (const family of ["ipv4", "ipv6"] as const) {
      const set = sets.get(setNamed(CLUSTER_IPS, family));
      for (const { parts } of set?.entries ?? []) {
        const [address, port] = parts;
        if ((typeof address !== "number" && typeof address !== "bigint") || !isPort(port)) continue;
        if (served.has(endKey(address, port.port, port.protocol))) continue;
        const name = `${printEnd(address, port.port)}/${protocolName(port.protocol)}`;
        found.push({
          message: `${name} is in ${set?.name}, but no virtual server`,
          seen: set?.place === undefined ? [] : [{ place: set.place, words: `set ${set.name}` }],
        });
      }
    }
    return found;
  },
};

/** The sets of node ports, as bare ports or with the node's address. */
const NODE_PORT_SETS: readonly string[] = ["KUBE-NODE-PORT-TCP", "KUBE-NODE-PORT-UDP"];
const NODE_PORT_HASH = "KUBE-NODE-PORT-SCTP-HASH";

type AddressKey = Extract<ServiceKey, { kind: "address" }>;

function isNamed(sets: IpSets, key: AddressKey): boolean {
  const packet = packetTo(key);
  return [...ADDRESS_SETS, NODE_PORT_HASH].some(
    (name) => membership(sets, setNamed(name, packet.family), ["dst", "dst"], packet) === "yes",
  );
}

function isNodePort(sets: IpSets, key: AddressKey): boolean {
  const packet = packetTo(key);
  return NODE_PORT_SETS.some(
    (name) => membership(sets, setNamed(name, packet.family), ["dst"], packet) === "yes",
  );
}

function packetTo(key: AddressKey) {
  const { protocol, address: destination, port: destinationPort } = key;
  return { family: familyOfService(key), protocol, destination, destinationPort };
}

interface PortPart {
  readonly protocol: number;
  readonly port: number;
}

function isPort(part: unknown): part is PortPart {
  return typeof part === "object" && part !== null && "protocol" in part && "port" in part;
}

import { protocolName } from "../../../grammar/protocols.js";
import type { IpSets } from "../../state/sets.js";
import { membership } from "../../state/sets.js";
import { familyOfService, type ServiceKey } from "../../state/virtual-servers.js";
import type { Check, Found } from "../finding.js";
import { printEnd } from "../look.js";
import { endKey } from "./flows.js";
import { serverName } from "./servers.js";

/** Sets of kube-proxy whose members are address, protocol and port of virtual servers; in `6-` the same for IPv6. */
const ADDRESS_SETS: readonly string[] = [
  "KUBE-CLUSTER-IP",
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
      const prefix = familyOfService(key) === "ipv6" ? "6-" : "";
      const isKnown = sets.get(`${prefix}KUBE-CLUSTER-IP`)?.entries !== undefined;
      if (isKnown && !isNamed(sets, prefix, key) && !isNodePort(sets, prefix, key) && !local.has(key.address))
        found.push({
          message: `${serverName(key)} is a virtual server, but in none of kube-proxy's sets`,
          seen: [],
        });
    }
    for (const prefix of ["", "6-"]) {
      const set = sets.get(`${prefix}KUBE-CLUSTER-IP`);
      for (const { parts } of set?.entries ?? []) {
        const [address, port] = parts;
        if ((typeof address !== "number" && typeof address !== "bigint") || !isPort(port)) continue;
        if (served.has(endKey(address, port.port, port.protocol))) continue;
        const name = `${printEnd(address, port.port)}/${protocolName(port.protocol)}`;
        found.push({
          message: `${name} is in ${prefix}KUBE-CLUSTER-IP, but no virtual server`,
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

function isNamed(sets: IpSets, prefix: string, key: AddressKey): boolean {
  const packet = packetTo(key);
  return [...ADDRESS_SETS, NODE_PORT_HASH].some(
    (name) => membership(sets, prefix + name, ["dst", "dst"], packet) === "yes",
  );
}

function isNodePort(sets: IpSets, prefix: string, key: AddressKey): boolean {
  const packet = packetTo(key);
  return NODE_PORT_SETS.some((name) => membership(sets, prefix + name, ["dst"], packet) === "yes");
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

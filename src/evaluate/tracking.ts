/** Connection tracking as far as a first packet is concerned: whether it is active, and the state it gives. */
import type { Packet } from "../../grammar/packet.js";
import { PROTOCOL } from "../../grammar/protocols.js";
import { meaningOf } from "../state/meaning.js";
import type { Network } from "../state/network.js";
import { type Ruleset, rulesOf } from "../state/rules.js";
import { sysctl } from "./route.js";
import type { LivePacket } from "./world.js";

const active = new WeakMap<Ruleset, boolean>();

/**
 * Whether connection tracking runs: the kernel starts it only while some loaded rule asks for it. Without it, the nat
 * table is not consulted at all.
 */
export function tracksConnections(ruleset: Ruleset): boolean {
  let known = active.get(ruleset);
  if (known === undefined) {
    known = false;
    search: for (const table of ruleset.tables.values()) {
      for (const chain of table.chains.values()) {
        if (rulesOf(chain).some((rule) => meaningOf(rule, ruleset.family).tracksConnections)) {
          known = true;
          break search;
        }
      }
    }
    active.set(ruleset, known);
  }
  return known;
}

const SYN = 2;
const ACK = 16;
const URG = 32;
/** PSH and the two ECN bits never matter to the state. */
const IGNORED_FLAGS = 8 | 64 | 128;

/** ICMP types that open a connection entry: queries. Anything else without an entry is INVALID. */
const ICMP_QUERIES = [8, 13, 15, 17];
const ICMPV6_QUERIES = [128, 139];
/** Neighbour discovery and multicast listener messages are not tracked. */
const ICMPV6_UNTRACKED = [130, 131, 132, 133, 134, 135, 136, 137, 143];

/** The state of a packet that has no entry, or what the question says of it. */
export function firstState(packet: Packet, network: Network | undefined): LivePacket["state"] {
  if (packet.state === "established") return "ESTABLISHED";
  if (packet.state === "related") return "RELATED";
  if (packet.state === "new") return "NEW";
  switch (packet.protocol) {
    case PROTOCOL.tcp: {
      const flags = (packet.tcpFlags ?? SYN) & ~IGNORED_FLAGS;
      if (flags === SYN || flags === (SYN | URG)) return "NEW";
      const midStream = flags === ACK || flags === (ACK | URG);
      // A connection may be picked up in mid-stream, unless the kernel was told not to.
      return midStream && sysctl(network, "net.netfilter.nf_conntrack_tcp_loose") !== "0" ? "NEW" : "INVALID";
    }
    case PROTOCOL.icmp:
      return ICMP_QUERIES.includes(packet.icmpType ?? 8) ? "NEW" : "INVALID";
    case PROTOCOL.ipv6Icmp: {
      const type = packet.icmpType ?? 128;
      return ICMPV6_UNTRACKED.includes(type)
        ? "UNTRACKED"
        : ICMPV6_QUERIES.includes(type)
          ? "NEW"
          : "INVALID";
    }
    default:
      return "NEW";
  }
}

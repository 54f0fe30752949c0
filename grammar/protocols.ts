/**
 * Protocol names: what `-p` reads and iptables-save prints. The names are those of /etc/protocols (Debian's netbase,
 * from the IANA registry); a number without a name there is printed as a number.
 */
const NAMES: readonly (readonly [number, string])[] = [
  [0, "ip"],
  [1, "icmp"],
  [2, "igmp"],
  [3, "ggp"],
  [4, "ipencap"],
  [5, "st"],
  [6, "tcp"],
  [8, "egp"],
  [9, "igp"],
  [12, "pup"],
  [17, "udp"],
  [20, "hmp"],
  [22, "xns-idp"],
  [27, "rdp"],
  [29, "iso-tp4"],
  [33, "dccp"],
  [36, "xtp"],
  [37, "ddp"],
  [38, "idpr-cmtp"],
  [41, "ipv6"],
  [43, "ipv6-route"],
  [44, "ipv6-frag"],
  [45, "idrp"],
  [46, "rsvp"],
  [47, "gre"],
  [50, "esp"],
  [51, "ah"],
  [57, "skip"],
  [58, "ipv6-icmp"],
  [59, "ipv6-nonxt"],
  [60, "ipv6-opts"],
  [73, "rspf"],
  [81, "vmtp"],
  [88, "eigrp"],
  [89, "ospf"],
  [93, "ax.25"],
  [94, "ipip"],
  [97, "etherip"],
  [98, "encap"],
  [103, "pim"],
  [108, "ipcomp"],
  [112, "vrrp"],
  [115, "l2tp"],
  [124, "isis"],
  [132, "sctp"],
  [133, "fc"],
  [135, "mobility-header"],
  [136, "udplite"],
  [137, "mpls-in-ip"],
  [138, "manet"],
  [139, "hip"],
  [140, "shim6"],
  [141, "wesp"],
  [142, "rohc"],
  [143, "ethernet"],
];

/** Names that iptables reads besides (its own table and the aliases of /etc/protocols), in lower case. */
const ALIASES: readonly (readonly [number, string])[] = [
  [0, "all"],
  [0, "hopopt"],
  [58, "icmpv6"],
  [135, "mh"],
  [135, "ipv6-mh"],
];

/** The second names in /etc/protocols that are not the first in capitals. */
const SECOND_NAMES: ReadonlyMap<string, string> = new Map([
  ["ipencap", "IP-ENCAP"],
  ["ipv6", "IPv6"],
  ["ipv6-route", "IPv6-Route"],
  ["ipv6-frag", "IPv6-Frag"],
  ["esp", "IPSEC-ESP"],
  ["ah", "IPSEC-AH"],
  ["ipv6-icmp", "IPv6-ICMP"],
  ["ipv6-nonxt", "IPv6-NoNxt"],
  ["ipv6-opts", "IPv6-Opts"],
  ["ospf", "OSPFIGP"],
  ["mobility-header", "Mobility-Header"],
  ["udplite", "UDPLite"],
  ["mpls-in-ip", "MPLS-in-IP"],
  ["manet", "manet"],
  ["shim6", "Shim6"],
  ["ethernet", "Ethernet"],
]);

const byNumber = new Map(NAMES);
const byName = new Map([...NAMES, ...ALIASES].map(([number, name]) => [name, number]));

export const PROTOCOL = {
  icmp: 1,
  tcp: 6,
  udp: 17,
  dccp: 33,
  esp: 50,
  ah: 51,
  ipv6Icmp: 58,
  ipcomp: 108,
  sctp: 132,
  mobilityHeader: 135,
  udplite: 136,
} as const;

/** Protocols whose packets have ports. */
export const PORT_PROTOCOLS: readonly number[] = [
  PROTOCOL.tcp,
  PROTOCOL.udp,
  PROTOCOL.sctp,
  PROTOCOL.dccp,
  PROTOCOL.udplite,
];

/** The name of a protocol number, or the number as text. */
export function protocolName(number: number): string {
  return byNumber.get(number) ?? String(number);
}

/** The number of a protocol name (any case), or undefined. */
export function protocolNumber(name: string): number | undefined {
  return byName.get(name.toLowerCase());
}

const bySpelling = new Map([
  ...ALIASES.map(([number, name]) => [name, number] as const),
  ...[...NAMES, [0, "hopopt"] as const].flatMap(([number, name]) => [
    [name, number] as const,
    [SECOND_NAMES.get(name) ?? name.toUpperCase(), number] as const,
  ]),
]);

/** The number of a protocol name as getprotobyname(3) finds it, which tells capitals from small letters. */
export function protocolNumberSpelt(name: string): number | undefined {
  return bySpelling.get(name);
}

export const PROTOCOL_NAMES: readonly string[] = [...byName.keys()];

/** What kind of text an input is, told by its content. */

export type TextKind =
  | "rules"
  | "documents"
  | "nft"
  | "ipset"
  | "ipvsadm"
  | "conntrack"
  | "addresses"
  | "routes"
  | "listing"
  | "unknown";

const RULES =
  /^\*(?:raw|mangle|nat|filter|security)\s*$|^(?:\[\d+:\d+\]\s+)?-[AIN] \S+ |^:\S+ \S+ \[\d+:\d+\]/m;

/** Forms in the order in which they are tried. */
const FORMS: readonly (readonly [TextKind, RegExp])[] = [
  ["nft", /^\s*table (?:ip|ip6|inet|arp|bridge|netdev) \S+ \{/m],
  ["ipvsadm", /^IP Virtual Server version|^-[AaE] (?:-[tuf]|--(?:tcp|udp|sctp|fwmark)-service) /m],
  ["rules", RULES],
  ["ipset", /^create \S+ (?:hash|bitmap|list):|^Name: \S+\nType: /m],
  ["conntrack", /^(?:ipv[46]\s+\d+\s+)?(?:tcp|udp|icmp|icmpv6|sctp|dccp|udplite|gre)\s+\d+\s+\d+ .*\bsrc=/m],
  ["listing", /^Chain \S+ \((?:policy|\d+ references)/m],
  ["addresses", /^\d+: \S+: <[A-Z,_-]*> mtu \d+/m],
  ["routes", /^(?:default|[0-9a-f.:]+(?:\/\d+)?) (?:via \S+ )?dev \S+/m],
];

/** The kind of a text. YAML and JSON are told by how they begin. */
export function recognise(text: string): TextKind {
  const first = /^(?!\s*(?:#|$)).+$/m.exec(text)?.[0] ?? "";
  if (/^\s*[{[]/.test(first) && !RULES.test(first)) return "documents";
  if (/^(?:---|[A-Za-z_"'][\w"'.-]*:(?:\s|$))/.test(first) && !/^Name: \S+\nType: /m.test(text))
    return "documents";
  return FORMS.find(([, form]) => form.test(text))?.[0] ?? "unknown";
}

/**
 * The list of descriptions, and how the rest finds one. A new extension is a file in matches/ or targets/ and its name
 * in these lists.
 */
import type { Family } from "./address.js";
import type { Match, Option, OptionTable, Shorthand, Target } from "./description.js";
import { HEADER_OPTIONS } from "./header.js";
import { addrtype } from "./matches/addrtype.js";
import { ah, ahIPv6 } from "./matches/ah.js";
import { bpf } from "./matches/bpf.js";
import { cgroup } from "./matches/cgroup.js";
import { cluster } from "./matches/cluster.js";
import { comment } from "./matches/comment.js";
import { connbytes } from "./matches/connbytes.js";
import { connlabel } from "./matches/connlabel.js";
import { connlimit } from "./matches/connlimit.js";
import { connmark } from "./matches/connmark.js";
import { conntrack } from "./matches/conntrack.js";
import { cpu } from "./matches/cpu.js";
import { dccp } from "./matches/dccp.js";
import { devgroup } from "./matches/devgroup.js";
import { dscp } from "./matches/dscp.js";
import { dst } from "./matches/dst.js";
import { ecn } from "./matches/ecn.js";
import { esp } from "./matches/esp.js";
import { eui64 } from "./matches/eui64.js";
import { frag } from "./matches/frag.js";
import { hashlimit } from "./matches/hashlimit.js";
import { hbh } from "./matches/hbh.js";
import { helper } from "./matches/helper.js";
import { hl } from "./matches/hl.js";
import { icmp } from "./matches/icmp.js";
import { icmp6 } from "./matches/icmp6.js";
import { ipcomp } from "./matches/ipcomp.js";
import { iprange } from "./matches/iprange.js";
import { ipv6header } from "./matches/ipv6header.js";
import { ipvs } from "./matches/ipvs.js";
import { length } from "./matches/length.js";
import { limit } from "./matches/limit.js";
import { mac } from "./matches/mac.js";
import { mark } from "./matches/mark.js";
import { mh } from "./matches/mh.js";
import { multiport } from "./matches/multiport.js";
import { nfacct } from "./matches/nfacct.js";
import { osf } from "./matches/osf.js";
import { owner } from "./matches/owner.js";
import { physdev } from "./matches/physdev.js";
import { pkttype } from "./matches/pkttype.js";
import { policy } from "./matches/policy.js";
import { quota } from "./matches/quota.js";
import { rateest } from "./matches/rateest.js";
import { realm } from "./matches/realm.js";
import { recent } from "./matches/recent.js";
import { rpfilter } from "./matches/rpfilter.js";
import { rt } from "./matches/rt.js";
import { sctp } from "./matches/sctp.js";
import { set } from "./matches/set.js";
import { socket } from "./matches/socket.js";
import { srh } from "./matches/srh.js";
import { state } from "./matches/state.js";
import { statistic } from "./matches/statistic.js";
import { string } from "./matches/string.js";
import { tcp } from "./matches/tcp.js";
import { tcpmss } from "./matches/tcpmss.js";
import { time } from "./matches/time.js";
import { tos } from "./matches/tos.js";
import { ttl } from "./matches/ttl.js";
import { u32 } from "./matches/u32.js";
import { udp } from "./matches/udp.js";
import { AUDIT } from "./targets/AUDIT.js";
import { CHECKSUM } from "./targets/CHECKSUM.js";
import { CLASSIFY } from "./targets/CLASSIFY.js";
import { CLUSTERIP } from "./targets/CLUSTERIP.js";
import { CONNMARK } from "./targets/CONNMARK.js";
import { CONNSECMARK } from "./targets/CONNSECMARK.js";
import { CT, NOTRACK } from "./targets/CT.js";
import { DNAT } from "./targets/DNAT.js";
import { DNPT } from "./targets/DNPT.js";
import { DSCP } from "./targets/DSCP.js";
import { ECN } from "./targets/ECN.js";
import { HL } from "./targets/HL.js";
import { HMARK } from "./targets/HMARK.js";
import { IDLETIMER } from "./targets/IDLETIMER.js";
import { LED } from "./targets/LED.js";
import { LOG } from "./targets/LOG.js";
import { MARK } from "./targets/MARK.js";
import { MASQUERADE } from "./targets/MASQUERADE.js";
import { NETMAP } from "./targets/NETMAP.js";
import { NFLOG } from "./targets/NFLOG.js";
import { NFQUEUE } from "./targets/NFQUEUE.js";
import { QUEUE } from "./targets/QUEUE.js";
import { RATEEST } from "./targets/RATEEST.js";
import { REDIRECT } from "./targets/REDIRECT.js";
import { REJECT } from "./targets/REJECT.js";
import { SECMARK } from "./targets/SECMARK.js";
import { SET } from "./targets/SET.js";
import { SNAT } from "./targets/SNAT.js";
import { SNPT } from "./targets/SNPT.js";
import { SYNPROXY } from "./targets/SYNPROXY.js";
import { TCPMSS } from "./targets/TCPMSS.js";
import { TCPOPTSTRIP } from "./targets/TCPOPTSTRIP.js";
import { TEE } from "./targets/TEE.js";
import { TOS } from "./targets/TOS.js";
import { TPROXY } from "./targets/TPROXY.js";
import { TRACE } from "./targets/TRACE.js";
import { TTL } from "./targets/TTL.js";
import { ULOG } from "./targets/ULOG.js";
import { ACCEPT, DROP, RETURN } from "./targets/verdicts.js";

// Descriptions of different options are of different types; the lists see them all as "some options".
const list = <D>(...descriptions: unknown[]): readonly D[] => descriptions as D[];

export const MATCHES = list<Match>(
  addrtype,
  ah,
  ahIPv6,
  bpf,
  cgroup,
  cluster,
  comment,
  connbytes,
  connlabel,
  connlimit,
  connmark,
  conntrack,
  cpu,
  dccp,
  devgroup,
  dscp,
  dst,
  ecn,
  esp,
  eui64,
  frag,
  hashlimit,
  hbh,
  helper,
  hl,
  icmp,
  icmp6,
  ipcomp,
  iprange,
  ipv6header,
  ipvs,
  length,
  limit,
  mac,
  mark,
  mh,
  multiport,
  nfacct,
  osf,
  owner,
  physdev,
  pkttype,
  policy,
  quota,
  rateest,
  realm,
  recent,
  rpfilter,
  rt,
  sctp,
  set,
  socket,
  srh,
  state,
  statistic,
  string,
  tcp,
  tcpmss,
  time,
  tos,
  ttl,
  u32,
  udp,
);

export const TARGETS = list<Target>(
  ACCEPT,
  AUDIT,
  CHECKSUM,
  CLASSIFY,
  CLUSTERIP,
  CONNMARK,
  CONNSECMARK,
  CT,
  DNAT,
  DNPT,
  DROP,
  DSCP,
  ECN,
  HL,
  HMARK,
  IDLETIMER,
  LED,
  LOG,
  MARK,
  MASQUERADE,
  NETMAP,
  NFLOG,
  NFQUEUE,
  NOTRACK,
  QUEUE,
  RATEEST,
  REDIRECT,
  REJECT,
  RETURN,
  SECMARK,
  SET,
  SNAT,
  SNPT,
  SYNPROXY,
  TCPMSS,
  TCPOPTSTRIP,
  TEE,
  TOS,
  TPROXY,
  TRACE,
  TTL,
  ULOG,
);

/** Descriptions by family and name: the two families have different ones under some names (`ah`). */
function byName<D extends Match | Target>(descriptions: readonly D[]): ReadonlyMap<string, D> {
  return new Map(
    descriptions.flatMap((one) =>
      (one.families ?? FAMILIES).flatMap((family) =>
        [one.name, ...(one.aliases ?? [])].map((name) => [`${family} ${name}`, one] as const),
      ),
    ),
  );
}

const FAMILIES: readonly Family[] = ["ipv4", "ipv6"];
const matches = byName(MATCHES);
const targets = byName(TARGETS);

/** The match that `-m name` loads for the family, if it is described. */
export function matchNamed(name: string, family: Family): Match | undefined {
  return matches.get(`${family} ${name}`);
}

/** The target that `-j name` loads for the family, if it is described. */
export function targetNamed(name: string, family: Family): Target | undefined {
  return targets.get(`${family} ${name}`);
}

/** How an option's spelling is read: an option of the table by its key, or a shorthand. */
export type Spelling =
  | { readonly kind: "option"; readonly key: string; readonly option: Option<unknown> }
  | { readonly kind: "shorthand"; readonly option: Shorthand<unknown, OptionTable> };

interface WithOptions {
  readonly options: OptionTable;
  readonly shorthands?: readonly Shorthand<unknown, OptionTable>[];
}

const spellings = new WeakMap<object, ReadonlyMap<string, Spelling>>();

/** All spellings of a description's options. */
export function spellingsOf(description: WithOptions): ReadonlyMap<string, Spelling> {
  let table = spellings.get(description);
  if (table === undefined) {
    const entries: [string, Spelling][] = [];
    for (const [key, option] of Object.entries(description.options)) {
      for (const name of [option.name, ...(option.aliases ?? [])])
        entries.push([name, { kind: "option", key, option }]);
    }
    for (const option of description.shorthands ?? []) {
      for (const name of [option.name, ...(option.aliases ?? [])])
        entries.push([name, { kind: "shorthand", option }]);
    }
    table = new Map(entries);
    spellings.set(description, table);
  }
  return table;
}

/** The header's options in the form of a description. */
export const HEADER: WithOptions = { options: HEADER_OPTIONS };

/** Matches that `-p protocol`, spelt so, loads when one of their options follows without `-m`. */
export function impliedMatches(protocol: number, spelt: string, family: Family): readonly Match[] {
  return MATCHES.filter(
    (match) =>
      match.impliedBy?.includes(protocol) &&
      (match.families?.includes(family) ?? true) &&
      (match.impliedOnlyBy === undefined || match.impliedOnlyBy === spelt.toLowerCase()),
  );
}

/** All that is known of one node, in landfall/compile@1. */
import * as z from "zod/mini";
import { about, count, counter, family, maybe, port, text } from "./parts.js";

const option = z
  .strictObject({
    option: text.check(about("as iptables-save spells it: --dport")),
    negated: z.boolean(),
    value: maybe.check(
      about("as iptables-save prints it, quotes included; null for an option without value"),
    ),
  })
  .check(about("one option that iptables-save prints"));

const extension = {
  name: text,
  options: z.array(option),
  words: z
    .nullable(z.array(text))
    .check(about("the words of an extension that landfall has no description of; null for one it has")),
};

const rule = z.strictObject({
  rule: z.int().check(z.gte(1), about("its number in the chain, from 1, as the kernel's TRACE counts")),
  text: text.check(about("the line as iptables-save prints it, without counters")),
  line: z.nullable(z.int()).check(about("the line of the input; null for a rule that was made")),
  packets: counter,
  bytes: counter,
  header: z.array(option).check(about("-s -d -i -o -p -f")),
  matches: z.array(z.strictObject(extension)),
  target: z
    .nullable(
      z.discriminatedUnion("kind", [
        z.strictObject({
          kind: z.literal("chain"),
          chain: text.check(about("a user chain of the same table")),
          goto: z.boolean().check(about("true for -g: RETURN then leaves the calling chain too")),
        }),
        z.strictObject({ kind: z.literal("target"), ...extension }),
      ]),
    )
    .check(about("null: the rule only counts")),
});

const chain = z.strictObject({
  name: text,
  policy: maybe.check(about("of a built-in chain: ACCEPT or DROP; null for a user chain")),
  packets: counter,
  bytes: counter,
  rules: z.array(rule).check(about("in the order in which the kernel visits them")),
});

const ruleset = z.strictObject({
  family,
  tables: z.array(z.strictObject({ name: text, chains: z.array(chain) })),
});

const attribute = z.strictObject({ name: text, value: text });

const network = z.strictObject({
  interfaces: z
    .nullable(
      z.array(
        z.strictObject({
          name: text.check(about("empty for addresses whose interface is not known")),
          addresses: z.array(text).check(about("with the length of their subnet: 10.0.1.50/24")),
          details: z
            .array(
              z.strictObject({
                peer: maybe.check(about("the other end of a point-to-point address; the subnet is its")),
                broadcast: maybe,
                scope: maybe,
                flags: z
                  .array(text)
                  .check(about("secondary, deprecated, tentative … as `ip addr` names them")),
              }),
            )
            .check(about("of the addresses, in their order")),
          ports: z
            .nullable(
              z.array(
                z.strictObject({
                  name: text,
                  hosts: z.nullable(z.array(text)).check(about("null: not known")),
                  hairpin: z
                    .nullable(z.boolean())
                    .check(about("frames may leave by the port that they came by; null: not known")),
                }),
              ),
            )
            .check(about("of a bridge, with the hosts behind each; null for other interfaces")),
          index: z.nullable(count),
          flags: z
            .nullable(z.array(text))
            .check(about("UP, LOWER_UP … as `ip link` names them; null: not known")),
          mtu: z.nullable(count).check(about("bytes")),
          linkAddress: maybe,
          kind: maybe.check(about("bridge, veth, vxlan … as `ip -d link` names them")),
          master: maybe.check(about("the bridge, bond or VRF that this is a port of")),
          link: maybe.check(about("what stands behind @ in `ip link`")),
        }),
      ),
    )
    .check(about("null: not known")),
  routes: z
    .nullable(
      z.array(
        z.strictObject({
          type: text.check(about("unicast, local, blackhole … as `ip route` names them")),
          to: text,
          via: maybe,
          dev: maybe,
          src: maybe,
          metric: z.nullable(count),
          from: maybe.check(about("only for packets from there")),
          table: maybe.check(about("null: main, or for local, broadcast and anycast routes the local table")),
          proto: maybe.check(about("who made it: kernel (it follows from an address), boot, dhcp, bird …")),
          scope: maybe,
          flags: z.array(text).check(about("onlink, linkdown, dead …")),
          nextHops: z.array(
            z.strictObject({ via: maybe, dev: maybe, weight: z.nullable(count), flags: z.array(text) }),
          ),
          attributes: z.array(attribute).check(about("tos, mtu, pref …")),
        }),
      ),
    )
    .check(about("those that follow from the subnets may be among them; null: not known")),
  addressFamilies: z.nullable(z.array(family)).check(about("whose addresses are all known; null: both")),
  routeFamilies: z.nullable(z.array(family)).check(about("whose routes are all known; null: both")),
  policyRules: z
    .nullable(
      z.array(
        z.strictObject({
          family,
          priority: count,
          not: z.boolean(),
          from: maybe,
          to: maybe,
          fwmark: z.nullable(z.strictObject({ value: count, mask: count })),
          iif: maybe,
          oif: maybe,
          action: text.check(about("lookup, goto, nop, blackhole, unreachable, prohibit")),
          table: maybe,
          goto: z.nullable(count),
          attributes: z.array(attribute),
        }),
      ),
    )
    .check(about("as `ip rule` lists them; null: not known")),
  listeners: z
    .nullable(
      z.array(
        z.strictObject({
          protocol: count,
          address: maybe.check(about("null: all")),
          port: count,
          transparent: z.boolean().check(about("takes packets for other addresses too (IP_TRANSPARENT)")),
        }),
      ),
    )
    .check(about("processes of the node that wait for packets; null: not known")),
  masquerade: z.array(text).check(about("source addresses that MASQUERADE gives, as far as they were told")),
  sysctls: z.record(z.string(), z.string()),
});

const ipset = z.strictObject({
  name: text,
  type: text.check(about("hash:ip,port, bitmap:port … as `ipset save` prints it")),
  options: text.check(about("of create, as `ipset save` prints them: family inet hashsize 1024 …")),
  entries: z
    .nullable(z.array(text))
    .check(about("elements with their options, as `ipset save` prints them; null: not known")),
});

const virtualServer = z.strictObject({
  family,
  protocol: maybe.check(about("tcp, udp or sctp; null for a firewall mark")),
  address: maybe,
  port: port.check(about("0: all ports")),
  mark: z.nullable(count).check(about("a firewall mark in the place of address and port")),
  scheduling: z
    .nullable(
      z.strictObject({
        scheduler: text,
        flags: z.array(text).check(about("of the scheduler, as ipvsadm names them: mh-port")),
        persistence: z
          .nullable(z.strictObject({ seconds: count, mask: text }))
          .check(about("for how long a client, told by its address under the mask, keeps its server")),
        persistenceEngine: maybe,
        onePacket: z.boolean(),
      }),
    )
    .check(about("null: not known")),
  servers: z.array(
    z.strictObject({
      address: text,
      port: port.check(about("0: the port that the client asked for")),
      forwarding: z.nullable(z.enum(["masquerade", "route", "local", "tunnel"])),
      weight: z.nullable(count).check(about("0 takes no new connections")),
      activeConnections: z.nullable(count),
      inactiveConnections: z.nullable(count),
    }),
  ),
});

const seconds = z.nullable(count);

export const state = z
  .strictObject({
    rulesets: z.array(ruleset),
    network: z.nullable(network).check(about("the node around the rules; null: nothing is known")),
    sets: z.nullable(z.array(ipset)).check(about("ipsets; null: nothing is known")),
    virtualServers: z
      .nullable(
        z.strictObject({
          services: z.array(virtualServer),
          timeouts: z
            .strictObject({ tcp: seconds, tcpFin: seconds, udp: seconds })
            .check(about("of connections, in seconds; null: not known")),
        }),
      )
      .check(about("the IPVS table; null: nothing is known")),
  })
  .check(about("everything that is known of one node; what is absent or null is unknown, not empty"));

export type StateDocument = z.infer<typeof state>;

export type NetworkDocument = z.infer<typeof network>;

export type RuleDocument = z.infer<typeof rule>;

export type OptionDocument = z.infer<typeof option>;

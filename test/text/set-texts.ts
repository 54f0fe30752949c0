/** Random texts of `ipset restore`, valid for the most part. */
import fc from "fast-check";
import { SET_TYPES } from "../../grammar/sets/types.js";

const pick = (...texts: string[]) => fc.constantFrom(...texts);
const small = fc.integer({ min: 0, max: 15 });

/** What may stand for a dimension, by its name and the set's family. */
const PARTS: Readonly<Record<string, { inet: fc.Arbitrary<string>; inet6: fc.Arbitrary<string> }>> = {
  ip: {
    inet: fc.oneof(
      small.map((n) => `10.0.0.${n}`),
      fc.tuple(small, fc.integer({ min: 28, max: 32 })).map(([n, length]) => `10.0.0.${n}/${length}`),
      fc.tuple(small, small).map(([a, b]) => `10.0.0.${a}-10.0.0.${b}`),
      pick("0.0.0.0", "10.1", "010.0.0.1", "localhost", "10.0.0.1/0", "10.0.0.1/33", "fd00::1", "x", "1-"),
    ),
    inet6: fc.oneof(
      small.map((n) => `fd00::${n.toString(16)}`),
      pick("::", "fd00::1/128", "fd00::/127", "fd00::1-fd00::2", "::ffff:10.0.0.1", "10.0.0.1", "fd00:::1"),
    ),
  },
  net: {
    inet: fc.oneof(
      fc.tuple(small, fc.integer({ min: 24, max: 32 })).map(([n, length]) => `10.0.0.${n}/${length}`),
      fc.tuple(small, small).map(([a, b]) => `10.0.0.${a}-10.0.0.${b}`),
      pick("10.0.0.1", "0.0.0.0/0", "0.0.0.0/1", "10.0.0.0/255.0.0.0", "0.0.0.0-255.255.255.255"),
    ),
    inet6: fc.oneof(
      fc.tuple(small, fc.integer({ min: 120, max: 128 })).map(([n, length]) => `fd00::${n}/${length}`),
      pick("fd00::1", "::/0", "fd00::1-fd00::3", "fd00::/129"),
    ),
  },
  port: {
    inet: fc.oneof(
      fc
        .tuple(pick("", "tcp:", "udp:", "sctp:", "udplite:", "6:", "TCP:"), small)
        .map(([p, n]) => `${p}${n}`),
      fc.tuple(pick("", "tcp:", "udp:"), small, small).map(([p, a, b]) => `${p}${a}-${b}`),
      pick("http", "tcp:[ftp-data]", "udp:domain", "icmp:8/0", "icmp:ping", "icmp:ech", "icmp:5/9", "icmp:8"),
      pick("gre:0", "gre:1", "47:0", "dccp:0", "0:0", "tcp:65536", "tcp:", "nope:1", "tcp:0x10", "tcp:010"),
    ),
    inet6: pick("80", "tcp:1-3", "icmpv6:128/0", "icmpv6:ping", "ipv6-icmp:1/2", "58:135/0", "gre:0"),
  },
  iface: {
    inet: pick("eth0", "physdev:eth0", "lo", "abcdefghijklmnop", "eth+"),
    inet6: pick("eth0", "lo"),
  },
  mac: {
    inet: pick("02:42:AC:11:00:02", "2:42:ac:11:0:2", "02:42:AC:11:00", "zz:42:AC:11:00:02"),
    inet6: pick("02:42:AC:11:00:02"),
  },
  mark: { inet: pick("1", "0x63", "4294967295", "4294967296"), inet6: pick("1") },
  set: { inet: pick("a", "b"), inet6: pick("a") },
};

const part = (name: string, family: "inet" | "inet6") => (PARTS[name] as (typeof PARTS)[string])[family];

const extension = pick(
  "",
  "",
  "",
  "timeout 0",
  "nomatch",
  "wildcard",
  "packets 5 bytes 7",
  'comment "a b"',
  "skbmark 0x5/0xff skbprio 1:2a",
  "skbqueue 3",
  "skbmark 5",
  "foo 1",
);

export interface RandomSet {
  readonly type: string;
  readonly create: string;
  readonly adds: readonly string[];
}

/** A set with elements that often fit it; `types` are those to choose from. */
export function randomSet(types: readonly string[]): fc.Arbitrary<RandomSet> {
  return fc.constantFrom(...SET_TYPES.filter(({ name }) => types.includes(name))).chain((type) => {
    const family = type.families.includes("ipv6") ? pick("inet", "inet", "inet6") : pick("inet");
    return family.chain((word) => {
      const dimensions = type.dimensions.map(({ name }) => part(name, word as "inet" | "inet6"));
      const adds = fc
        .tuple(fc.tuple(...dimensions), extension)
        .map(([parts, more]) => `${parts.join(",")} ${more}`.trim());
      const range = type.families.length === 0 ? "range 2-14" : "range 10.0.0.0/28";
      const fixed = [
        ...(type.options.includes("range") ? [range] : []),
        ...(type.options.includes("family") ? [`family ${word}`] : []),
      ];
      const options = pick(
        "",
        "",
        "timeout 2000 counters comment skbinfo",
        "counters skbinfo",
        "comment",
        "netmask 30",
        "bitmask 255.255.0.255",
        "bucketsize 7 initval 0xab",
        "hashsize 3000",
        "maxelem 5",
        "size 2",
        "range 1-2",
        "foo",
      );
      return fc.record({
        type: fc.constant(type.name),
        create: options.map((more) => [type.name, ...fixed, more].filter((text) => text !== "").join(" ")),
        adds: fc.array(adds, { minLength: 1, maxLength: 8 }),
      });
    });
  });
}

export const element = fc
  .constantFrom(...SET_TYPES)
  .chain(({ dimensions }) => fc.tuple(...dimensions.map(({ name }) => part(name, "inet"))))
  .map((parts) => parts.join(","));

/** Sets a, b … of any type, with elements. */
export const setText = fc
  .array(randomSet(SET_TYPES.map(({ name }) => name)), { minLength: 1, maxLength: 4 })
  .map((sets) =>
    sets
      .flatMap(({ create, adds }, index) => {
        const name = "abcd"[index];
        return [`create ${name} ${create}`, ...adds.map((add) => `add ${name} ${add}`)];
      })
      .join("\n"),
  );

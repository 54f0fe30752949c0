// Laws of option values: a quick reader gives what the grammar gives, and what is printed reads back as the same value.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Family } from "../../grammar/address.js";
import type { ValueKind } from "../../grammar/description.js";
import { HEADER, MATCHES, TARGETS } from "../../grammar/extensions.js";
import { parseWhole } from "../../grammar/parse.js";
import { readValue } from "../../grammar/read.js";
import { probabilityKind } from "../../grammar/values.js";
import { splitWords } from "../../src/text/words.js";

const kinds = new Map<string, ValueKind<unknown>>();
for (const description of [{ name: "header", ...HEADER }, ...MATCHES, ...TARGETS]) {
  for (const option of Object.values(description.options)) {
    if (option.value) kinds.set(`${description.name} ${option.name}`, option.value);
  }
  for (const option of ("shorthands" in description && description.shorthands) || []) {
    if (option.value) kinds.set(`${description.name} ${option.name}`, option.value);
  }
}

const octet = fc.oneof(
  fc.integer({ min: 0, max: 300 }).map(String),
  fc.constantFrom("00", "01", "010", "", "x"),
);
const ipv4ish = fc.array(octet, { minLength: 3, maxLength: 5 }).map((parts) => parts.join("."));
const port = fc.oneof(
  fc.integer({ min: 0, max: 70000 }).map(String),
  fc.constantFrom("", "0", "080", "0x50", "-1"),
);
const texts = fc.oneof(
  ipv4ish,
  fc.tuple(ipv4ish, port).map(([address, suffix]) => `${address}/${suffix}`),
  fc.tuple(ipv4ish, port).map(([address, suffix]) => `${address}:${suffix}`),
  fc.tuple(ipv4ish, ipv4ish, port).map(([from, to, suffix]) => `${from}-${to}:${suffix}`),
  fc.tuple(port, fc.constantFrom(":", "-", ",", "/"), port).map((parts) => parts.join("")),
  port,
  fc.constantFrom(
    "tcp",
    "udp",
    "TCP",
    "eth+",
    "+",
    "::1",
    "fd00::/64",
    "[fd00::1]:80",
    "0x4000/0x4000",
    "NEW,DNAT",
    "a b",
  ),
  fc.string({ maxLength: 18 }),
);
test("names of the language's own objects are texts like any other", () => {
  const before = Object.getOwnPropertyNames(Object.prototype);
  for (const text of ["__proto__", "constructor", "toString"]) {
    for (const kind of kinds.values()) readValue(kind, text, "ipv4");
  }
  expect(Object.getOwnPropertyNames(Object.prototype)).toEqual(before);
  expect(Object.getOwnPropertyNames(Object.prototype.toString)).toEqual(["length", "name"]);
});

const families = fc.constantFrom<Family>("ipv4", "ipv6");

/** Kinds of which iptables prints less than it keeps. */
const ROUNDED =
  /^(?:hashlimit --hashlimit-(?:upto|above|burst)|limit --limit|RATEEST|rateest|connbytes --connbytes$)/;

describe.each([...kinds])("%s", (name, kind) => {
  test("the quick reader gives what the grammar gives", () => {
    fc.assert(
      fc.property(texts, families, (text, family) => {
        const quick = kind.quick?.(text, family);
        if (quick === undefined) return;
        const result = parseWhole(kind.grammar(family), text);
        expect(result.ok && result.value).toEqual(quick);
      }),
    );
  });

  test("what is printed reads back", () => {
    fc.assert(
      fc.property(texts, families, (text, family) => {
        const read = readValue(kind, text, family);
        if (!read.ok) return;
        const printed = kind.print(read.value, family);
        // Names are printed as they are, blanks and all.
        if (printed === read.value && /[\s"]/.test(printed)) return;
        // Printed times and rates are rounded, perhaps to more than 32 bits hold.
        if (/^rateest/i.test(name) && Number(read.value) > 4.29e9) return;
        const again = readValue(kind, splitWords(printed).words.join(" "), family);
        expect(again.ok && kind.print(again.value, family)).toBe(printed);
        if (!ROUNDED.test(name)) expect(again).toEqual(read);
      }),
    );
  });
});

test("a printed probability gives the same 31-bit integer again", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 2 ** 31 }), (threshold) => {
      const text = probabilityKind.print(threshold, "ipv4");
      expect(text).toMatch(/^[01]\.\d{11}$/);
      expect(readValue(probabilityKind, text, "ipv4")).toEqual({ ok: true, value: threshold });
    }),
  );
});

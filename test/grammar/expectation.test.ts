// The language of expectations: what is printed reads back the same, and faults are where they are said to be.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ALL_ONES, maskAddress, prefixMask } from "../../grammar/address.js";
import {
  type Bound,
  type Claim,
  type End,
  type Expectation,
  printExpectation,
  type Quantity,
  ratioOf,
  readExpectation,
  readQuantity,
  readTarget,
  type Target,
} from "../../grammar/expectation.js";

const network = fc.oneof(
  fc.record({ address: fc.nat(0xffffffff), length: fc.nat(32) }).map(({ address, length }) => {
    const mask = prefixMask(length, "ipv4");
    return { address: maskAddress(address, mask), mask };
  }),
  fc
    .record({ address: fc.bigInt(0n, ALL_ONES.ipv6 as bigint), length: fc.nat(128) })
    .map(({ address, length }) => {
      const mask = prefixMask(length, "ipv6");
      return { address: maskAddress(address, mask), mask };
    }),
);
const end: fc.Arbitrary<End> = fc
  .tuple(network, fc.option(fc.nat(65535), { nil: undefined }))
  .map(([own, port]) => ({ network: own, ...(port === undefined ? {} : { port }) }));
const name = fc.stringMatching(/^[a-z0-9]([-a-z0-9]{0,5}[a-z0-9])?$/);
const service = fc
  .tuple(name, name, fc.option(name))
  .map(([namespace, own, port]) => `${namespace}/${own}${port === null ? "" : `:${port}`}`);
const target: fc.Arbitrary<Target> = fc.oneof(
  end.map((own) => ({ kind: "end" as const, end: own })),
  fc.option(service, { nil: undefined }).map((own) => ({ kind: "endpoint" as const, service: own })),
  fc.constant({ kind: "node" as const }),
);
const answer = fc.option(fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9_-]{0,20}$/), { nil: undefined });
const step = fc.integer({ min: 1, max: 999_999 });
const claim: fc.Arbitrary<Claim> = fc.oneof(
  target.map((on) => ({ kind: "lands" as const, on })),
  step.map((own) => ({ kind: "lands again" as const, step: own })),
  fc.constantFrom(...(["delivered", "dropped", "queued", "masqueraded"] as const)).map((kind) => ({ kind })),
  fc
    .tuple(fc.constantFrom("rejected" as const, "fails" as const), answer)
    .map(([kind, how]) => ({ kind, with: how })),
  fc.stringMatching(/^[A-Za-z0-9@.:_-]{1,15}$/).map((by) => ({ kind: "leaves" as const, by })),
  end.map((is) => ({ kind: "source" as const, is })),
);
const quantity: fc.Arbitrary<Quantity> = fc.oneof(
  fc
    .tuple(fc.bigInt(0n, 10n ** 6n), fc.bigInt(1n, 10n ** 6n))
    .filter(([numerator, denominator]) => numerator <= denominator)
    .map(([numerator, denominator]) => ({ kind: "fraction" as const, numerator, denominator })),
  fc
    .record({ digits: fc.bigInt(0n, 10n ** 12n), places: fc.nat(12), percent: fc.boolean() })
    .map((own): Quantity => ({ kind: "decimal", ...own }))
    .filter((own) => ratioOf(own).numerator <= ratioOf(own).denominator),
);
const bound: fc.Arbitrary<Bound> = fc.oneof(
  fc
    .tuple(
      fc.constantFrom(
        "=" as const,
        ">=" as const,
        ">" as const,
        "<=" as const,
        "<" as const,
        "about" as const,
      ),
      quantity,
    )
    .map(([kind, value]) => ({ kind, value })),
  fc.tuple(quantity, quantity).map(([from, to]) => ({ kind: "between" as const, from, to })),
);
const { expectation } = fc.letrec<{ expectation: Expectation; joined: Expectation }>((tie) => ({
  expectation: fc.oneof(
    { maxDepth: 5, withCrossShrink: true },
    claim,
    tie("joined"),
    fc
      .tuple(
        fc.constantFrom("not", "always", "sometimes", "never", "every case", "some case"),
        tie("expectation"),
      )
      .map(([kind, of]) => ({ kind, of }) as Expectation),
    fc.tuple(step, tie("expectation")).map(([own, of]): Expectation => ({ kind: "step", step: own, of })),
    fc.tuple(tie("expectation"), bound).map(([of, is]): Expectation => ({ kind: "share", of, is })),
    fc
      .tuple(fc.option(service, { nil: undefined }), bound)
      .map(([own, is]): Expectation => ({ kind: "each share", service: own, is })),
  ),
  joined: fc
    .tuple(
      fc.constantFrom("all" as const, "any" as const),
      fc.array(tie("expectation"), { minLength: 2, maxLength: 3 }),
    )
    .map(([kind, parts]): Expectation => ({ kind, parts })),
}));

describe("laws", () => {
  test("what is printed reads back the same", () => {
    fc.assert(
      fc.property(expectation, (own) => {
        const text = printExpectation(own);
        fc.pre(text.length < 4000);
        expect(readExpectation(text)).toEqual({ ok: true, expectation: own });
      }),
      { numRuns: 1000 },
    );
  });

  test("blanks do not count", () => {
    fc.assert(
      fc.property(expectation, (own) => {
        const text = ` ${printExpectation(own).replaceAll(" ", "\n  ").replace(/[()]/g, " $& ")} `;
        fc.pre(text.length < 4000);
        expect(readExpectation(text)).toEqual({ ok: true, expectation: own });
      }),
    );
  });

  test("any text gives an answer, and a place in it", () => {
    const word = fc.constantFrom(
      ..."not never always share of each endpoint lands on the node ( ) and or about between 1/3 >= 33 % 10.0.0.1 a/b:c step 1 did where __proto__".split(
        " ",
      ),
    );
    const text = fc.oneof(
      fc.string(),
      fc.array(word, { maxLength: 12 }).map((words) => words.join(" ")),
    );
    fc.assert(
      fc.property(text, (own) => {
        const read = readExpectation(own);
        if (read.ok) return;
        expect(read.offset).toBeGreaterThanOrEqual(0);
        expect(read.offset).toBeLessThanOrEqual(own.length);
        expect(read.expected.length).toBeGreaterThan(0);
      }),
      { numRuns: 2000 },
    );
  });

  test("what stands before a fault is not at fault", () => {
    fc.assert(
      fc.property(expectation, fc.nat(), (own, cut) => {
        const text = printExpectation(own);
        fc.pre(text.length < 3000);
        const at = cut % (text.length + 1);
        const read = readExpectation(`${text.slice(0, at)} ${"§".repeat(16)}`);
        expect(read.ok).toBe(false);
        // The fault is the § itself, or the word before it, which was cut off or has lost its percent sign.
        const start = text.slice(0, at).search(/\S*\s*$/);
        if (!read.ok) expect(read.offset).toBeGreaterThanOrEqual(Math.min(start, at));
      }),
    );
  });
});

describe("precedence", () => {
  test.each([
    ["dropped or queued and masqueraded", "dropped or queued and masqueraded"],
    ["(dropped or queued) and masqueraded", "(dropped or queued) and masqueraded"],
    ["(dropped or (queued and masqueraded))", "dropped or queued and masqueraded"],
    ["never dropped and masqueraded", "never dropped and masqueraded"],
    ["(never dropped) or masqueraded", "(never dropped) or masqueraded"],
    ["dropped or never queued", "dropped or (never queued)"],
    ["not (not (dropped))", "not not dropped"],
    ["share of lands on the node = 0", "share of the node = 0"],
    ["share of dropped=0.50%", "share of dropped = 0.50 %"],
    ["lands on an endpoint of a/b:c", "lands on a/b:c"],
  ])("%s is %s", (text, canonical) => {
    const read = readExpectation(text);
    expect(read.ok && printExpectation(read.expectation)).toBe(canonical);
  });

  test.each([
    "never dropped or queued",
    "not dropped or queued",
    "step 1 dropped or queued",
    "in some case dropped or queued",
    "masqueraded and never dropped or queued",
    "dropped or never queued or masqueraded",
  ])("%s could be meant either way", (text) => {
    expect(readExpectation(text)).toMatchObject({ ok: false, offset: text.lastIndexOf(" or ") + 1 });
  });
});

describe("values", () => {
  test.each(["1/3", "0", "1", "0.33", "33.3 %", "100%", "0/1"])("%s is a share", (text) => {
    expect(readQuantity(text)).toBeDefined();
  });
  test.each(["", "33", "1.5", "4/3", "1/0", "101 %", "-1", "1e-3", ".5", "1/3 %", "1/2/3", "9".repeat(100)])(
    "%s is none",
    (text) => {
      expect(readQuantity(text)).toBeUndefined();
    },
  );
  test.each([
    "10.0.0.1",
    "10.0.0.0/8:80",
    "fd00::1",
    "[fd00::]/64:1",
    "a/b",
    "a/b:c-d",
    "the node",
    "an endpoint",
  ])("%s is a target", (text) => {
    expect(readTarget(text)?.kind).toBeDefined();
  });
  test.each(["10.0.0.256", "10.0.0.1:65536", "10.0.0.0/33", "a", "A/b", "a/b/c", "fd00::1::2", "node"])(
    "%s is none",
    (text) => {
      expect(readTarget(text)).toBeUndefined();
    },
  );
});

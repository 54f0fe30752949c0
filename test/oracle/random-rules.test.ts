// Random rules, most of them odd or wrong: landfall prints what the real iptables-save prints, and refuses what it refuses.
import { describe, expect, test } from "vitest";
import { ask } from "./ask.js";
import { difference } from "./compare.js";
import { randomRules } from "./random-rules.js";
import { whyNot } from "./real.js";

const reason = whyNot();
if (reason !== undefined) console.info(`skipped, random rules for the real iptables: ${reason}`);

/** Another seed tries other rules; `LANDFALL_RULES` is how many there are of each kind. */
const seed = Number(process.env.LANDFALL_SEED ?? 1);
const given = process.env.LANDFALL_RULES;
/** The tool on top of nftables waits for the kernel with each rule. */
const SETTINGS = [
  { family: "ipv4", flavour: "legacy", count: 1500 },
  { family: "ipv6", flavour: "legacy", count: 1500 },
  { family: "ipv4", flavour: "nft", count: 400 },
  { family: "ipv6", flavour: "nft", count: 400 },
] as const;

describe.skipIf(reason !== undefined).each(SETTINGS)("$family $flavour", ({ family, flavour, count }) => {
  test(`seed ${seed}`, { timeout: 600_000 }, async () => {
    const rules = Array.from(
      { length: given === undefined ? count : Number(given) },
      randomRules(seed, { family, flavour }),
    );
    const answers = await ask(family, flavour, rules);
    expect(answers).toHaveLength(rules.length);
    // Half the rules are refused; if nearly all were, the test would say little.
    expect(answers.filter(({ saved }) => saved !== undefined).length).toBeGreaterThan(rules.length / 10);
    const different = rules.flatMap((rule, index) => {
      const answer = answers[index];
      return answer === undefined ? [] : (difference(rule, answer) ?? []);
    });
    expect(different).toEqual([]);
  });
});

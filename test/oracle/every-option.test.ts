// Each option in each of its spellings, right and wrong: landfall prints what the real iptables-save prints.
import { describe, expect, test } from "vitest";
import { ask } from "./ask.js";
import { difference } from "./compare.js";
import { everyOption } from "./every-option.js";
import { randomNumbers } from "./random-rules.js";
import { whyNot } from "./real.js";

const reason = whyNot();
if (reason !== undefined) console.info(`skipped, every option for the real iptables: ${reason}`);

/** All of them take a quarter of an hour for each setting: `LANDFALL_RULES` is how many are tried, another seed others. */
const seed = Number(process.env.LANDFALL_SEED ?? 1);
const count = Number(process.env.LANDFALL_RULES ?? 500);
const SETTINGS = [
  { family: "ipv4", flavour: "legacy" },
  { family: "ipv6", flavour: "legacy" },
  { family: "ipv4", flavour: "nft" },
  { family: "ipv6", flavour: "nft" },
] as const;

describe.skipIf(reason !== undefined).each(SETTINGS)("$family $flavour", ({ family, flavour }) => {
  test(`${count} rules, seed ${seed}`, { timeout: 3_600_000 }, async () => {
    const all = [...everyOption(family, flavour)];
    expect(all.length).toBeGreaterThan(100_000);
    const random = randomNumbers(seed);
    const rules = all.filter(() => random() < count / all.length);
    const different: string[] = [];
    for (let at = 0; at < rules.length; at += 4000) {
      const part = rules.slice(at, at + 4000);
      const answers = await ask(family, flavour, part);
      expect(answers).toHaveLength(part.length);
      for (const [index, rule] of part.entries()) {
        const answer = answers[index];
        const found = answer === undefined ? undefined : difference(rule, answer);
        if (found !== undefined) different.push(found);
      }
    }
    expect(different).toEqual([]);
  });
});

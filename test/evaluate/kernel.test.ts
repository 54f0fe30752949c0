// What landfall predicts against what a real kernel did, packet by packet, and the rules visited on the way.
import { describe, expect, test } from "vitest";
import { evaluate } from "../../src/evaluate/evaluate.js";
import type { Landing, Step } from "../../src/evaluate/outcome.js";
import { toNumber } from "../../src/evaluate/share.js";
import { meaningOf } from "../../src/state/meaning.js";
import { BUILT_IN_CHAINS, isTableName } from "../../src/state/rules.js";
import { KERNEL_CASES, kernelCase, outcomeKey, type Probe } from "./kernel.js";
import { binomialTail, chiSquareTail } from "./statistics.js";

/** Over all tests of the set; some hundred outcomes are tested. */
const LEVEL = 1e-6;

/** Cases whose rules need extensions that are not described yet: those are open questions, not wrong answers. */
const OPEN = KERNEL_CASES.filter((name) => kernelCase(name).unknown.length > 0);

/** A conversation's worth of state that a single packet does not have. */
const NEEDS_STATE: Readonly<Record<string, string>> = {
  "answers-by-state": "the answer of REJECT meets rules of its own in OUTPUT",
};

const CASES = KERNEL_CASES.filter(
  (name) => !OPEN.includes(name) && !(name in NEEDS_STATE) && kernelCase(name).probes.length > 0,
);

describe.each(CASES)("%s", (name) => {
  const { state, probes, family } = kernelCase(name);

  test.each(probes.map((probe) => [probe.id, probe] as const))("%s", (_id, probe) => {
    const { cases } = evaluate(state, probe.packet, { fresh: true });
    expect(cases).toHaveLength(1);
    const landings = cases[0]?.landings ?? [];
    compareOutcomes(landings, probe);
    if (probe.paths !== undefined) {
      const walked = landings.map((landing) => pathOf(landing.lastStep, family).join("\n"));
      const seen = probe.paths.map((path) => path.join("\n"));
      for (const path of seen) expect(walked).toContain(path);
    }
  });
});

test("what is left out is named", () => {
  // Shown, so that nobody takes the skipped cases for tested ones.
  const left = KERNEL_CASES.filter((name) => !CASES.includes(name));
  console.info(`single packets not compared: ${left.join(", ")}`);
  expect(CASES.length).toBeGreaterThan(25);
});

function compareOutcomes(landings: readonly Landing[], { observed, repeat }: Probe): void {
  const predicted = new Map<string, { share: number; kept: boolean }>();
  for (const landing of landings) {
    const key = outcomeKey(landing);
    const share = (predicted.get(key)?.share ?? 0) + toNumber(landing.share);
    predicted.set(key, { share, kept: landing.sport !== null });
  }
  const counts = new Map<string, { count: number; changed: number }>();
  for (const outcome of observed) {
    const key = outcomeKey(outcome);
    const before = counts.get(key) ?? { count: 0, changed: 0 };
    const changed = outcome.sport === "changed" ? outcome.count : 0;
    counts.set(key, { count: before.count + outcome.count, changed: before.changed + changed });
  }
  expect([...predicted.keys()]).toEqual(expect.arrayContaining([...counts.keys()]));
  let chiSquare = 0;
  let cells = 0;
  for (const [key, { share, kept }] of predicted) {
    const { count, changed } = counts.get(key) ?? { count: 0, changed: 0 };
    const wanted = share * repeat;
    if (wanted >= 20) expect(count, key).toBeGreaterThan(0);
    expect(
      binomialTail(count, repeat, share),
      `${key}: ${count} of ${repeat}, share ${share}`,
    ).toBeGreaterThan(LEVEL);
    if (wanted >= 5) {
      chiSquare += (count - wanted) ** 2 / wanted;
      cells++;
    }
    if (count > 0 && key.startsWith("forward")) {
      // Random ports towards one server can clash, and one in 64,512 is the old one.
      if (kept) expect(changed / count, `${key}: port kept`).toBeLessThanOrEqual(0.05);
      else expect(changed / count, `${key}: port changed`).toBeGreaterThan(0.9);
    }
  }
  expect(chiSquareTail(chiSquare, cells - 1)).toBeGreaterThan(LEVEL);
}

/** Steps as the kernel's TRACE reports them (legacy back end). */
function pathOf(last: Step | undefined, family: "ipv4" | "ipv6"): readonly string[] {
  const steps: Step[] = [];
  for (let step = last; step !== undefined; step = step.previous) steps.unshift(step);
  return steps.flatMap((step, index): string[] => {
    const { table, chain, number, rule } = step;
    const mark = step.mark === 0 ? "" : ` mark=0x${step.mark.toString(16)}`;
    const reported = (kind: string) => `${table}:${chain}:${kind}:${number}${mark}`;
    const isBuiltIn = isTableName(table) && BUILT_IN_CHAINS[table].includes(chain);
    if (step.kind === "rule" && rule !== undefined) {
      const { matches, effect } = meaningOf(rule, family);
      const bare = rule.matches.length === 0 && matches.every(({ condition }) => condition.kind === "always");
      const ends = effect.kind === "verdict" || effect.kind === "return";
      if (bare && ends) return [reported(isBuiltIn ? "policy" : "return")];
    }
    const before = steps[index - 1];
    // An unconditional RETURN in a built-in chain was already reported as its policy.
    if (
      step.kind === "policy" &&
      before?.kind === "rule" &&
      before.chain === chain &&
      before.table === table &&
      before.rule
    ) {
      const { matches, effect } = meaningOf(before.rule, family);
      const bare =
        before.rule.matches.length === 0 && matches.every(({ condition }) => condition.kind === "always");
      if (bare && effect.kind === "return") return [];
    }
    return [reported(step.kind)];
  });
}

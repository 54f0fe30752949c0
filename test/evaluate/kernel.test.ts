// What landfall predicts against what a real kernel did, packet by packet, and the rules visited on the way.
import { describe, expect, test } from "vitest";
import { evaluate } from "../../src/evaluate/evaluate.js";
import type { Landing } from "../../src/evaluate/outcome.js";
import { toNumber } from "../../src/evaluate/share.js";
import { traceLines } from "../../src/explain/trace-lines.js";
import { KERNEL_CASES, kernelCase, type Observed, outcomeKey, type Probe } from "./kernel.js";
import { binomialTail, chiSquareTail } from "./statistics.js";

/** Over all tests of the set; some hundred outcomes are tested. */
const LEVEL = 1e-6;

/** Probes whose way meets an extension that is not described: open questions, not wrong answers. */
const OPEN: string[] = [];

const CASES = KERNEL_CASES.flatMap((name) => {
  const { state, probes, unknown, family } = kernelCase(name);
  const closed = probes.filter((probe) => {
    const { cases, notes } = evaluate(state, probe.packet, { fresh: true });
    const asks = cases.flatMap(({ assuming }) => assuming.map(({ words }) => words));
    const isOpen =
      (unknown.length > 0 && (cases.length > 1 || notes.some((note) => /not modelled/.test(note)))) ||
      asks.some((words) => /the connection's original|in (?:the )?(?:ip)?set /.test(words));
    if (isOpen) OPEN.push(`${name}: ${probe.id}`);
    return !isOpen;
  });
  // A rule that asks something unknown may have matched or not, even where the outcome does not hang on it.
  const walks = unknown.length === 0 ? closed : closed.map((probe) => ({ ...probe, paths: undefined }));
  return walks.length > 0 ? [{ name, state, family, probes: walks }] : [];
});

describe.each(CASES)("$name", ({ state, probes }) => {
  test.each(probes.map((probe) => [probe.id, probe] as const))("%s", (_id, probe) => {
    const { cases } = evaluate(state, probe.packet, { fresh: true });
    expect(cases).toHaveLength(1);
    const landings = cases[0]?.landings ?? [];
    compareOutcomes(landings, probe);
    if (probe.paths !== undefined) {
      const walked = landings.map(pathOf);
      const seen = probe.paths.map((path) => path.join("\n"));
      for (const path of seen) expect(walked).toContain(path);
    }
  });
});

test("what is left out is named", () => {
  // Shown, so that nobody takes the skipped probes for tested ones.
  const left = KERNEL_CASES.filter((name) => CASES.every((one) => one.name !== name));
  console.info(`conversations alone: ${left.join(", ")}\nunknown extensions: ${OPEN.join(", ")}`);
  expect(CASES.length).toBeGreaterThan(28);
});

function compareOutcomes(landings: readonly Landing[], { observed, repeat }: Probe): void {
  // A port that the kernel draws is any port.
  const drawn =
    landings.some(({ dport }) => dport === null) && observed.some(({ dport }) => dport !== undefined);
  const outcomeOf = (outcome: Landing | Observed) =>
    outcomeKey(drawn ? { ...outcome, dport: null } : outcome);
  const predicted = new Map<string, { share: number; kept: boolean }>();
  for (const landing of landings) {
    const key = outcomeOf(landing);
    const share = (predicted.get(key)?.share ?? 0) + toNumber(landing.share);
    predicted.set(key, { share, kept: landing.sport !== null });
  }
  const counts = new Map<string, { count: number; changed: number }>();
  for (const outcome of observed) {
    const key = outcomeOf(outcome);
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

/** As the fixtures write it: with the packet's mark on entering the rule. */
function pathOf(landing: Landing): string {
  return traceLines(landing)
    .map(({ place, headers: { mark } }) => (mark === 0 ? place : `${place} mark=0x${mark.toString(16)}`))
    .join("\n");
}

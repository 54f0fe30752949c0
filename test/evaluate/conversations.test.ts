// Packets one after another against what a real kernel did with them: answers, later packets, ICMP errors, affinity, time.
import { describe, expect, test } from "vitest";
import { printAddress } from "../../grammar/address.js";
import { converse } from "../../src/evaluate/conversation.js";
import type { Landing } from "../../src/evaluate/outcome.js";
import { toNumber } from "../../src/evaluate/share.js";
import { KERNEL_CASES, kernelCase, type ObservedStep } from "./kernel.js";
import { binomialTail, chiSquareTail } from "./statistics.js";

/** Over all tests of the set. */
const LEVEL = 1e-6;

const CASES = KERNEL_CASES.map((name) => ({ name, ...kernelCase(name) })).filter(
  ({ conversations }) => conversations.length > 0,
);

test("there are many", () => {
  expect(CASES.flatMap(({ conversations }) => conversations).length).toBeGreaterThan(80);
});

describe.each(CASES)("$name", ({ state, conversations }) => {
  test.each(conversations.map((one) => [one.id, one] as const))("%s", (_id, { steps, observed, repeat }) => {
    const { cases, notes } = converse(state, steps, { fresh: true });
    expect(notes.filter((note) => /gave up|not modelled/.test(note))).toEqual([]);
    expect(cases).toHaveLength(1);
    const predicted = new Map<string, number>();
    for (const course of cases[0]?.courses ?? []) {
      const key = course.steps.map(predictedStep).join("\n");
      predicted.set(key, (predicted.get(key) ?? 0) + toNumber(course.share));
    }
    const counts = new Map<string, number>();
    for (const outcome of observed) {
      const key = outcome.steps.map(observedStep).join("\n");
      counts.set(key, (counts.get(key) ?? 0) + outcome.count);
    }
    expect([...predicted.keys()]).toEqual(expect.arrayContaining([...counts.keys()]));
    let chiSquare = 0;
    let cells = 0;
    for (const [key, share] of predicted) {
      const count = counts.get(key) ?? 0;
      expect(binomialTail(count, repeat, share), `${key}: ${count} of ${repeat}`).toBeGreaterThan(LEVEL);
      if (share * repeat >= 20) expect(count, key).toBeGreaterThan(0);
      if (share * repeat >= 5) {
        chiSquare += (count - share * repeat) ** 2 / (share * repeat);
        cells++;
      }
    }
    if (cells > 1) expect(chiSquareTail(chiSquare, cells - 1)).toBeGreaterThan(LEVEL);
  });
});

/** What both sides are put into. Ports of clients are whatever was drawn: only whether they stay is compared. */
function predictedStep(landing: Landing | null): string {
  if (landing === null) return "nothing";
  const text = (address: Landing["src"]) => (address === null ? "?" : printAddress(address));
  const inner = landing.quoted?.tuple;
  const part = (value: unknown) =>
    typeof value === "number" || typeof value === "bigint" ? printAddress(value) : String(value);
  const quoted = inner === undefined ? "" : ` about ${part(inner.source)} to ${part(inner.destination)}`;
  switch (landing.verdict) {
    case "forward":
      return `forward by ${landing.out} ${text(landing.src)} to ${text(landing.dst)}${quoted}`;
    case "local":
      return `local ${text(landing.src)} to ${text(landing.dst)}${quoted}`;
    case "reject":
      return landing.answered === false ? "drop" : `reject ${landing.with} from ${text(landing.from)}`;
    default:
      return landing.verdict;
  }
}

function observedStep(step: ObservedStep | null): string {
  if (step === null) return "nothing";
  const { inner } = step;
  const quoted = inner === undefined ? "" : ` about ${inner.src} to ${inner.dst}`;
  switch (step.verdict) {
    case "forward":
      return `forward by ${step.out} ${step.src} to ${step.dst}${quoted}`;
    case "local":
      return `local ${step.src} to ${step.dst}${quoted}`;
    case "reject":
      return `reject ${step.with} from ${step.from}`;
    default:
      return step.verdict;
  }
}

// The rules of real nodes, on made-up nodes in a real kernel: what landfall says of random packets against what became of
// them. Numbers come as in the random rule sets: LANDFALL_FUZZ_SEED, _CASES (packets for each dump), _SHOW.
import { describe, expect, test } from "vitest";
import { readRules } from "../../src/text/rules.js";
import { realDumps } from "../text/real.js";
import { compare } from "./kernel-compare.js";
import { askKernel, whyNoKernel } from "./kernel-lab.js";
import { realCase } from "./real-cases.js";

// A busy machine brings addresses up late: what differs is asked once more.
const SEED = Number(process.env.LANDFALL_FUZZ_SEED ?? 1);
const PACKETS = Number(process.env.LANDFALL_FUZZ_CASES ?? 25);
const SHOWN = Number(process.env.LANDFALL_FUZZ_SHOW ?? 3);

const reason = whyNoKernel();
if (reason !== undefined) console.info(`skipped: ${reason}`);

const DUMPS = realDumps().flatMap(({ name, canonical, flavour }) => {
  if (canonical === undefined) return [];
  const { family } = readRules({ name, text: canonical }).ruleset;
  return [{ name, family, canonical, backend: flavour }];
});

describe.skipIf(reason !== undefined)(`real rules, random packets from seed ${SEED} on`, () => {
  test.each(["legacy", "nft"] as const)("%s", { timeout: 3_600_000, retry: 1 }, async (backend) => {
    const cases = DUMPS.filter((dump) => dump.backend === backend).map(({ name, family, canonical }, index) =>
      realCase(name, canonical, { seed: SEED * 1000 + index, family, packets: PACKETS, repeats: 60 }),
    );
    const answers = await askKernel(cases, { backend, trace: false });
    const total = { conversations: 0, packets: 0, paths: 0, open: 0, refused: 0 };
    const shown: string[] = [];
    for (const [index, one] of cases.entries()) {
      const answer = answers[index];
      if (answer === undefined || answer.error !== undefined) {
        total.refused++;
        console.info(one.name, answer?.error);
        continue;
      }
      const { differences, ...counts } = compare(one, answer);
      for (const key of ["conversations", "packets", "paths", "open"] as const) total[key] += counts[key];
      for (const { id, what, predicted, observed } of differences) {
        const steps = one.probes.find((probe) => probe.id === id)?.steps.map((step) => JSON.stringify(step));
        shown.push(
          [
            `${one.name} probe ${id}: ${what}`,
            ...(steps ?? []),
            "predicted",
            ...predicted.slice(0, 6),
            "observed",
            ...observed,
            JSON.stringify({ ...one.network, ipset: undefined }),
          ].join("\n  "),
        );
      }
    }
    console.info(`${backend}: ${cases.length} dumps, ${JSON.stringify(total)}, ${shown.length} differences`);
    if (shown.length > 0) console.info(shown.slice(0, SHOWN).join("\n\n"));
    expect(shown.length).toBe(0);
  });
});

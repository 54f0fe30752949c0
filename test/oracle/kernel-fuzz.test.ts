// Random rule sets, nodes and packets: what landfall says of them against what a real kernel does. The seed is
// LANDFALL_FUZZ_SEED (default: fixed), the number of rule sets for each family and back end LANDFALL_FUZZ_CASES.
import { describe, expect, test } from "vitest";
import { kernelCase } from "./kernel-cases.js";
import { compare } from "./kernel-compare.js";
import { askKernel, whyNoKernel } from "./kernel-lab.js";

const SEED = Number(process.env.LANDFALL_FUZZ_SEED ?? 1);
const CASES = Number(process.env.LANDFALL_FUZZ_CASES ?? 25);
const SHOWN = Number(process.env.LANDFALL_FUZZ_SHOW ?? 3);
const REPEATS = 100;

const reason = whyNoKernel();
if (reason !== undefined) console.info(`skipped: ${reason}`);

const RUNS = (["ipv4", "ipv6"] as const).flatMap((family) =>
  (["legacy", "nft"] as const).map((backend) => ({ family, backend })),
);

describe.skipIf(reason !== undefined)(`random cases from seed ${SEED} on`, () => {
  test.each(RUNS)("$family, $backend", { timeout: 3_600_000 }, async ({ family, backend }) => {
    const cases = Array.from({ length: CASES }, (_, index) =>
      kernelCase(SEED * 1_000_000 + index, { family, backend, repeats: REPEATS }),
    );
    const answers = await askKernel(cases, { backend, trace: backend === "legacy" });
    const total = { conversations: 0, packets: 0, paths: 0, open: 0, refused: 0 };
    const shown: string[] = [];
    for (const [index, one] of cases.entries()) {
      const answer = answers[index];
      if (answer === undefined || answer.error !== undefined) {
        total.refused++;
        if (process.env.LANDFALL_FUZZ_OPEN) console.info(answer?.error);
        continue;
      }
      const { differences, conversations, packets, paths, open } = compare(one, answer);
      total.conversations += conversations;
      total.packets += packets;
      total.paths += paths;
      total.open += open;
      for (const { id, what, predicted, observed } of differences) {
        const probe = one.probes.find((other) => other.id === id);
        const steps = probe?.steps.map((step) => JSON.stringify(step)).join("\n  ");
        const network = JSON.stringify(one.network);
        shown.push(
          [
            `case ${one.name} probe ${id}: ${what}`,
            `  ${steps}`,
            "predicted",
            ...predicted.slice(0, 6),
            "observed",
            ...observed,
            network,
            one.rules,
          ].join("\n"),
        );
      }
    }
    console.info(
      `${family} ${backend}: ${CASES} rule sets, ${JSON.stringify(total)}, ${shown.length} differences`,
    );
    if (shown.length > 0) console.info(shown.slice(0, SHOWN).join("\n\n"));
    expect(shown.length).toBe(0);
    expect(total.refused).toBeLessThanOrEqual(CASES * 0.1);
  });
});

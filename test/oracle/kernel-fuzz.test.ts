// Random rule sets, nodes and packets: what landfall says of them against what a real kernel does (test/lab). Rule set
// n of LANDFALL_FUZZ_SEED s has the seed s · 1,000,000 + n; LANDFALL_FUZZ_CASES is the number of rule sets for each family and
// back end, LANDFALL_FUZZ_FIRST the first n, LANDFALL_FUZZ_REPEATS how often a conversation is repeated in which something is
// drawn, LANDFALL_FUZZ_SHOW the number of differences shown. LANDFALL_FUZZ_OPEN=1 shows what is left open, too.
import { describe, expect, test } from "vitest";
import { type KernelCase, kernelCase } from "./kernel-cases.js";
import { type Comparison, compare, type Difference } from "./kernel-compare.js";
import { askKernel, type LabOptions, whyNoKernel } from "./kernel-lab.js";

function setting(name: string, byDefault: number): number {
  return Number(process.env[`LANDFALL_FUZZ_${name}`] ?? byDefault);
}

const SEED = setting("SEED", 1);
const FIRST = setting("FIRST", 0);
const CASES = setting("CASES", 20);
const SHOWN = setting("SHOW", 3);
const REPEATS = setting("REPEATS", 20);

const RUNS = (["ipv4", "ipv6"] as const).flatMap((family) =>
  (["legacy", "nft"] as const).map((backend) => ({ family, backend, reason: whyNoKernel(backend, family) })),
);
for (const { family, backend, reason } of RUNS)
  if (reason !== undefined) console.info(`no random rules for ${family}, ${backend}: ${reason}`);

/** Milliseconds: a packet that a busy machine has delivered late looks like one that was dropped. */
const PATIENCE = 30;

describe.each(RUNS)(`random cases of seed ${SEED}, $family, $backend`, ({ family, backend, reason }) => {
  test.skipIf(reason !== undefined)("are as the kernel has it", { timeout: 3_600_000 }, async () => {
    const cases = Array.from({ length: CASES }, (_, index) =>
      kernelCase(SEED * 1_000_000 + FIRST + index, { family, backend, repeats: REPEATS }),
    );
    const options: LabOptions = { backend, trace: backend === "legacy" };
    const first = await compared(cases, options);
    const doubtful = first.results.filter(({ comparison }) => comparison.differences.length > 0);
    const second =
      doubtful.length === 0
        ? []
        : (
            await compared(
              doubtful.map(({ one }) => one),
              { ...options, patience: PATIENCE },
            )
          ).results;
    const differences = second.flatMap(({ one, comparison }) =>
      comparison.differences.map((difference) => differenceText(one, difference)),
    );
    const sum = (key: "conversations" | "packets" | "paths" | "open") =>
      first.results.reduce((all, { comparison }) => all + comparison[key], 0);
    console.info(
      `${family} ${backend}: ${CASES} rule sets of seed ${SEED}, ${first.refused} refused; ${sum("conversations")} conversations, ` +
        `${sum("packets")} packets, ${sum("paths")} paths, ${sum("open")} open; ${differences.length} differences`,
    );
    if (differences.length > 0) console.info(differences.slice(0, SHOWN).join("\n\n"));
    expect(differences.length).toBe(0);
    // Kernels differ in the extensions that they have.
    expect(first.refused).toBeLessThanOrEqual(CASES / 2);
  });
});

interface Compared {
  readonly results: readonly { readonly one: KernelCase; readonly comparison: Comparison }[];
  /** Cases that the tools refused to load. */
  readonly refused: number;
}

async function compared(cases: readonly KernelCase[], options: LabOptions): Promise<Compared> {
  const answers = await askKernel(cases, options);
  const results = cases.flatMap((one, index) => {
    const answer = answers[index];
    if (answer?.error === undefined && answer !== undefined)
      return [{ one, comparison: compare(one, answer) }];
    if (process.env.LANDFALL_FUZZ_OPEN) console.info(`${one.name}: ${answer?.error}`);
    return [];
  });
  return { results, refused: cases.length - results.length };
}

function differenceText(one: KernelCase, { id, what, predicted, observed }: Difference): string {
  const steps = one.probes.find((probe) => probe.id === id)?.steps.map((step) => JSON.stringify(step));
  return [
    `case ${one.name} probe ${id}: ${what}`,
    `  ${steps?.join("\n  ")}`,
    "predicted",
    ...predicted.slice(0, 6),
    "observed",
    ...observed,
    JSON.stringify(one.network),
    one.rules,
  ].join("\n");
}

// Virtual servers in a real kernel: a guest that has IPVS is booted once (test/lab/vm.sh), loads what nodes have, and makes
// connections; landfall must foresee each. LANDFALL_FUZZ_SEED asks for other cases, LANDFALL_FUZZ_CASES for more, and
// LANDFALL_IPVS_VM=build makes the image first where there is none.
import { describe, expect, test } from "vitest";
import { SCHEDULERS } from "../../src/state/virtual-servers.js";
import { clusterCases, kubeProxyCase, seriesCase } from "./ipvs-cases.js";
import { askGuest, whyNoGuest } from "./ipvs-vm.js";
import type { KernelCase } from "./kernel-cases.js";
import { compare, type Difference } from "./kernel-compare.js";
import type { LabAnswer } from "./kernel-lab.js";

const SEED = Number(process.env.LANDFALL_FUZZ_SEED ?? 1);
const CASES = Number(process.env.LANDFALL_FUZZ_CASES ?? 4);
/** At the most; on two idle cores it is a tenth of that. */
const SECONDS = 240 + CASES * 20;

const reason = whyNoGuest();
if (reason !== undefined) console.info(`virtual servers are not put to a kernel: ${reason}`);

/** Debian's kernels are built without it. */
const NOT_THERE: readonly string[] = ["twos"];

function casesOf(seed: number): readonly KernelCase[] {
  const schedulers = SCHEDULERS.filter((name) => !NOT_THERE.includes(name));
  return [
    ...schedulers.map((name, at) => seriesCase(seed * 1000 + at, name, at % 2 === 0 ? "ipv4" : "ipv6")),
    ...Array.from({ length: CASES }, (_, at) => clusterCases(seed * 1000 + at)).flat(),
    ...Array.from({ length: CASES }, (_, at) => kubeProxyCase(seed * 1000 + at)),
  ];
}

describe.skipIf(reason !== undefined)(`virtual servers in a kernel, seed ${SEED}`, () => {
  test("each connection", { timeout: SECONDS * 2500 }, async () => {
    const cases = casesOf(SEED);
    const begun = Date.now();
    const first = await compared(cases);
    const took = Math.round((Date.now() - begun) / 1000);
    // On a busy machine a packet may come late, and a connection may have ended before the next one began.
    const doubtful = first.filter(
      ({ error, comparison }) => error !== undefined || comparison.differences.length > 0,
    );
    const second = doubtful.length === 0 ? [] : await compared(doubtful.map(({ one }) => one));
    const results = first.map((result) => second.find(({ one }) => one === result.one) ?? result);
    const packets = results.reduce((sum, { comparison }) => sum + (comparison?.packets ?? 0), 0);
    console.info(`seed ${SEED}: ${cases.length} nodes, ${packets} packets; ${took} s`);
    const wrong = results.flatMap(({ one, error, comparison }) => [
      ...(error === undefined ? [] : [`${one.name}: ${error}`]),
      ...(comparison?.open ? [`${one.name}: left open`] : []),
      ...(comparison?.differences ?? []).map((difference) => differenceText(one, difference)),
    ]);
    if (wrong.length > 0) console.info(wrong.slice(0, 3).join("\n\n"));
    expect(wrong.map((text) => text.split("\n")[0])).toEqual([]);
  });
});

/** The first packet that went otherwise. */
function differenceText({ name, network, probes }: KernelCase, { predicted, observed }: Difference): string {
  const [foreseen = [], seen = []] = [predicted[0], observed[0]].map((text) => text?.split(" | "));
  // The kernel's side tells whether a port was kept, landfall's its number as well.
  const alike = (one: string) => one.replace(/^1\.0000 /, "").replace(/:\d+ kept|:kept/g, "");
  const at = seen.findIndex((one, step) => alike(one) !== alike(foreseen[step] ?? ""));
  const steps = probes.flatMap((probe) => probe.steps).slice(Math.max(0, at - 2), at + 1);
  return [
    `${name}, packet ${at}`,
    `  landfall ${foreseen[at]}`,
    `  kernel   ${seen[at]}`,
    ...steps.map((step) => `  ${JSON.stringify(step)}`),
    network.ipvs,
  ].join("\n");
}

async function compared(cases: readonly KernelCase[]) {
  const answers = await askGuest(cases, { backend: "legacy", trace: false }, SECONDS);
  return cases.map((one, at) => {
    const answer: LabAnswer = answers[at] ?? { name: one.name, error: "no answer" };
    return answer.error === undefined
      ? { one, error: undefined, comparison: compare(one, answer) }
      : { one, error: answer.error, comparison: undefined };
  });
}

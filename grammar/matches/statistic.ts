import { defineMatch } from "../description.js";
import { not } from "../listing.js";
import { negatedIf } from "../meaning.js";
import { numberKind, oneOfKind, probabilityKind } from "../values.js";

const COUNTER_MAX = 0xffffffff;

/**
 * xt_statistic. `random`: 31 fresh random bits are below k, so the probability is exactly k / 2^31. `nth`: a counter of
 * the rule itself, whose position no dump holds.
 */
export const statistic = defineMatch({
  name: "statistic",
  summary: "a share of the packets, drawn at random or counted",
  options: {
    mode: { name: "--mode", value: oneOfKind(["random", "nth"]), required: true },
    probability: { name: "--probability", value: probabilityKind, negatable: true },
    every: { name: "--every", value: numberKind(1, COUNTER_MAX), negatable: true },
    packet: { name: "--packet", value: numberKind(0, COUNTER_MAX) },
  },
  complete(given) {
    const { mode, probability, every, packet } = given;
    if (mode?.value === "random") {
      if (every || packet) return { refused: "--every and --packet go with --mode nth, not random" };
      if (!probability) return { refused: "--mode random needs --probability" };
      return given;
    }
    if (probability) return { refused: "--probability goes with --mode random, not nth" };
    if (!every) return { refused: "--mode nth needs --every" };
    if (!packet)
      return { refused: "--every needs --packet", help: "write --packet 0 for the first of each round" };
    if (packet.value >= every.value) return { refused: "--packet must be below --every" };
    return given;
  },
  meaning({ probability, every, packet }) {
    if (probability) {
      return { condition: negatedIf(probability.negated, { kind: "chance", threshold: probability.value }) };
    }
    return {
      condition: negatedIf(every?.negated ?? false, {
        kind: "counted",
        every: every?.value ?? 1,
        packet: packet?.value ?? 0,
      }),
    };
  },
  listed: [
    {
      form: /^statistic mode random (! )?probability (\S+)/,
      words: ([negated, probability = ""]) => [
        "--mode",
        "random",
        ...not(negated),
        "--probability",
        probability,
      ],
    },
    {
      form: /^statistic mode nth (! )?every (\d+)(?: packet (\d+))?/,
      words: ([negated, every = "", packet = "0"]) => [
        ...["--mode", "nth", ...not(negated), "--every", every],
        ...["--packet", packet],
      ],
    },
  ],
  examples: [
    {
      typed: "-m statistic --mode random --probability 0.3333333333",
      saved: "-m statistic --mode random --probability 0.33333333349",
    },
    {
      typed: "-m statistic --mode random --probability .5",
      saved: "-m statistic --mode random --probability 0.50000000000",
    },
    {
      typed: "-m statistic --mode random ! --probability 0.25",
      saved: "-m statistic --mode random ! --probability 0.25000000000",
    },
    { typed: "-m statistic --mode nth --every 3 --packet 2" },
    { typed: "-m statistic --mode nth ! --every 3 --packet 0" },
    { typed: "-m statistic --mode nth --every 3", refused: true },
    { typed: "-m statistic --mode nth --every 3 --packet 3", refused: true },
    { typed: "-m statistic --mode random --probability 1.1", refused: true },
    { typed: "-m statistic --mode random", refused: true },
  ],
});

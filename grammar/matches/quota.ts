import { defineMatch } from "../description.js";
import { listedLater, listedOption } from "../listing.js";
import { hiddenInRule, negatedIf } from "../meaning.js";
import { longKind } from "../values.js";

/** xt_quota: so many bytes may pass the rule. */
export const quota = defineMatch({
  name: "quota",
  summary: "until so many bytes have passed",
  options: { quota: { name: "--quota", value: longKind(2n ** 64n - 1n), negatable: true, required: true } },
  meaning({ quota: bytes }) {
    const below = `fewer than ${bytes?.value} bytes have passed`;
    return {
      condition: negatedIf(bytes?.negated ?? false, {
        ...hiddenInRule(below, `${bytes?.value} bytes or more have passed`),
        counts: { kind: "quota", bytes: bytes?.value ?? 0n },
      }),
    };
  },
  listed: [
    listedOption("quota:", "--quota", "\\d+(?= bytes)"),
    ...listedLater({ form: /^bytes(?= |$)/, words: () => [] }),
  ],
  examples: [
    { typed: "-m quota ! --quota 18446744073709551615" },
    { typed: "-m quota --quota 0x10", saved: "-m quota --quota 16" },
    { typed: "-m quota --quota 18446744073709551616", refused: true },
    { typed: "-m quota", refused: true },
  ],
});

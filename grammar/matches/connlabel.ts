import { defineMatch, flag, type ValueKind } from "../description.js";
import { not } from "../listing.js";
import { allOf, hidden, negatedIf, TRACKED } from "../meaning.js";
import { quote, reading, readLong } from "../values.js";

const expects = "a label from 0 to 127 (names hang on the node)";
/** Sixteen bits of the number count, and one whose low 32 bits are negative is taken for a name. */
const labelKind: ValueKind<number> = {
  expects,
  grammar: () =>
    reading(expects, (text) => {
      const low = Number(BigInt.asIntN(32, readLong(text, 2n ** 64n - 1n) ?? -1n));
      const label = low & 0xffff;
      return low >= 0 && label <= 127 ? label : undefined;
    }),
  print: (label) => `"${label}"`,
};

/** xt_connlabel: a label of the connection; `--set` also sets it. Labels by name hang on a file of the node. */
export const connlabel = defineMatch({
  name: "connlabel",
  summary: "a label of the packet's connection",
  tracksConnections: true,
  options: {
    label: {
      name: "--label",
      value: labelKind,
      negatable: true,
      required: true,
    },
    set: flag("--set"),
  },
  meaning({ label, set }) {
    const has = hidden(
      `the connection has label ${label?.value}`,
      `the connection does not have label ${label?.value}`,
    );
    // `--set` makes it so, and asks whether it could.
    const condition = set ? TRACKED : allOf([TRACKED, has]);
    return { condition: negatedIf(label?.negated ?? false, condition) };
  },
  listed: [
    {
      form: /^connlabel (! )?(?:'([^']*)'|(\S+))( set)?(?= |$)/,
      words: ([negated, quoted, label, set]) => [
        ...not(negated),
        "--label",
        quote(quoted ?? label ?? ""),
        ...(set === undefined ? [] : ["--set"]),
      ],
    },
  ],
  examples: [
    { typed: "-m connlabel ! --label 5 --set", saved: '-m connlabel ! --label "5" --set' },
    { typed: "-m connlabel --label 65537", saved: '-m connlabel --label "1"' },
    { typed: "-m connlabel --label 128", refused: true },
    { typed: "-m connlabel", refused: true },
  ],
});

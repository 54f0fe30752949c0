import { defineMatch } from "../description.js";
import { listedOption } from "../listing.js";
import { allOf, HAS_NO_ENTRY, negatedIf } from "../meaning.js";
import { markKind } from "../values.js";

/** xt_connmark: `(connection's mark & mask) == value`. */
export const connmark = defineMatch({
  name: "connmark",
  summary: "the mark of the packet's connection",
  tracksConnections: true,
  options: { mark: { name: "--mark", value: markKind, negatable: true, required: true } },
  // Packets without a connection have no mark to ask for, negated or not.
  meaning: ({ mark }) => ({
    condition: allOf([
      negatedIf(true, HAS_NO_ENTRY),
      negatedIf(mark?.negated ?? false, {
        kind: "masked",
        field: "connmark",
        value: mark?.value.value ?? 0,
        mask: mark?.value.mask ?? 0,
      }),
    ]),
  }),
  listed: [listedOption("connmark match ", "--mark")],
  examples: [
    { typed: "-m connmark ! --mark 0xf/0xff" },
    { typed: "-m connmark --mark 1", saved: "-m connmark --mark 0x1" },
    { typed: "-m connmark", refused: true },
  ],
});

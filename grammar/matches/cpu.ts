import { defineMatch } from "../description.js";
import { listedOption } from "../listing.js";
import { negatedIf, within } from "../meaning.js";
import { numberKind } from "../values.js";

/** xt_cpu: which processor handles the packet. */
export const cpu = defineMatch({
  name: "cpu",
  summary: "which processor handles the packet",
  options: { cpu: { name: "--cpu", value: numberKind(0, 0xffffffff), negatable: true, required: true } },
  meaning: ({ cpu: asked }) => ({
    condition: negatedIf(asked?.negated ?? false, within("cpu", asked?.value ?? 0)),
  }),
  listed: [listedOption("cpu ", "--cpu")],
  examples: [
    { typed: "-m cpu ! --cpu 0x2", saved: "-m cpu ! --cpu 2" },
    { typed: "-m cpu", refused: true },
  ],
});

import { defineMatch } from "../description.js";
import { PREROUTING_FREE } from "../hooks.js";
import { listedOption } from "../listing.js";
import { negatedIf } from "../meaning.js";
import { namedMarkKind } from "../values.js";

/** xt_realm: the routing realm of the packet's route. */
export const realm = defineMatch({
  name: "realm",
  summary: "the routing realm of the packet's route",
  families: ["ipv4"],
  hooks: PREROUTING_FREE,
  options: {
    realm: { name: "--realm", value: namedMarkKind({ cosmos: 0 }), negatable: true, required: true },
  },
  meaning: ({ realm: asked }) => ({
    condition: negatedIf(asked?.negated ?? false, {
      kind: "masked",
      field: "realm",
      value: asked?.value.value ?? 0,
      mask: asked?.value.mask ?? 0,
    }),
  }),
  listed: [listedOption("realm ", "--realm")],
  examples: [
    { typed: "-m realm --realm 0x1/0x2a" },
    { typed: "-m realm ! --realm 5", saved: "-m realm ! --realm 0x5" },
    { typed: "-m realm --realm cosmos" },
    { typed: "-m realm", refused: true },
  ],
});

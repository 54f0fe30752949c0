import { PREROUTING_FREE } from "../hooks.js";
import { defineUnmodelledMatch } from "../unmodelled.js";
import { namedMarkKind } from "../values.js";

/** xt_realm: the routing realm of the packet's route. */
export const realm = defineUnmodelledMatch({
  name: "realm",
  summary: "the routing realm of the packet's route",
  families: ["ipv4"],
  hooks: PREROUTING_FREE,
  options: {
    realm: { name: "--realm", value: namedMarkKind({ cosmos: 0 }), negatable: true, required: true },
  },
  unmodelled: { hangsOn: "the realm of the route, which no dump of rules holds" },
  examples: [
    { typed: "-m realm --realm 0x1/0x2a" },
    { typed: "-m realm ! --realm 5", saved: "-m realm ! --realm 0x5" },
    { typed: "-m realm --realm cosmos" },
    { typed: "-m realm", refused: true },
  ],
});

import { defineMatch } from "../description.js";
import { EGRESS, INGRESS } from "../hooks.js";
import { listedOption } from "../listing.js";
import { allOf, negatedIf } from "../meaning.js";
import { namedMarkKind } from "../values.js";

const group = namedMarkKind({ default: 0 });

/** xt_devgroup: the group of the interface that the packet came in by, or leaves by. */
export const devgroup = defineMatch({
  name: "devgroup",
  summary: "the group of the packet's interfaces",
  options: {
    source: { name: "--src-group", value: group, negatable: true, hooks: INGRESS },
    destination: {
      name: "--dst-group",
      value: group,
      negatable: true,
      hooks: EGRESS,
    },
  },
  complete: (given) =>
    given.source || given.destination
      ? given
      : { refused: "one of --src-group and --dst-group must be given" },
  meaning({ source, destination }) {
    const asked = [
      ["inGroup", source],
      ["outGroup", destination],
    ] as const;
    return {
      condition: allOf(
        asked.flatMap(([field, option]) =>
          option
            ? [
                negatedIf(option.negated, {
                  kind: "masked",
                  field,
                  value: option.value.value,
                  mask: option.value.mask,
                }),
              ]
            : [],
        ),
      ),
    };
  },
  listed: [listedOption("src-group ", "--src-group"), listedOption("dst-group ", "--dst-group")],
  examples: [
    {
      typed: "-m devgroup ! --src-group 10 --dst-group 5/255",
      saved: "-m devgroup ! --src-group 0xa --dst-group 0x5/0xff",
    },
    { typed: "-m devgroup --src-group 0", saved: "-m devgroup --src-group default" },
    { typed: "-m devgroup", refused: true },
  ],
});

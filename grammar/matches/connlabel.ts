import { flag } from "../description.js";
import { defineUnmodelledMatch } from "../unmodelled.js";
import { numberKind } from "../values.js";

/** xt_connlabel: a label of the connection; `--set` also sets it. Labels by name hang on a file of the node. */
export const connlabel = defineUnmodelledMatch({
  name: "connlabel",
  summary: "a label of the packet's connection",
  tracksConnections: true,
  options: {
    label: {
      name: "--label",
      value: { ...numberKind(0, 127), print: (bit) => `"${bit}"` },
      negatable: true,
      required: true,
    },
    set: flag("--set"),
  },
  unmodelled: { hangsOn: "the labels of the connection" },
  examples: [
    { typed: "-m connlabel ! --label 5 --set", saved: '-m connlabel ! --label "5" --set' },
    { typed: "-m connlabel --label 128", refused: true },
    { typed: "-m connlabel", refused: true },
  ],
});

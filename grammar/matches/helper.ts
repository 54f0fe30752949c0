import { defineUnmodelledMatch } from "../unmodelled.js";
import { textKind } from "../values.js";

/** xt_helper: the helper of connection tracking that watches the connection. */
export const helper = defineUnmodelledMatch({
  name: "helper",
  summary: "the helper that watches the packet's connection",
  tracksConnections: true,
  options: {
    helper: {
      name: "--helper",
      value: textKind("the name of a helper, for example ftp", 29),
      negatable: true,
      required: true,
    },
  },
  unmodelled: { hangsOn: "the helper of the connection" },
  examples: [
    { typed: "-m helper ! --helper ftp" },
    { typed: '-m helper --helper ""' },
    { typed: "-m helper", refused: true },
  ],
});

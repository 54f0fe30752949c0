import { defineTarget, flag } from "../description.js";
import { listedFlag, listedOption } from "../listing.js";
import { cutNameKind, numberKind } from "../values.js";

/** xt_IDLETIMER. */
export const IDLETIMER = defineTarget({
  name: "IDLETIMER",

  summary: "tells a process of the node when no packet has come for a while; goes on",

  options: {
    timeout: { name: "--timeout", value: numberKind(1, 0xffffffff), required: true },
    label: { name: "--label", value: cutNameKind("a name of at most 27 characters", 27), required: true },
    alarm: flag("--alarm"),
  },

  complete: (given) => (given.label?.value === "" ? { refused: "--label must not be empty" } : given),
  meaning: () => ({ kind: "note", what: "IDLETIMER" }),
  listed: [
    listedOption("timeout:", "--timeout"),
    listedOption("label:", "--label"),
    listedFlag("alarm", "--alarm"),
  ],
  examples: [
    { typed: "-j IDLETIMER --timeout 42 --label foo" },
    { typed: "-j IDLETIMER --timeout 42", refused: true },
    { typed: "-j IDLETIMER --label x", refused: true },
  ],
});

import { defineMatch } from "../description.js";
import { not } from "../listing.js";
import { allOf, hidden, negatedIf } from "../meaning.js";
import { quote, textKind } from "../values.js";

/** xt_helper: the helper of connection tracking that watches the connection. */
export const helper = defineMatch({
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
  meaning({ helper: asked }) {
    const whose = asked?.value ? `the helper ${asked.value}` : "a helper";
    return {
      condition: negatedIf(
        asked?.negated ?? false,
        // It is the connection that this one belongs to which is watched.
        allOf([
          { kind: "oneOf", field: "connectionState", words: ["RELATED", "ESTABLISHED"] },
          hidden(
            `the connection was opened for one that ${whose} watches`,
            `the connection was not opened for one that ${whose} watches`,
          ),
        ]),
      ),
    };
  },
  listed: [
    {
      form: /^helper match (! )?"([^"]*)"/,
      words: ([negated, name = ""]) => [...not(negated), "--helper", quote(name)],
    },
  ],
  examples: [
    { typed: "-m helper ! --helper ftp" },
    { typed: '-m helper --helper ""' },
    { typed: "-m helper", refused: true },
  ],
});

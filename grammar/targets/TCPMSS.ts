import { defineTarget, flag, type GivenOption } from "../description.js";
import { EGRESS } from "../hooks.js";
import { listedFlag, listedOption } from "../listing.js";
import { TCP_FLAGS } from "../matches/tcp.js";
import { PROTOCOL } from "../protocols.js";
import { numberKind } from "../values.js";

/** xt_TCPMSS. */
export const TCPMSS = defineTarget({
  name: "TCPMSS",

  summary: "changes the maximum segment size of a TCP SYN and goes on",

  protocols: [PROTOCOL.tcp],

  options: {
    set: { name: "--set-mss", value: numberKind(0, 65515) },
    clamp: flag("--clamp-mss-to-pmtu"),
  },

  complete: (given, { hook, flavour, matches = [] }) => {
    if (!given.set && !given.clamp)
      return { refused: "one of --set-mss and --clamp-mss-to-pmtu must be given" };
    if (given.clamp && !given.set && hook !== undefined && !EGRESS.includes(hook)) {
      return { refused: `--clamp-mss-to-pmtu may not be used in ${hook}` };
    }
    // The kernel looks for a match that lets SYN packets alone through.
    const asksForSyn = matches.some(({ name, given: options }) => {
      const flags = name === "tcp" ? (options.flags as GivenOption<{ set: number }> | undefined) : undefined;
      return flags !== undefined && !flags.negated && (flags.value.set & TCP_FLAGS.SYN) !== 0;
    });
    // Of the two, the kernel keeps the one that is given last; it can show only one.
    const last = Object.keys(given).at(-1);
    if (!asksForSyn && flavour === "legacy")
      return { refused: "it needs a match for SYN packets, for example -m tcp --syn" };
    return given.set && given.clamp ? (last === "set" ? { set: given.set } : { clamp: given.clamp }) : given;
  },
  meaning: () => ({ kind: "note", what: "TCPMSS" }),
  listed: [
    listedFlag("TCPMSS clamp to PMTU", "--clamp-mss-to-pmtu"),
    listedOption("TCPMSS set ", "--set-mss"),
  ],
  examples: [
    { typed: "-p tcp -m tcp --tcp-flags SYN,RST SYN -j TCPMSS --set-mss 42", table: "mangle" },
    { typed: "-p tcp -m tcp --tcp-flags SYN,RST SYN -j TCPMSS --clamp-mss-to-pmtu" },
    { typed: "-p tcp -j TCPMSS --set-mss 42", table: "mangle", refused: true },
    { typed: "-p tcp -m tcp --tcp-flags SYN,RST SYN -j TCPMSS", table: "mangle", refused: true },
    {
      typed: "-p tcp -m tcp --tcp-flags SYN,RST SYN -j TCPMSS --set-mss 65516",
      table: "mangle",
      refused: true,
    },
  ],
});

import type { ValueKind } from "../description.js";
import { defineTarget, flag } from "../description.js";
import { listedFlag, listedLater, listedOption } from "../listing.js";
import type { Range } from "../meaning.js";
import { numberKind, reading, readLong } from "../values.js";

const expects = "a range of queues, for example 0:3";
const balanceKind: ValueKind<Range> = {
  expects,
  grammar: () =>
    reading(expects, (text) => {
      const [from = "", to, ...more] = text.split(":");
      if (to === undefined) return undefined;
      const first = readLong(from || "0", 65535n);
      const last = readLong(to || "65535", 65535n);
      if (
        first === undefined ||
        last === undefined ||
        first >= last ||
        last - first >= 65535n ||
        more.length > 0
      )
        return undefined;
      return { from: Number(first), to: Number(last) };
    }),
  print: ({ from, to }) => `${from}:${to}`,
};

/** xt_NFQUEUE. */
export const NFQUEUE = defineTarget({
  name: "NFQUEUE",

  summary: "hands the packet to a process of the node, which decides",

  options: {
    number: { name: "--queue-num", value: numberKind(0, 65535) },
    balance: { name: "--queue-balance", value: balanceKind },
    bypass: flag("--queue-bypass"),
    fanout: flag("--queue-cpu-fanout"),
  },

  complete: (given) => {
    if (given.number && given.balance)
      return { refused: "--queue-num and --queue-balance exclude each other" };
    if (given.fanout && !given.balance) return { refused: "--queue-cpu-fanout needs --queue-balance" };
    return given.balance ? given : { number: { value: 0, negated: false }, ...given };
  },
  meaning: ({ number, balance, bypass }) => ({
    kind: "verdict",
    verdict: "queue",
    ...(bypass
      ? {
          bypass: balance
            ? `one of the queues ${balance.value.from} to ${balance.value.to}`
            : `queue ${number?.value ?? 0}`,
        }
      : {}),
  }),
  listed: [
    listedOption("NFQUEUE num ", "--queue-num"),
    listedOption("NFQUEUE balance ", "--queue-balance"),
    ...listedLater(listedFlag("bypass", "--queue-bypass"), listedFlag("cpu-fanout", "--queue-cpu-fanout")),
  ],
  examples: [
    { typed: "-j NFQUEUE", saved: "-j NFQUEUE --queue-num 0" },
    { typed: "-j NFQUEUE --queue-num 65535 --queue-bypass" },
    { typed: "-j NFQUEUE --queue-balance 0:3 --queue-bypass --queue-cpu-fanout" },
    { typed: "-j NFQUEUE --queue-num 1 --queue-cpu-fanout", refused: true },
    { typed: "-j NFQUEUE --queue-balance 3:", saved: "-j NFQUEUE --queue-balance 3:65535" },
    { typed: "-j NFQUEUE --queue-balance 5:3", refused: true },
    { typed: "-j NFQUEUE --queue-balance 3:3", refused: true },
    { typed: "-j NFQUEUE --queue-balance 3", refused: true },
    { typed: "-j NFQUEUE --queue-num 1 --queue-balance 0:3", refused: true },
  ],
});

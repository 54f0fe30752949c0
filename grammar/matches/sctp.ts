import P from "parsimmon";
import { defineMatch, type ValueKind } from "../description.js";
import { LISTED_PORTS, listedLater, listedName, not } from "../listing.js";
import { allOf, hidden, negatedIf } from "../meaning.js";
import { portConditions, portOptions } from "../ports.js";
import { PROTOCOL } from "../protocols.js";
import { portRangeKind } from "../values.js";

/** Chunk types by number, as iptables names them; DATA, ABORT and SHUTDOWN_COMPLETE may carry chunk flags. */
const CHUNKS = [
  ["DATA", 0],
  ["INIT", 1],
  ["INIT_ACK", 2],
  ["SACK", 3],
  ["HEARTBEAT", 4],
  ["HEARTBEAT_ACK", 5],
  ["ABORT", 6],
  ["SHUTDOWN", 7],
  ["SHUTDOWN_ACK", 8],
  ["ERROR", 9],
  ["COOKIE_ECHO", 10],
  ["COOKIE_ACK", 11],
  ["ECN_ECNE", 12],
  ["ECN_CWR", 13],
  ["SHUTDOWN_COMPLETE", 14],
  ["I_DATA", 64],
  ["RE_CONFIG", 130],
  ["PAD", 132],
  ["ASCONF", 193],
  ["ASCONF_ACK", 128],
  ["FORWARD_TSN", 192],
  ["I_FORWARD_TSN", 194],
] as const satisfies readonly (readonly [string, number])[];

interface ChunkTest {
  readonly how: "any" | "all" | "only";
  /** Names in the order of their numbers, with `:flags` as typed. Empty: all chunks. */
  readonly chunks: readonly string[];
}

const numbers = new Map<string, number>(CHUNKS);
/** Chunks with flags, and the letters of those, in the order in which they are printed: a capital asks for a set one. */
const FLAGS: Readonly<Record<string, string>> = {
  DATA: "IUBE",
  I_DATA: "IUBE",
  ABORT: "T",
  SHUTDOWN_COMPLETE: "T",
};
const chunkName = P.regexp(/([A-Za-z_]+)(:[a-zA-Z]*)?/).chain((text) => {
  const [word = "", flags = ""] = text.split(":");
  const name = word.toUpperCase();
  const letters = FLAGS[name] ?? "";
  const known = [...flags].every((flag) => letters.includes(flag.toUpperCase()));
  if (!numbers.has(name) || !known) return P.fail("an SCTP chunk type, with its flags if it has some");
  const asked = [...letters].flatMap((letter) => {
    if (flags.includes(letter)) return letter;
    return flags.includes(letter.toLowerCase()) ? letter.toLowerCase() : [];
  });
  return P.of(asked.length === 0 ? name : `${name}:${asked.join("")}`);
});

const byNumber = (left: string, right: string) =>
  (numbers.get(left.split(":")[0] ?? "") ?? 0) - (numbers.get(right.split(":")[0] ?? "") ?? 0);

const chunkTestGrammar: P.Parser<ChunkTest> = P.seqMap(
  P.regexp(/any|all|only/i)
    .map((word) => word.toLowerCase() as ChunkTest["how"])
    .desc("any, all or only"),
  P.string(" "),
  P.alt(
    P.regexp(/(?:all|none)$/i).map((word) => [word.toUpperCase()]),
    // Empty parts of the list are passed over.
    P.regexp(/,*/)
      .then(chunkName.skip(P.regexp(/,+|$/)).many())
      .map((chunks) => (chunks.length === 0 ? ["NONE"] : chunks)),
  ),
  (how, _blank, chunks) => ({ how, chunks: [...chunks].sort(byNumber) }),
);

const chunkTestKind: ValueKind<ChunkTest> = {
  expects: "any, all or only, and a comma list of chunk types, for example any INIT",
  words: 2,
  grammar: () => chunkTestGrammar,
  print: ({ how, chunks }) => `${how} ${chunks.join(",")}`,
};

export const sctp = defineMatch({
  name: "sctp",
  summary: "ports and chunk types of SCTP",
  impliedBy: [PROTOCOL.sctp],
  protocols: [PROTOCOL.sctp],
  options: {
    ...portOptions(portRangeKind(PROTOCOL.sctp), { wholeIsHidden: false }),
    chunks: { name: "--chunk-types", value: chunkTestKind, negatable: true },
  },
  meaning({ chunks, ...ports }) {
    return {
      condition: allOf([
        ...portConditions(ports),
        ...(chunks
          ? [
              negatedIf(
                chunks.negated,
                hidden(
                  `the packet has ${chunkWords(chunks.value)}`,
                  `it is not so that the packet has ${chunkWords(chunks.value)}`,
                ),
              ),
            ]
          : []),
      ]),
    };
  },
  listed: [
    listedName("sctp"),
    ...LISTED_PORTS,
    ...listedLater({
      form: /^(! )?(any|all|only) (\S+)/,
      words: ([negated, scope = "", list = ""]) => [
        ...not(negated),
        "--chunk-types",
        scope,
        list.replace(
          /0x([0-9a-fA-F]+)/g,
          (text, hex) => CHUNKS.find(([, number]) => number === Number.parseInt(hex, 16))?.[0] ?? text,
        ),
      ],
    }),
  ],
  examples: [
    { typed: "-p sctp -m sctp --dport 9999" },
    { typed: "-p sctp --dport 9999", saved: "-p sctp -m sctp --dport 9999" },
    { typed: "-p sctp -m sctp --dport amqp", saved: "-p sctp -m sctp --dport 5672" },
    { typed: "-p sctp -m sctp --dport domain", refused: true },
    { typed: "-p sctp -m sctp ! --chunk-types any INIT" },
  ],
});

function chunkWords({ how, chunks }: ChunkTest): string {
  return `${how === "only" ? "no SCTP chunks but" : `${how} of the SCTP chunks`} ${chunks.join(", ")}`;
}

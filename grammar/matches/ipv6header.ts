import { defineMatch, flag, type ValueKind } from "../description.js";
import { listedFlag, listedLater, not } from "../listing.js";
import { allOf, type Condition, negatedIf, within } from "../meaning.js";
import { reading } from "../values.js";

/** Headers with their short names and numbers, in the order in which they are printed. */
const HEADERS = [
  ["hop-by-hop", "hop", 0],
  ["ipv6-opts", "dst", 60],
  ["ipv6-route", "route", 43],
  ["ipv6-frag", "frag", 44],
  ["ah", "auth", 51],
  ["esp", "esp", 50],
  ["ipv6-nonxt", "none", 59],
  ["protocol", "prot", 255],
] as const;

const expects = `a comma list of ${HEADERS.map(([, short]) => short).join(", ")}`;

const headersKind: ValueKind<readonly string[]> = {
  expects,
  grammar: () =>
    reading<readonly string[]>(expects, (text) => {
      const wanted = text
        .split(",")
        .filter((word) => word !== "")
        .map(
          (word) =>
            HEADERS.find(
              ([long, short, number]) => long === word || short === word || `${number}` === word,
            )?.[0],
        );
      if (wanted.length === 0 || wanted.some((one) => one === undefined)) return undefined;
      return HEADERS.map(([long]) => long).filter((long) => wanted.includes(long));
    }),
  print: (headers) => headers.join(","),
};

function hasHeader(name: string): Condition {
  const [, short = "", number = 0] = HEADERS.find(([long]) => long === name) ?? [];
  switch (short) {
    case "esp":
    case "auth":
    case "none":
      return within("protocol", number);
    case "prot":
      // Any payload that can be looked into.
      return { kind: "not", of: { kind: "any", of: [within("protocol", 50), within("protocol", 59)] } };
    default:
      return { kind: "oneOf", field: "extraHeader", words: [short] };
  }
}

/** ip6t_ipv6header: which extension headers the packet has. */
export const ipv6header = defineMatch({
  name: "ipv6header",
  summary: "the IPv6 extension headers of the packet",
  families: ["ipv6"],
  options: {
    headers: { name: "--header", value: headersKind, negatable: true, required: true },
    soft: flag("--soft"),
  },
  meaning({ headers, soft }) {
    const wanted = headers?.value ?? [];
    const negated = headers?.negated ?? false;
    // With --soft the packet has all of them, or turned round none; else these and no others.
    const conditions = soft
      ? wanted.map((name) => negatedIf(negated, hasHeader(name)))
      : HEADERS.map(([name]) => negatedIf(!wanted.includes(name), hasHeader(name)));
    return { condition: negatedIf(negated && !soft, allOf(conditions)) };
  },
  listed: [
    {
      form: /^ipv6header flags:(!?)0x([0-9A-Fa-f]+)/,
      words: ([negated, bits = ""]) => [
        ...not(negated),
        "--header",
        HEADERS.filter((_, at) => Number.parseInt(bits, 16) & (0x80 >> at))
          .map(([name]) => name)
          .join(","),
      ],
    },
    ...listedLater(listedFlag("soft", "--soft")),
  ],
  examples: [
    {
      typed: "-m ipv6header --header hop,dst,route,frag,auth,esp,none,prot",
      saved: "-m ipv6header --header hop-by-hop,ipv6-opts,ipv6-route,ipv6-frag,ah,esp,ipv6-nonxt,protocol",
      family: "ipv6",
    },
    {
      typed: "-m ipv6header ! --header 0,60 --soft",
      saved: "-m ipv6header ! --header hop-by-hop,ipv6-opts --soft",
      family: "ipv6",
    },
    { typed: "-m ipv6header --header tcp", family: "ipv6", refused: true },
    { typed: "-m ipv6header --soft", family: "ipv6", refused: true },
  ],
});

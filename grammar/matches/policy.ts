import P from "parsimmon";
import {
  defineMatch,
  flag,
  type Given,
  type GivenOption,
  type Shorthand,
  type ValueKind,
} from "../description.js";
import { listedLater, listedOption } from "../listing.js";
import type { Condition } from "../meaning.js";
import { protocolName } from "../protocols.js";
import { bareNetworkKind, hexKind, numberKind, oneOfKind, speltProtocolKind } from "../values.js";

const MAX = 0xffffffff;
const ELEMENTS_MAX = 4;
/** ESP, AH and IPComp. */
const PROTOCOLS = [50, 51, 108];

/** One word of an element of the policy, as it was given. */
interface Part {
  readonly name: string;
  readonly text: string;
  readonly negated: boolean;
}

/** Elements in their order; each has a part at most once. */
type Elements = readonly (readonly Part[])[];

/** In the order in which they are printed. */
const PARTS = ["--reqid", "--spi", "--proto", "--mode", "--tunnel-dst", "--tunnel-src"];

/** The words of all elements: they are read one by one, so that this has no grammar of its own. */
const elementsKind: ValueKind<Elements> = {
  expects: "elements of a policy",
  grammar: () => P.fail("elements are read option by option"),
  print: (elements) =>
    elements
      .map((parts) =>
        PARTS.flatMap((name) => parts.filter((part) => part.name === name))
          .map(({ name, text, negated }) => `${negated ? "! " : ""}${name} ${text}`)
          .join(" "),
      )
      .join(" --next "),
};

const OPTIONS = {
  direction: { name: "--dir", value: oneOfKind(["in", "out"]) },
  policy: { name: "--pol", value: oneOfKind(["ipsec", "none"]) },
  strict: flag("--strict"),
  elements: { name: "", value: elementsKind, hidden: (elements: Elements) => elements.length === 0 },
} as const;

type PolicyGiven = Given<typeof OPTIONS>;

function part<T>(name: string, value: ValueKind<T>): Shorthand<T, typeof OPTIONS> {
  return {
    name,
    value,
    negatable: true,
    adds: true,
    becomes(one, negated, before) {
      const elements = before?.elements?.value ?? [[]];
      const last = elements.at(-1) ?? [];
      const text = value.print(one, typeof firstAddress(one) === "bigint" ? "ipv6" : "ipv4");
      return withElements([...elements.slice(0, -1), [...last, { name, text, negated }]]);
    },
  };
}

function firstAddress(value: unknown): unknown {
  return typeof value === "object" && value !== null && "address" in value ? value.address : undefined;
}

function withElements(value: Elements): { elements: GivenOption<Elements> } {
  return { elements: { value, negated: false } };
}

const IPSEC: Condition = { kind: "oneOf", field: "extraHeader", words: ["ipsec"] };

/** xt_policy: the IPsec policy that the packet was, or will be, treated by. */
export const policy = defineMatch({
  name: "policy",
  summary: "the IPsec policy that the packet falls under",
  options: OPTIONS,
  shorthands: [
    part("--reqid", numberKind(0, MAX)),
    part("--spi", hexKind(MAX)),
    part("--proto", speltProtocolKind),
    part("--mode", oneOfKind(["transport", "tunnel"])),
    part("--tunnel-dst", bareNetworkKind),
    part("--tunnel-src", bareNetworkKind),
    {
      name: "--next",
      adds: true,
      becomes: (_value: true, _negated, before) => withElements([...(before?.elements?.value ?? [[]]), []]),
    },
  ],
  complete(given, { hook }) {
    const { direction, policy: kind, strict, elements } = given;
    if (!direction) return { refused: "--dir in or --dir out must be given" };
    if (direction.value === "in" && (hook === "OUTPUT" || hook === "POSTROUTING")) {
      return { refused: `--dir in may not be used in ${hook}` };
    }
    if (direction.value === "out" && (hook === "PREROUTING" || hook === "INPUT")) {
      return { refused: `--dir out may not be used in ${hook}` };
    }
    const list = elements?.value ?? [];
    if (kind?.value === "none") {
      if (strict || list.length > 1) return { refused: "--strict and --next do not go with --pol none" };
      const wrong = list.map(wrongPart).find((one) => one !== undefined);
      if (wrong !== undefined) return wrong;
      const { elements: _ignored, ...rest } = given;
      return rest;
    }
    return wrongElement(list, strict !== undefined) ?? withPolicy(given);
  },
  // Packets of the questions are plain ones: no IPsec has been or will be applied.
  meaning: ({ policy: kind }) => ({
    condition: kind?.value === "none" ? { kind: "not", of: IPSEC } : IPSEC,
  }),
  listed: [
    {
      form: /^policy match dir (in|out) pol (none|ipsec)( strict)?(?= |$)/,
      words: ([dir = "", pol = "", strict]) => ["--dir", dir, "--pol", pol, ...(strict ? ["--strict"] : [])],
    },
    ...listedLater(
      { form: /^\[(\d+)\](?= )/, words: ([element]) => (element === "0" ? [] : ["--next"]) },
      ...["reqid", "spi", "proto", "mode", "tunnel-dst", "tunnel-src"].map((name) =>
        listedOption(`${name} `, `--${name}`),
      ),
    ),
  ],
  examples: [
    { typed: "-m policy --dir in --pol none" },
    {
      typed:
        "-m policy --dir in --pol ipsec --strict --reqid 1 --spi 1 --proto esp --mode tunnel --tunnel-src 10.0.0.0/8 --tunnel-dst 10.0.0.0/8 --next --reqid 2",
      saved:
        "-m policy --dir in --pol ipsec --strict --reqid 1 --spi 0x1 --proto esp --mode tunnel --tunnel-dst 10.0.0.0/8 --tunnel-src 10.0.0.0/8 --next --reqid 2",
    },
    { typed: "-m policy --dir in", saved: "-m policy --dir in --pol ipsec" },
    { typed: "-m policy --dir in --pol none --reqid 1", saved: "-m policy --dir in --pol none" },
    { typed: "-m policy --dir in --pol ipsec ! --reqid 1 ! --mode transport" },
    { typed: "-m policy --dir in --pol ipsec --mode tunnel ! --tunnel-dst beef::1", family: "ipv6" },
    { typed: "-m policy --dir in --pol ipsec --reqid 1 --next --reqid 2", refused: true },
    { typed: "-m policy --dir in --pol ipsec --reqid 1 --reqid 2", refused: true },
    { typed: "-m policy --dir in --pol ipsec --mode transport --tunnel-src 1.2.3.4", refused: true },
    { typed: "-m policy --dir out --pol ipsec --strict", refused: true },
    { typed: "-m policy --dir in --pol ipsec --proto tcp", refused: true },
    { typed: "-m policy --pol ipsec", refused: true },
  ],
});

function withPolicy(given: PolicyGiven): PolicyGiven {
  return { policy: { value: "ipsec", negated: false }, ...given };
}

function wrongElement(elements: Elements, strict: boolean): { refused: string } | undefined {
  if (elements.length > ELEMENTS_MAX) return { refused: `a policy has at most ${ELEMENTS_MAX} elements` };
  if (elements.length > 1 && !strict) return { refused: "--next needs --strict" };
  if (strict && (elements.length === 0 || elements.some((parts) => parts.length === 0))) {
    return { refused: "with --strict, no element may be empty" };
  }
  for (const parts of elements) {
    const wrong = wrongPart(parts);
    if (wrong !== undefined) return wrong;
    const named = (name: string) => parts.filter((one) => one.name === name);
    const [mode] = named("--mode");
    const tunnel = mode !== undefined && (mode.text === "tunnel") !== mode.negated;
    if (!tunnel && named("--tunnel-src").length + named("--tunnel-dst").length > 0) {
      return { refused: "--tunnel-src and --tunnel-dst need --mode tunnel" };
    }
  }
  return undefined;
}

function wrongPart(parts: readonly Part[]): { refused: string } | undefined {
  const named = (name: string) => parts.filter((one) => one.name === name);
  const twice = PARTS.find((name) => named(name).length > 1);
  if (twice !== undefined) return { refused: `${twice} stands twice in one element` };
  const [protocol] = named("--proto");
  return protocol === undefined || PROTOCOLS.map(protocolName).includes(protocol.text)
    ? undefined
    : { refused: "--proto must be esp, ah or ipcomp" };
}

/** What affinity remembers, as people say it: `10.1.2.3=10.244.1.7:8080@2h`, a client, its endpoint, and how long ago. */
import P from "parsimmon";
import { type Address, familyOf, printAddress, readAddress, readIPv6, withPort } from "./address.js";
import { matched, parseWhole, type Span, spanned } from "./parse.js";
import { portNumber } from "./values.js";

/** A client that was last seen on an endpoint some time ago. */
export interface SeenClient {
  readonly client: Address;
  /** `10.244.1.7:8080`, `[fd00::1]:8080`, as rules translate to it. */
  readonly endpoint: string;
  readonly secondsAgo: number;
}

export type SeenClientRead =
  | {
      readonly ok: true;
      readonly seen: SeenClient;
      /** Where the endpoint stands in the text. */
      readonly span: Span;
    }
  /** `offset`: where in the text reading stopped. */
  | { readonly ok: false; readonly offset: number; readonly expected: readonly string[] };

/** Reads `CLIENT=ENDPOINT@AGE`; never throws. */
export function readSeenClient(text: string): SeenClientRead {
  const result = parseWhole(seenGrammar, text);
  if (!result.ok) return { ok: false, offset: result.offset, expected: [...new Set(result.expected)] };
  const { client, endpoint, secondsAgo } = result.value;
  if (familyOf(client) !== familyOf(endpoint.value.address)) {
    const family = familyOf(client) === "ipv4" ? "IPv4" : "IPv6";
    return { ok: false, offset: endpoint.span.offset, expected: [`an ${family} endpoint, as the client is`] };
  }
  const { address, port } = endpoint.value;
  const name = printAddress(address);
  return {
    ok: true,
    seen: { client, endpoint: port === undefined ? name : withPort(name, port), secondsAgo },
    span: endpoint.span,
  };
}

const bare = (text: string) => readAddress(text.replace(/^\[(.*)\]$/, "$1"));

const client = matched(/[^=@]*/y, bare, "the address of a client");

/** An IPv6 address stands in brackets where a port follows. */
const host = matched(
  /\[[^\]@]*\]|\d+(?:\.\d+)+|[^@[]+/y,
  (text) => (text.startsWith("[") ? readIPv6(text.slice(1, -1)) : readAddress(text)),
  "an endpoint such as 10.244.1.7:8080 or [fd00::7]:8080",
);

const endpoint = P.seqMap(
  host,
  P.string(":")
    .then(matched(/[^@]*/y, readPort, "a port from 0 to 65535"))
    .or(P.of(undefined)),
  (address, port) => ({ address, port }),
);

function readPort(text: string): number | undefined {
  const read = parseWhole(portNumber, text);
  return read.ok ? read.value : undefined;
}

/** Seconds of each unit, the largest first: the order in which they stand in an age. */
const UNITS: readonly (readonly [name: string, seconds: number])[] = [
  ["d", 86_400],
  ["h", 3600],
  ["m", 60],
  ["s", 1],
];
const AGE = new RegExp(`^${UNITS.map(([name]) => `(?:(\\d{1,9})${name})?`).join("")}$`);

/** `2h`, `1h30m`, `90s`: seconds. */
function readAge(text: string): number | undefined {
  const counts = AGE.exec(text);
  if (counts === null || text === "") return undefined;
  return UNITS.reduce((sum, [, seconds], index) => sum + seconds * Number(counts[index + 1] ?? 0), 0);
}

const age = matched(/.*/y, readAge, "an age such as 2h, 1h30m or 90s");

const seenGrammar = P.seqObj<{
  readonly client: Address;
  readonly endpoint: {
    readonly value: { readonly address: Address; readonly port: number | undefined };
    readonly span: Span;
  };
  readonly secondsAgo: number;
}>(
  ["client", client],
  P.string("=").desc("= and the endpoint"),
  ["endpoint", spanned(endpoint)],
  P.string("@").desc("@ and how long ago, such as @2h"),
  ["secondsAgo", age],
);

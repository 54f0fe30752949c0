/** Made-up connections for properties. */
import fc from "fast-check";
import type { Address, Family } from "../../grammar/address.js";
import type { Connection, TrackedTuple } from "../../src/state/connections.js";

const u16 = fc.integer({ min: 0, max: 0xffff });
const u32 = fc.integer({ min: 0, max: 0xffffffff });
const u64 = fc.bigInt({ min: 0n, max: (1n << 64n) - 1n });

export const address = (family: Family): fc.Arbitrary<Address> =>
  family === "ipv4"
    ? u32
    : fc.oneof(
        fc.bigInt({ min: 0n, max: (1n << 128n) - 1n }),
        fc.constantFrom(0n, 1n, 0xffff0a000001n, 0x10002n, 0xfd00n << 112n),
      );

/** Name, number, the states that the printer has for it, and what tells its packets. */
const PROTOCOLS = [
  ["tcp", 6, ["NONE", "SYN_SENT", "ESTABLISHED", "SYN_SENT2"], "ports"],
  ["udp", 17, [], "ports"],
  ["udplite", 136, [], "ports"],
  ["sctp", 132, ["COOKIE_WAIT", "SHUTDOWN_ACK_SENT"], "ports"],
  ["dccp", 33, ["OPEN"], "ports"],
  ["icmp", 1, [], "icmp"],
  ["icmpv6", 58, [], "icmp"],
  ["gre", 47, [], "greKeys"],
  ["unknown", 89, [], "none"],
] as const;

const ends = fc.record({ source: u16, destination: u16 });
const octet = fc.integer({ min: 0, max: 255 });
const details = {
  ports: fc.record({ ports: ends }),
  icmp: fc.record({ icmp: fc.record({ type: octet, code: octet, id: u16 }) }),
  greKeys: fc.record({ greKeys: ends }),
  none: fc.constant({}),
};

const tuple = (family: Family, detail: keyof typeof details): fc.Arbitrary<TrackedTuple> =>
  fc
    .tuple(
      fc.record({ source: address(family), destination: address(family) }),
      details[detail],
      fc.record({ zone: u16, counters: fc.record({ packets: u64, bytes: u64 }) }, { requiredKeys: [] }),
    )
    .map(([addresses, detailed, rest]) => ({ ...addresses, ...detailed, ...rest }));

const word = fc.stringMatching(/^[a-z][a-z0-9_:.-]{0,20}$/);

/** Connections as `conntrack -L -o id,labels,ktimestamp` can show them. */
export const connection: fc.Arbitrary<Connection> = fc
  .tuple(fc.constantFrom<Family>("ipv4", "ipv6"), fc.constantFrom(...PROTOCOLS))
  .chain(([family, [protocolName, protocol, states, detail]]) =>
    fc
      .tuple(
        tuple(family, detail),
        tuple(family, detail),
        states.length === 0 ? fc.constant({}) : fc.record({ state: fc.constantFrom(...states) }),
        fc.record(
          {
            timeoutSeconds: u32,
            unreplied: fc.constant(true as const),
            standing: fc.constantFrom("ASSURED" as const, "OFFLOAD" as const, "HW_OFFLOAD" as const),
            mark: u32,
            secmark: u32,
            secctx: word,
            zone: fc.integer({ min: 1, max: 0xffff }),
            deltaTimeSeconds: u32,
            start: fc.constant("Sat Nov 21 07:50:38 2026"),
            stop: fc.constant("Sat Nov 21 07:50:39 2026"),
            helper: word,
            id: u32,
            labels: fc.array(word, { minLength: 1, maxLength: 3 }),
            others: fc
              .constantFrom("head", "original", "unreplied", "reply", "mark", "use", "labels")
              .map((behind) => [{ text: "future=1", behind } as const]),
          },
          { requiredKeys: [] },
        ),
        u32,
      )
      .map(([original, reply, state, rest, use]) => {
        const { others = [], ...known } = rest;
        // A word stands behind what is printed; behind what is not, it is behind the part before that.
        const shown = others.filter(
          ({ behind }) =>
            (behind !== "unreplied" || rest.unreplied) &&
            (behind !== "mark" || rest.mark !== undefined) &&
            (behind !== "labels" || rest.labels !== undefined),
        );
        return {
          family,
          protocol,
          protocolName,
          original,
          reply,
          use,
          ...state,
          ...known,
          ...(shown.length === 0 ? {} : { others: shown }),
        };
      }),
  );

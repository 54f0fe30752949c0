/** Packets as records: JSON objects with the names `id src sport dst dport proto in flags icmpType icmpCode mark`. */
import * as z from "zod/mini";
import { familyOf, readAddress } from "../../grammar/address.js";
import { TCP_FLAGS } from "../../grammar/matches/tcp.js";
import type { Packet } from "../../grammar/packet.js";
import { PORT_PROTOCOLS, PROTOCOL, protocolNumber } from "../../grammar/protocols.js";
import { type Problem, placeInLine, placeOf, type Source } from "../problems/problem.js";

/** A packet to be asked about, with what was said of it, for the answer. */
export interface AskedPacket {
  readonly id: string | null;
  readonly packet: Packet;
}

const address = z.string().check(z.refine((text) => readAddress(text) !== undefined, "is no IP address"));
const port = z.int().check(z.gte(0), z.lte(65535));
const octet = z.int().check(z.gte(0), z.lte(255));

const record = z.looseObject({
  id: z.optional(z.nullable(z.union([z.string(), z.number()]))),
  src: z.optional(z.nullable(address)),
  sport: z.optional(z.nullable(port)),
  dst: address,
  dport: z.optional(z.nullable(port)),
  proto: z.union([z.string(), octet]),
  in: z.optional(z.nullable(z.string())),
  flags: z.optional(z.nullable(z.string().check(z.regex(/^[FSRPAUEC]*$/, "has letters of FSRPAUEC")))),
  icmpType: z.optional(z.nullable(octet)),
  icmpCode: z.optional(z.nullable(octet)),
  mark: z.optional(z.nullable(z.int().check(z.gte(0), z.lte(0xffffffff)))),
});

/** One object a line, or a JSON array of them. */
export function readPackets(source: Source, problems: Problem[]): readonly AskedPacket[] {
  if (source.text.trimStart().startsWith("[")) {
    try {
      const list: unknown = JSON.parse(source.text);
      return (Array.isArray(list) ? list : []).flatMap((value: unknown, index) =>
        toPacket(value, `packet ${index + 1}`, placeOf(source, 0, 1), problems),
      );
    } catch {
      problems.push({
        code: "LF1051",
        severity: "error",
        message: "this is no JSON",
        place: placeOf(source, 0, 1),
      });
      return [];
    }
  }
  return source.text.split("\n").flatMap((text, index) => {
    if (text.trim() === "") return [];
    const place = placeInLine(source, index + 1, 1, text.length + 1);
    try {
      return toPacket(JSON.parse(text), "packet", place, problems);
    } catch {
      problems.push({
        code: "LF1051",
        severity: "error",
        message: "this line is no JSON object",
        place,
        help: 'write one packet a line: {"src":"10.0.0.9","dst":"10.96.0.10","dport":53,"proto":"udp"}',
      });
      return [];
    }
  });
}

function toPacket(
  value: unknown,
  who: string,
  place: Problem["place"],
  problems: Problem[],
): readonly AskedPacket[] {
  const complain = (message: string): readonly AskedPacket[] => {
    problems.push({
      code: "LF1051",
      severity: "error",
      message: `${who}: ${message}`,
      ...(place ? { place } : {}),
    });
    return [];
  };
  if (typeof value === "object" && value !== null && "steps" in value) {
    return complain("a conversation (steps) is not answered, only single packets are");
  }
  const read = record.safeParse(value);
  if (!read.success) {
    const [issue] = read.error.issues;
    const field = issue?.path.join(".") || "the record";
    return complain(`${field}: ${(issue?.message ?? "cannot be read").replace(/^Invalid input: /, "")}`);
  }
  const { id, src, sport, dst, dport, proto, flags, icmpType, icmpCode, mark } = read.data;
  const destination = readAddress(dst) ?? 0;
  const family = familyOf(destination);
  const source = src ? readAddress(src) : undefined;
  if (source !== undefined && familyOf(source) !== family)
    return complain("src and dst are of different families");
  const named =
    typeof proto === "number" ? proto : /^\d+$/.test(proto) ? Number(proto) : protocolNumber(proto);
  if (named === undefined) return complain(`proto ${String(proto)} is not known`);
  const protocol = named === PROTOCOL.icmp && family === "ipv6" ? PROTOCOL.ipv6Icmp : named;
  const needsPort = PORT_PROTOCOLS.includes(protocol);
  if (needsPort && (dport === undefined || dport === null)) return complain("dport is missing");
  return [
    {
      id: id === undefined || id === null ? null : String(id),
      packet: {
        family,
        protocol,
        destination,
        ...(needsPort && typeof dport === "number" ? { destinationPort: dport } : {}),
        ...(source === undefined ? {} : { source }),
        ...(typeof sport === "number" ? { sourcePort: sport } : {}),
        ...(read.data.in ? { in: read.data.in } : {}),
        ...(typeof flags === "string" ? { tcpFlags: flagBits(flags) } : {}),
        ...(typeof icmpType === "number" ? { icmpType } : {}),
        ...(typeof icmpCode === "number" ? { icmpCode } : {}),
        ...(typeof mark === "number" ? { mark } : {}),
      },
    },
  ];
}

/** Letters as tcpdump and kernel tests write them; E and C are the two ECN bits. */
const FLAG_BITS: Readonly<Record<string, number>> = {
  F: TCP_FLAGS.FIN,
  S: TCP_FLAGS.SYN,
  R: TCP_FLAGS.RST,
  P: TCP_FLAGS.PSH,
  A: TCP_FLAGS.ACK,
  U: TCP_FLAGS.URG,
  E: 64,
  C: 128,
};

function flagBits(letters: string): number {
  return [...letters].reduce((bits, letter) => bits | (FLAG_BITS[letter] ?? 0), 0);
}

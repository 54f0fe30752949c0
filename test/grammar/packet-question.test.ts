// The words of a packet question: what is printed is read back as the same packet.
import fc from "fast-check";
import { expect, test } from "vitest";
import { headerFields, type Packet, printFlagLetters, readFlagLetters } from "../../grammar/packet.js";
import { printPacket, readPacketQuestion } from "../../grammar/packet-question.js";
import { resolveQuestion } from "../../src/cluster/resolve.js";

const upTo = (max: number) => fc.nat({ max });
const wide = (max: number) => fc.integer({ min: 0, max });

const headers = fc.record(
  {
    tcpFlags: fc.integer({ min: 1, max: 255 }),
    icmpType: upTo(255),
    icmpCode: upTo(255),
    mark: wide(0xffffffff),
    ttl: upTo(255),
    length: upTo(65535),
    tos: upTo(255),
    mac: fc.constantFrom("02:42:ac:11:00:02", "00:00:00:00:00:ff"),
    user: wide(0xfffffffe),
    group: wide(0xfffffffe),
    in: fc.constantFrom("eth0", "cni0"),
  },
  { requiredKeys: [] },
);

test("print and read", () => {
  fc.assert(
    fc.property(headers, (more) => {
      const packet: Packet = {
        family: "ipv4",
        protocol: 6,
        source: 0x0a000009,
        sourcePort: 4567,
        destination: 0x0a60000a,
        destinationPort: 53,
        ...more,
      };
      const read = readPacketQuestion(printPacket(packet));
      expect(read.ok).toBe(true);
      if (read.ok) expect(resolveQuestion(read.question, undefined)).toEqual({ ok: true, packet });
    }),
  );
});

test.each([
  ["10.0.0.1:80 ttl 256", undefined],
  ["10.0.0.1:80 flags SX", undefined],
  ["10.0.0.1:80 mac 02:42", undefined],
  ["10.0.0.1:80 dscp 46", { tos: 184 }],
  ["10.0.0.1:80 flags SA", { tcpFlags: 18 }],
  ["icmp 10.0.0.1 type 13 code 0", { icmpType: 13, icmpCode: 0 }],
])("%s", (text, wanted) => {
  const read = readPacketQuestion(text);
  expect(read.ok ? headerFields(read.question) : undefined).toEqual(wanted);
});

test("letters of TCP flags", () => {
  for (let bits = 0; bits < 256; bits++) expect(readFlagLetters(printFlagLetters(bits))).toBe(bits);
  expect(readFlagLetters("X")).toBeUndefined();
});

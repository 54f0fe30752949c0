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

// `^` stands under the beginning of what is wrong; the words are those that are expected there.
test.each([
  ["10.1.2.3 to 10.96.0.10:53/upd", "                          ^", "a protocol"],
  ["upd 10.1.2.3 to 10.96.0.10:53", "^", "a protocol"],
  ["10.1.2.3:99999 to 10.96.0.10:53", "         ^", "a port"],
  ["10.1.2.3 to 10.96.0.10:5x3", "                       ^", "a port"],
  ["10.1.2.300 to 10.96.0.10:53", "^", "an IPv4 address"],
  ["10.1.2.0/33 to 10.96.0.10:53", "^", "a network"],
  ["[fd00::1]:1 to [fd00::zz]:80", "               ^", "an IPv6 address"],
  ["10.1.2.3 to", "           ^", "an address"],
  ["10.1.2.3 10.96.0.10:53", "         ^", "→, -> or to"],
  ["10.1.2.3 to svc/web", "            ^", "svc/NAMESPACE/NAME"],
  ["10.1.2.3 to node/a/b", "                   ^", "a protocol"],
  ["10.96.0.10:53 from nod", "                   ^", "node, pod or outside"],
  ["10.96.0.10:53 mark 0xzz", "                   ^", "a number up to 4294967295"],
  ["10.96.0.10:53 state nwe", "                    ^", "new, established or related"],
  ["10.96.0.10:53 flags SX", "                    ^", "TCP flags"],
  ["10.96.0.10:53 flag S", "              ^", "flags LETTERS"],
])("%s", (text, caret, words) => {
  const read = readPacketQuestion(text);
  expect(read).toMatchObject({ ok: false, offset: caret.length - 1 });
  expect(read.ok ? "" : read.expected.join(", or ")).toContain(words);
});

test("where the ends stand", () => {
  const read = readPacketQuestion("  tcp svc/a/b to [fd00::1]:80 in eth0");
  expect(read.ok && read.spans).toEqual({
    source: { offset: 6, length: 7 },
    destination: { offset: 17, length: 12 },
  });
});

test("any text is read or refused, at a place within it", () => {
  const words = fc.constantFrom(
    "10.0.0.1",
    ":80",
    "/",
    "to",
    " ",
    "->",
    "[fd00::1]",
    "svc/a/b",
    "mark",
    "0x1",
    "in",
    "__proto__",
    "node/",
  );
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.array(words).map((all) => all.join("")),
      ),
      (text) => {
        const read = readPacketQuestion(text);
        if (!read.ok) {
          expect(read.offset).toBeGreaterThanOrEqual(0);
          expect(read.offset).toBeLessThanOrEqual(text.length);
          expect(read.expected.length).toBeGreaterThan(0);
        }
      },
    ),
  );
});

test("letters of TCP flags", () => {
  for (let bits = 0; bits < 256; bits++) expect(readFlagLetters(printFlagLetters(bits))).toBe(bits);
  expect(readFlagLetters("X")).toBeUndefined();
});

// `ipvsadm -Lcn`: connections and templates, read and printed again.
import { describe, expect, test } from "vitest";
import { readAddress } from "../../grammar/address.js";
import { PROTOCOL } from "../../grammar/protocols.js";
import { mergeStates } from "../../src/state/nodestate.js";
import { readVirtualServers } from "../../src/text/ipvsadm.js";
import { printVirtualConnections } from "../../src/text/ipvsadm-connection.js";
import { readNodeText } from "../../src/text/read.js";
import { segmentsOf } from "../../src/text/segments.js";

const HEADING = [
  "IPVS connection entries",
  "pro expire state       source             virtual            destination",
];
const ENTRIES = [
  "UDP 04:58  UDP         198.51.100.9:20003 10.96.0.10:80      10.244.0.10:8080",
  "TCP 14:59  ESTABLISHED 10.244.1.5:41022   10.96.0.11:80      10.244.0.11:8080",
  "TCP 179:59  ASSURED     198.51.100.9:0     10.96.0.12:80      10.244.0.11:8080",
  "TCP 00:58  SYN_RECV    [2001:db8::9]:41000 [fd00:96::10]:80   [fd00:244::10]:8080",
];

describe("ipvsadm -Lcn", () => {
  const text = `${[...HEADING, ...ENTRIES].join("\n")}\n`;

  test("entries", () => {
    const { connections, problems } = readVirtualServers({ name: "in", text });
    expect(problems).toEqual([]);
    expect(connections).toHaveLength(4);
    expect(connections?.[2]).toEqual({
      protocol: PROTOCOL.tcp,
      secondsLeft: 179 * 60 + 59,
      state: "ASSURED",
      source: { address: readAddress("198.51.100.9"), port: 0 },
      virtual: { address: readAddress("10.96.0.12"), port: 80 },
      server: { address: readAddress("10.244.0.11"), port: 8080 },
    });
    expect(printVirtualConnections(connections ?? [])).toBe(text);
  });

  test("an empty table is known to be empty", () => {
    expect(readVirtualServers({ name: "in", text: HEADING.join("\n") }).connections).toEqual([]);
    expect(readVirtualServers({ name: "in", text: "-A -t 10.0.0.1:80 -s rr" }).connections).toBeUndefined();
  });

  test("what cannot be read has its place, and the rest is read", () => {
    const broken = "TCP 14:59  ESTABLISHED 10.244.1.5:41022 10.96.0.300:80 10.244.0.11:8080";
    const read = readVirtualServers({ name: "in", text: [HEADING[0], broken, ENTRIES[0]].join("\n") });
    expect(read.problems).toMatchObject([{ code: "LF1006", place: { line: 2, column: 41 } }]);
    expect(read.connections).toHaveLength(1);
    const short = readVirtualServers({ name: "in", text: "TCP 14:59  ESTABLISHED 10.244.1.5:41022" });
    expect(short.problems).toMatchObject([{ code: "LF1006" }]);
  });

  test("behind other texts of the node", () => {
    const all = `-A -t 10.96.0.11:80 -s rr\n-a -t 10.96.0.11:80 -r 10.244.0.11:8080 -m -w 1\n${text}`;
    const state = mergeStates(
      segmentsOf({ name: "node", text: all }).flatMap((one) => readNodeText(one).map((read) => read.state)),
    );
    expect(state.virtualServers?.services).toHaveLength(1);
    expect(state.virtualServers?.connections).toHaveLength(4);
    const apart = mergeStates(
      [all.slice(0, all.indexOf("IPVS")), text].flatMap((one) =>
        segmentsOf({ name: "node", text: one }).flatMap((part) =>
          readNodeText(part).map((read) => read.state),
        ),
      ),
    );
    expect(apart.virtualServers?.services).toHaveLength(1);
    expect(apart.virtualServers?.connections).toHaveLength(4);
  });
});

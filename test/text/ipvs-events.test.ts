// Events of a node with IPVS: columns, and faults with their places.
import fc from "fast-check";
import { expect, test } from "vitest";
import { readIpvsEvents } from "../../src/text/ipvs-events.js";
import { readVirtualServers } from "../../src/text/ipvsadm.js";

const SERVERS = readVirtualServers({
  name: "typed",
  text: "-A -t 10.96.0.10:80 -s rr\n-a -t 10.96.0.10:80 -r 10.244.1.10:8080 -m\n",
});
const read = (text: string) => readIpvsEvents({ name: "events.tsv", text }, SERVERS);
const faults = (text: string) =>
  read(text).problems.map(
    ({ place, message }) => `${place?.line}:${place?.column}-${place?.endColumn} ${message}`,
  );

test("columns by their names, in any order, and without a heading in the usual one", () => {
  const usual = read("open\t7\ttcp\t10.9.0.1\t1\t10.96.0.10\t80\tignored\nclose\t7\t\t\t\t\t\t\n");
  const named = read(
    "event\tmark\tdport\tdst\tsport\tsrc\tproto\tid\r\nopen\t0x5\t80\t10.96.0.10\t1\t10.9.0.1\ttcp\t7\r\n",
  );
  expect([...usual.problems, ...named.problems]).toEqual([]);
  expect(usual.events[1]).toEqual({ kind: "close", id: "7" });
  const [one, other] = [usual.events[0], named.events[0]];
  if (one?.kind !== "open" || other?.kind !== "open") throw new Error("not opened");
  expect(other.packet).toEqual({ ...one.packet, mark: 5 });
});

test("each fault has its place", () => {
  expect(faults("open\t0\ticmp\t10.9.0.1\t1\t10.96.0.10\t80")).toEqual([
    "1:8-12 IPVS schedules tcp, udp and sctp",
  ]);
  expect(faults("open\t0\ttcp\t10.9.0\t1\t10.96.0.10\t80")).toEqual([
    "1:12-18 the source must be an IP address",
  ]);
  expect(faults("open\t0\ttcp\t10.9.0.1\t65536\t10.96.0.10\t80")).toEqual([
    "1:21-26 a port is a number from 0 to 65535",
  ]);
  expect(faults("open\t0\ttcp\t10.9.0.1\t1\tfd00::1\t80")).toEqual([
    "1:23-30 source and destination are of different families",
  ]);
  expect(faults("open\t0\ttcp\t10.9.0.1\t1")).toEqual(["1:22-23 the destination must be an IP address"]);
  expect(faults("\n# remark\nclsoe\t0\nclose\t0")).toEqual([
    "3:1-6 there is no event clsoe",
    "4:7-8 no connection 0 was opened before",
  ]);
  expect(faults("wait\tlong")).toEqual(["1:6-10 a wait is a number of seconds, up to 315360000"]);
  expect(faults("event\tid\tproto\tsrc\n")).toEqual(["1:1-6 this heading has no column dst"]);
});

test("commands are held against the table as it is then", () => {
  const key = "-t 10.96.0.10:80";
  expect(faults(`ipvs\t-d ${key} -r 10.244.1.10:8080\nipvs\t-d ${key} -r 10.244.1.10:8080`)).toEqual([
    `2:6-45 ${key} has no real server 10.244.1.10:8080`,
  ]);
  expect(faults(`ipvs\tipvsadm -A ${key} -s rr`)).toEqual([`1:14-39 virtual server ${key} is there already`]);
  expect(faults(`ipvs\t-a ${key} -r 10.244.1.11:8080 --wieght 2`)[0]).toMatch(/^1:46-54 .*--wieght/);
  expect(read(`ipvs\t-E ${key} -s wrr\nipvs\t-C\n`).events.map((event) => event.kind)).toEqual([
    "change",
    "change",
  ]);
});

test("no text throws, and all problems have places inside it", () => {
  const word = fc.constantFrom(
    "open",
    "close",
    "ipvs",
    "event",
    "id",
    "tcp",
    "1",
    "10.9.0.1",
    "::1",
    "-A",
    "\t",
    " ",
    "\n",
  );
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.array(word).map((words) => words.join("\t")),
      ),
      (text) => {
        const lines = text.split("\n");
        for (const { place } of read(text).problems) {
          expect(place?.line).toBeLessThanOrEqual(lines.length);
          expect(place?.column).toBeLessThanOrEqual((lines[(place?.line ?? 1) - 1]?.length ?? 0) + 1);
        }
      },
    ),
  );
});

// The real ipset: what it saves, what it refuses, and what it finds in a set.
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { readAddress } from "../../grammar/address.js";
import type { Direction, SetPacket } from "../../grammar/sets/description.js";
import { SET_TYPES, setTypeNamed } from "../../grammar/sets/types.js";
import { membership } from "../../src/state/sets.js";
import { printSets } from "../../src/text/ipset/save.js";
import { readSets } from "../../src/text/ipset.js";
import { type RandomSet, randomSet } from "../text/set-texts.js";

function shell(script: string): { out: string; status: number | null } {
  const run = spawnSync("unshare", ["-n", "sh", "-c", script], { encoding: "utf8", maxBuffer: 2 ** 28 });
  return { out: run.stdout ?? "", status: run.status };
}

const RANGES: Readonly<Record<string, string>> = {
  "bitmap:ip": " range 10.0.0.0/24",
  "bitmap:ip,mac": " range 10.0.0.0/24",
  "bitmap:port": " range 0-9",
};
const create = (type: string) => `ipset create x ${type}${RANGES[type] ?? ""}`;
const whyNot =
  process.getuid?.() !== 0
    ? "needs root"
    : shell(create("hash:ip")).status === 0
      ? undefined
      : "ipset does not work here";
const types =
  whyNot === undefined
    ? SET_TYPES.map(({ name }) => name).filter((name) => shell(create(name)).status === 0)
    : [];
if (whyNot !== undefined) console.log(`skipped: ${whyNot}`);
const absent = SET_TYPES.filter(({ name }) => !types.includes(name)).map(({ name }) => name);
if (whyNot === undefined && absent.length > 0) console.log(`not in this kernel: ${absent.join(", ")}`);

const quoted = (text: string) => `'${text.replaceAll("'", "'\\''")}'`;
const read = (text: string) => readSets({ name: "test", text });
/** Hashes have an order and a number of their own on each node, and time goes on. */
const comparable = (text: string) =>
  text
    // ipset 7.17 may print the length of some element before it behind a bitmask.
    .replace(/(bitmask \S+?)\/\d+/g, "$1")
    .replace(/ bucketsize \d+ initval \S+/g, "")
    .replace(/ timeout (?:2000|199\d)(?= |$)/gm, " timeout 2000")
    .split("\n")
    .sort();

const linesOf = ({ create, adds }: RandomSet, name: string) => [
  `create ${name} ${create}`,
  ...adds.map((add) => `add ${name} ${add}`),
];

describe.skipIf(whyNot !== undefined)("the real ipset", () => {
  const listless = types.filter((name) => name !== "list:set");

  test("takes and refuses the same, and saves the same", () => {
    fc.assert(
      fc.property(fc.array(randomSet(listless), { minLength: 8, maxLength: 8 }), (sets) => {
        // Each line alone, as `ipset restore` would stop at the first that it refuses.
        const script = sets.flatMap((one, index) =>
          linesOf(one, `x${index}`).map(
            (line) => `echo ${quoted(line)} | ipset restore 2>/dev/null; echo $?`,
          ),
        );
        script.push("ipset save");
        const real = shell(script.join("\n")).out.split("\n");
        const lines = sets.flatMap((one, index) => linesOf(one, `x${index}`));
        // What is refused may have been done in part, so that all lines count.
        const { sets: ours, problems } = read(lines.join("\n"));
        const refused = new Set(
          problems.filter(({ severity }) => severity === "error").map(({ place }) => place?.line),
        );
        for (const [index, line] of lines.entries()) {
          if (!ours.has(line.split(" ")[1] as string)) continue;
          const set = lines.find((one) => one.startsWith(`create ${line.split(" ")[1]} `));
          const said = (taken: boolean) => `${set}: ${line}: ${taken ? "taken" : "refused"}`;
          expect(said(!refused.has(index + 1))).toBe(said(real[index] === "0"));
        }
        expect(comparable(printSets(ours))).toEqual(comparable(real.slice(lines.length).join("\n")));
      }),
      { numRuns: 25 },
    );
  });

  test.each([
    "sets/every-extension.save",
    "sets/every-extension.restore",
    "kernel-packets/ipset-dispatch/ipset-save.txt",
  ])("saves %s as landfall prints it", (name) => {
    const path = join(import.meta.dirname, "../../fixtures", name);
    const seconds = (text: string) =>
      text.replace(/ timeout (\d+)/g, (_, n) => ` timeout ${Math.ceil(Number(n) / 10)}0`);
    const real = seconds(shell(`ipset restore < ${path}; ipset save`).out);
    const ours = seconds(printSets(read(readFileSync(path, "utf8")).sets));
    expect(comparable(ours)).toEqual(comparable(real));
  });

  test("finds the same in a set", () => {
    fc.assert(
      fc.property(
        randomSet(listless),
        fc.array(fc.nat(15), { minLength: 12, maxLength: 12 }),
        (one, numbers) => {
          const lines = linesOf(one, "x");
          const text = lines.join("\n");
          const { sets } = read(text);
          if (!sets.has("x")) return;
          const v6 = sets.get("x")?.options.family === "ipv6";
          const asked = numbers.slice(0, -2).map((number, index) => {
            const address = v6 ? `fd00::${number.toString(16)}` : `10.0.0.${number}`;
            const other = numbers[index + 1] ?? 0;
            const second = v6 ? `fd00::${other.toString(16)}` : `10.0.0.${other}`;
            const port = numbers[index + 2] ?? 0;
            const name = number % 2 === 0 ? "eth0" : "lo";
            const udp = number % 4 === 0;
            const packet: SetPacket = {
              family: v6 ? "ipv6" : "ipv4",
              protocol: udp ? 17 : 6,
              source: readAddress(address) as number,
              destination: readAddress(second) as number,
              sourcePort: port,
              destinationPort: port,
              inInterface: name,
              outInterface: name,
              sourceMac: 0x0242ac110002,
            };
            const type = setTypeNamed(one.type);
            const directions: Direction[] = [];
            let addresses = 0;
            const parts = (type?.dimensions ?? []).map((dimension) => {
              const isAddress = dimension.name === "ip" || dimension.name === "net";
              directions.push(isAddress && addresses++ > 0 ? "dst" : "src");
              if (isAddress) return directions.at(-1) === "src" ? address : second;
              if (dimension.name === "port") return `${udp ? "udp" : "tcp"}:${port}`;
              return dimension.name === "mac" ? "02:42:AC:11:00:02" : name;
            });
            return { element: parts.join(","), answer: membership(sets, "x", directions, packet) };
          });
          const script = [
            ...lines.map((line) => `echo ${quoted(line)} | ipset restore 2>/dev/null`),
            ...asked.map(({ element }) => `ipset test x ${element} >/dev/null 2>&1; echo $?`),
          ];
          const real = shell(script.join("\n")).out.trim().split("\n");
          const said = (element: string, answer: string) => `${text}\n${element}: ${answer}`;
          for (const [index, { element, answer }] of asked.entries())
            expect(said(element, answer)).toBe(said(element, real[index] === "0" ? "yes" : "no"));
        },
      ),
      { numRuns: 100 },
    );
  });
});

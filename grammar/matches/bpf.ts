import type { ValueKind } from "../description.js";
import { listedOption } from "../listing.js";
import { defineUnmodelledMatch } from "../unmodelled.js";
import { reading, shortTextKind } from "../values.js";

const INSTRUCTIONS_MAX = 64;
/** Code, jump if true, jump if false, operand. */
type Instruction = readonly [number, number, number, number];
const INSTRUCTION_BITS = [16, 8, 8, 32];
const expects = `a program as nfbpf_compile prints it: its length, and at most ${INSTRUCTIONS_MAX} instructions of four numbers`;

const bytecodeKind: ValueKind<string> = {
  expects,
  grammar: () =>
    reading(expects, (text) => {
      const [length = "", ...words] = text
        .replace(/^\s*\+?/, "")
        .replace(/,$/, "")
        .split(",");
      const count = Number(/^\d+$/.test(length) ? length : Number.NaN);
      const instructions = words.map(readInstruction);
      const fits = count === instructions.length && count >= 1 && count <= INSTRUCTIONS_MAX;
      if (!fits || instructions.includes(undefined)) return undefined;
      const program = instructions as readonly Instruction[];
      return runs(program) ? [count, ...program.map((one) => one.join(" "))].join(",") : undefined;
    }),
  print: (program) => `"${program}"`,
};

/** Four numbers, of each as many low bits as it has room for. What follows them is not looked at. */
function readInstruction(text: string): Instruction | undefined {
  const found = /^\s*([-+]?\d+)\s+([-+]?\d+)\s+([-+]?\d+)\s+([-+]?\d+)/.exec(text);
  if (found === null || text.length > 100) return undefined;
  const [code = 0, ifTrue = 0, ifFalse = 0, operand = 0] = INSTRUCTION_BITS.map((bits, index) =>
    Number(BigInt.asUintN(bits, saturated(BigInt((found[index + 1] ?? "").replace("+", ""))))),
  );
  return [code, ifTrue, ifFalse, operand];
}

/** As strtoul: what does not fit into 64 bits has all of them. */
function saturated(value: bigint): bigint {
  const all = 2n ** 64n - 1n;
  return value > all || value < -all ? all : value;
}

/** Codes of classic BPF that the kernel knows (linux/filter.h), by what they do. */
const CODES = new Set([
  ...[0x20, 0x28, 0x30, 0x40, 0x48, 0x50, 0x80, 0x00, 0x60, 0x01, 0x61, 0x81, 0xb1, 0x02, 0x03, 0x07, 0x87],
  ...[0x04, 0x14, 0x24, 0x34, 0x44, 0x54, 0x64, 0x74, 0x94, 0xa4].flatMap((code) => [code, code | 8]),
  ...[0x84, 0x05, 0x06, 0x16],
  ...[0x15, 0x25, 0x35, 0x45].flatMap((code) => [code, code | 8]),
]);
const DIVIDE = [0x34, 0x94];
const SHIFT = [0x64, 0x74];
const MEMORY = [0x60, 0x61, 0x02, 0x03];
const WORDS = 16;
const JUMP_ALWAYS = 0x05;
/** Loads from these offsets are of what the kernel knows besides the packet. */
const LOADS = [0x20, 0x28, 0x30];
const ANCILLARY = 0xfffff000;
const ANCILLARY_SIZE = 64;

/** What the kernel asks of a program: known codes, jumps that stay inside, and a return at its end. */
function runs(program: readonly Instruction[]): boolean {
  return (
    program.every(([code, ifTrue, ifFalse, operand], at) => {
      const inside = (distance: number) => at + 1 + distance < program.length;
      if (!CODES.has(code)) return false;
      if (code === JUMP_ALWAYS) return inside(operand);
      if (LOADS.includes(code) && operand >= ANCILLARY)
        return operand % 4 === 0 && operand < ANCILLARY + ANCILLARY_SIZE;
      if ((code & 7) === 5) return inside(ifTrue) && inside(ifFalse);
      if (DIVIDE.includes(code)) return operand !== 0;
      if (SHIFT.includes(code)) return operand < 32;
      return !MEMORY.includes(code) || operand < WORDS;
    }) && [0x06, 0x16].includes(program.at(-1)?.[0] ?? 0)
  );
}

/** xt_bpf: a program for the kernel's packet filter. */
export const bpf = defineUnmodelledMatch({
  name: "bpf",
  summary: "a program says whether the packet matches",
  options: {
    bytecode: { name: "--bytecode", value: bytecodeKind },
    pinned: { name: "--object-pinned", value: shortTextKind("a path in the BPF file system", 512) },
  },
  complete: (given) =>
    (given.bytecode === undefined) === (given.pinned === undefined)
      ? { refused: "one of --bytecode and --object-pinned must be given" }
      : given,
  unmodelled: { hangsOn: "a program" },
  listed: [
    {
      form: /^match bpf ((?:\d+ \d+ \d+ \d+,?)+)\0?/,
      words: ([program = ""]) => ["--bytecode", `"${program.split(",").length},${program}"`],
    },
    listedOption("match bpf pinned ", "--object-pinned"),
  ],
  examples: [
    { typed: '-m bpf --bytecode "4,48 0 0 9,21 0 1 6,6 0 0 1,6 0 0 0"' },
    { typed: '-m bpf --bytecode "4,48 0 0 9,21 0 1 6,6 0 0 1"', refused: true },
    { typed: '-m bpf --bytecode "2,21 0 1 6,6 0 0 1"', refused: true },
    { typed: '-m bpf --bytecode "1,48 0 0 9"', refused: true },
    { typed: "-m bpf", refused: true },
  ],
});

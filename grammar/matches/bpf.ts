import type { ValueKind } from "../description.js";
import { defineUnmodelledMatch } from "../unmodelled.js";
import { reading, shortTextKind } from "../values.js";

const INSTRUCTIONS_MAX = 64;
const expects = `a program as nfbpf_compile prints it: its length, and at most ${INSTRUCTIONS_MAX} instructions of four numbers`;

const bytecodeKind: ValueKind<string> = {
  expects,
  grammar: () =>
    reading(expects, (text) => {
      const [length, ...instructions] = text.replace(/,$/, "").split(",");
      const fits =
        /^\d+$/.test(length ?? "") &&
        Number(length) === instructions.length &&
        Number(length) >= 1 &&
        Number(length) <= INSTRUCTIONS_MAX &&
        instructions.every((one) => /^\s*\d+\s+\d+\s+\d+\s+\d+\s*$/.test(one));
      if (!fits) return undefined;
      return [length, ...instructions.map((one) => one.trim().replace(/\s+/g, " "))].join(",");
    }),
  print: (program) => `"${program}"`,
};

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
  examples: [
    { typed: '-m bpf --bytecode "4,48 0 0 9,21 0 1 6,6 0 0 1,6 0 0 0"' },
    { typed: '-m bpf --bytecode "4,48 0 0 9,21 0 1 6,6 0 0 1"', refused: true },
    { typed: "-m bpf", refused: true },
  ],
});

/** A command line run in this process, with files and streams that are not real. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type MemoryWorld, memoryIO } from "../../src/cli/memory-io.js";
import { run } from "../../src/cli/run.js";

export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  /** Files that were written, by folder and name. */
  readonly written: ReadonlyMap<string, string>;
}

/** Files that are not named in it are those of fixtures/example. */
export type World = MemoryWorld;

const EXAMPLE = join(import.meta.dirname, "../../fixtures/example");
const EXAMPLES = Object.fromEntries(
  ["cluster.yaml", "kube-proxy.yaml", "network.yaml", "node-a.save"].map((name) => [
    name,
    readFileSync(join(EXAMPLE, name)),
  ]),
);

/** The dump of the example, `node-a.save`. */
export const EXAMPLE_DUMP = readFileSync(join(EXAMPLE, "node-a.save"), "utf8");

export async function landfall(args: readonly string[], world: World = {}): Promise<Ran> {
  const io = memoryIO({ ...world, files: { ...EXAMPLES, ...world.files } });
  return { code: await run(args, io), ...io.text, written: io.written };
}

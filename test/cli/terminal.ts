/** A command line run in this process, with files and streams that are not real. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { IO } from "../../src/cli/io.js";
import { run } from "../../src/cli/run.js";

export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  /** Files that were written, by folder and name. */
  readonly written: ReadonlyMap<string, string>;
}

export interface World {
  readonly stdin?: string;
  /** Files by name; others are those of fixtures/example. */
  readonly files?: Readonly<Record<string, string | Uint8Array>>;
  readonly stdinIsTerminal?: boolean;
  readonly terminal?: boolean;
  readonly env?: Readonly<Record<string, string>>;
}

const EXAMPLE = join(import.meta.dirname, "../../fixtures/example");
const EXAMPLES = ["cluster.yaml", "kube-proxy.yaml", "network.yaml", "node-a.save"];

export async function landfall(args: readonly string[], world: World = {}): Promise<Ran> {
  const out = { stdout: "", stderr: "" };
  const written = new Map<string, string>();
  const stream = (name: "stdout" | "stderr") => ({
    write(text: string) {
      out[name] += text;
    },
    isTerminal: world.terminal ?? false,
    columns: world.terminal ? 100 : undefined,
  });
  const files = world.files ?? {};
  const isFile = (path: string) => Object.hasOwn(files, path) || EXAMPLES.includes(path);
  const missing = () => Promise.reject(Object.assign(new Error("no such file"), { code: "ENOENT" }));
  const io: IO = {
    stdout: stream("stdout"),
    stderr: stream("stderr"),
    stdinIsTerminal: world.stdinIsTerminal ?? world.stdin === undefined,
    env: world.env ?? {},
    readStdin: async () => new TextEncoder().encode(world.stdin ?? ""),
    readFile(path) {
      const own = files[path];
      if (own !== undefined)
        return Promise.resolve(typeof own === "string" ? new TextEncoder().encode(own) : own);
      return isFile(path) ? Promise.resolve(readFileSync(join(EXAMPLE, path))) : missing();
    },
    exists: isFile,
    listFolder: (path) => (isFile(path) ? Promise.resolve(undefined) : missing()),
    async writeFile(folder, name, text) {
      written.set(`${folder}/${name}`, text);
    },
  };
  return { code: await run(args, io), ...out, written };
}

/** A world outside that is not there: files by name, and streams that keep what is written. For examples and tests. */
import type { IO, Stream } from "./io.js";

export interface MemoryWorld {
  /** Standard input; without it, standard input is a terminal unless said otherwise. */
  readonly stdin?: string;
  readonly stdinIsTerminal?: boolean;
  readonly files?: Readonly<Record<string, string | Uint8Array>>;
  /** Whether standard output and standard error are a terminal of 100 columns. */
  readonly terminal?: boolean;
  /** Lines of that terminal. */
  readonly rows?: number;
  readonly env?: IO["env"];
}

export interface MemoryIO extends IO {
  /** What was written so far. */
  readonly text: { stdout: string; stderr: string };
  /** Files that were written, by folder and name. */
  readonly written: ReadonlyMap<string, string>;
  /** What a pager was given: its command and the text. */
  readonly paged: readonly (readonly [pager: string, text: string])[];
}

export function memoryIO(world: MemoryWorld): MemoryIO {
  const { stdin, stdinIsTerminal, files = {}, terminal, rows, env = {} } = world;
  const text = { stdout: "", stderr: "" };
  const written = new Map<string, string>();
  const paged: (readonly [string, string])[] = [];
  const lines = stdin?.split("\n") ?? [];
  const stream = (name: "stdout" | "stderr"): Stream => ({
    write(more) {
      text[name] += more;
    },
    isTerminal: terminal ?? false,
    columns: terminal ? 100 : undefined,
    rows: terminal ? rows : undefined,
  });
  const bytesOf = (path: string): string | Uint8Array | undefined =>
    Object.hasOwn(files, path) ? files[path] : undefined;
  const missing = () => Promise.reject(Object.assign(new Error("no such file"), { code: "ENOENT" }));
  return {
    text,
    written,
    paged,
    stdout: stream("stdout"),
    stderr: stream("stderr"),
    stdinIsTerminal: stdinIsTerminal ?? stdin === undefined,
    env,
    readStdin: async () => new TextEncoder().encode(stdin ?? ""),
    readLine: async () => lines.shift(),
    readFile(path) {
      const bytes = bytesOf(path);
      if (bytes === undefined) return missing();
      return Promise.resolve(typeof bytes === "string" ? new TextEncoder().encode(bytes) : bytes);
    },
    exists: (path) => bytesOf(path) !== undefined,
    listFolder: (path) => (bytesOf(path) === undefined ? missing() : Promise.resolve(undefined)),
    async writeFile(folder, name, content) {
      written.set(`${folder}/${name}`, content);
    },
    async page(pager, content) {
      paged.push([pager, content]);
      return true;
    },
  };
}

/** The world outside: files, streams, environment. Commands reach it through this interface alone, so tests can stand in. */
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";

export interface Stream {
  write(text: string): void;
  readonly isTerminal: boolean;
  /** Of a terminal, or as the user says; undefined elsewhere. */
  readonly columns: number | undefined;
  /** Lines of a terminal; undefined elsewhere. */
  readonly rows: number | undefined;
}

export interface IO {
  readonly stdout: Stream;
  readonly stderr: Stream;
  readonly stdinIsTerminal: boolean;
  readonly env: Readonly<Record<string, string | undefined>>;
  readStdin(): Promise<Uint8Array>;
  /** The next line of standard input, for commands that ask; undefined at its end. */
  readLine(): Promise<string | undefined>;
  /** Rejects as node:fs does. */
  readFile(path: string): Promise<Uint8Array>;
  exists(path: string): boolean;
  /** Paths of the files in a folder and in those below it, sorted; undefined when it is no folder. */
  listFolder(path: string): Promise<readonly string[] | undefined>;
  /** Makes the folder if it is missing. */
  writeFile(folder: string, name: string, text: string): Promise<void>;
  /** Shows a text in a pager, which is a command line; false when there is none of that name. */
  page(pager: string, text: string): Promise<boolean>;
}

const COLUMNS = 100;

/** The real one. */
export function processIO(): IO {
  const stream = (target: NodeJS.WriteStream): Stream => ({
    write: (text) => {
      target.write(text);
    },
    isTerminal: target.isTTY === true,
    // A terminal of unknown size has 0 columns, or none.
    columns: target.isTTY === true ? target.columns || COLUMNS : undefined,
    rows: target.isTTY === true ? target.rows || undefined : undefined,
  });
  let lines: AsyncIterator<string> | undefined;
  return {
    stdout: stream(process.stdout),
    stderr: stream(process.stderr),
    stdinIsTerminal: process.stdin.isTTY === true,
    env: process.env,
    async readStdin() {
      const chunks: Buffer[] = [];
      for await (const chunk of process.stdin) chunks.push(chunk as Buffer);
      return Buffer.concat(chunks);
    },
    async readLine() {
      lines ??= createInterface({ input: process.stdin })[Symbol.asyncIterator]();
      const { value, done } = await lines.next();
      return done ? undefined : value;
    },
    readFile: (path) => readFile(path),
    exists: (path) => existsSync(path),
    async listFolder(path) {
      if (!(await stat(path)).isDirectory()) return undefined;
      const entries = await readdir(path, { withFileTypes: true, recursive: true });
      return entries
        .filter((entry) => entry.isFile())
        .map((entry) => join(entry.parentPath, entry.name))
        .sort();
    },
    async writeFile(folder, name, text) {
      await makeFolder(folder);
      await writeFile(join(folder, name), text);
    },
    page,
  };
}

/** What a shell exits with when there is no such command. */
const NO_COMMAND = 127;
/** What a shell has to read: anything but words. */
const NEEDS_SHELL = /[^\w\s./+:,-]/;

function page(pager: string, text: string): Promise<boolean> {
  // From here on Ctrl-C is the pager's.
  process.on("SIGINT", () => {});
  const [program = "", ...args] = NEEDS_SHELL.test(pager) ? ["/bin/sh", "-c", pager] : pager.split(/\s+/);
  return new Promise((resolve) => {
    const child = spawn(program, args, {
      stdio: ["pipe", "inherit", "inherit"],
      // As git has it: colours are shown, and one screen needs no pager.
      env: { LESS: "FIRX", ...process.env },
    });
    child.on("error", () => resolve(false));
    child.on("close", (code) => resolve(code !== NO_COMMAND));
    // Who has seen enough leaves before the end.
    child.stdin.on("error", () => {});
    child.stdin.end(text);
  });
}

/** The folder and those above it. Node's own `recursive` never ends where the system refuses with ENOENT, as /proc does. */
async function makeFolder(folder: string): Promise<void> {
  const made = (error: { readonly code?: string }) => {
    if (error.code !== "EEXIST") throw error;
  };
  try {
    await mkdir(folder);
  } catch (error) {
    const fault = error as { readonly code?: string };
    if (fault.code !== "ENOENT" || dirname(folder) === folder) return made(fault);
    await makeFolder(dirname(folder));
    await mkdir(folder).catch(made);
  }
}

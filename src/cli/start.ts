/** A process that runs one command line. */
import { EXIT } from "./exit.js";
import { processIO } from "./io.js";
import { run } from "./run.js";

/** `name` is what the user calls landfall. */
export async function start(name: string): Promise<void> {
  process.stdout.on("error", ({ code }: NodeJS.ErrnoException) => {
    // `landfall … | head` closes the pipe early: that is no fault.
    if (code === "EPIPE") process.exit(EXIT.done);
    process.stderr.write(
      `error: the answer cannot be written: ${code === "ENOSPC" ? "there is no room left" : code}\n`,
    );
    process.exit(EXIT.usage);
  });
  // An answer counts without its notes.
  process.stderr.on("error", () => {});
  process.exitCode = await run(process.argv.slice(2), processIO(), name);
  // A terminal that was asked would be waited for.
  process.stdin.destroy();
}

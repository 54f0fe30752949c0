/** A process that runs one command line. */
import { EXIT } from "./exit.js";
import { processIO } from "./io.js";
import { run } from "./run.js";

/** `name` is what the user calls landfall. */
export async function start(name: string): Promise<void> {
  // `landfall … | head` closes the pipe early: that is no fault.
  for (const stream of [process.stdout, process.stderr]) {
    stream.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "EPIPE") process.exit(EXIT.done);
      throw error;
    });
  }
  process.on("SIGINT", () => process.exit(EXIT.interrupted));
  process.exitCode = await run(process.argv.slice(2), processIO(), name);
}

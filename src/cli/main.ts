#!/usr/bin/env node
/** The command `landfall`. */
import { EXIT } from "./exit.js";
import { processIO } from "./io.js";
import { run } from "./run.js";

// `landfall … | head` closes the pipe early: that is no fault.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") process.exit(EXIT.done);
  throw error;
});
process.on("SIGINT", () => process.exit(EXIT.interrupted));

process.exitCode = await run(process.argv.slice(2), processIO());

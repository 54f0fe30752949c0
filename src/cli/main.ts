#!/usr/bin/env node
/** The command `landfall`. */
import { start } from "./start.js";

await start("landfall");

#!/usr/bin/env node
/** kubectl's plugin: `kubectl landfall`. */
import { start } from "./start.js";

await start("kubectl landfall");

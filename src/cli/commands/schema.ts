/** `landfall schema`: JSON Schema of what `-o json` prints. */
import * as z from "zod/mini";
import { nearest } from "../../problems/nearest.js";
import { EXIT, UsageError } from "../exit.js";
import type { IO } from "../io.js";
import { SCHEMAS } from "../schemas.js";

export const SCHEMA_NAMES = Object.keys(SCHEMAS);

/** Without a name, the names. */
export async function schema(name: string | undefined, io: IO): Promise<number> {
  if (name === undefined) {
    io.stdout.write(SCHEMA_NAMES.map((one) => `${one}\n`).join(""));
    return EXIT.done;
  }
  if (!Object.hasOwn(SCHEMAS, name)) {
    const near = nearest(name, SCHEMA_NAMES);
    throw new UsageError(
      `no document is called ${name}`,
      near === undefined ? `there are ${SCHEMA_NAMES.join(", ")}` : `did you mean ${near}?`,
    );
  }
  const document = z.toJSONSchema(SCHEMAS[name as keyof typeof SCHEMAS]);
  io.stdout.write(`${JSON.stringify(document, undefined, 2)}\n`);
  return EXIT.done;
}

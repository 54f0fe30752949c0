/** `landfall versions`: what changed in the rules with which kube-proxy. */
import { CHANGES, VERSIONS } from "../../compile/versions.js";
import { type CommonFlags, documentText, isDocumentForm, write } from "../common.js";
import { EXIT } from "../exit.js";
import type { IO } from "../io.js";
import type { VersionsDocument } from "../schemas/versions.js";
import { styleFor } from "../style.js";

export interface VersionsFlags extends CommonFlags {
  readonly output: string;
}

export async function versions(flags: VersionsFlags, io: IO): Promise<number> {
  if (isDocumentForm(flags.output)) {
    const document: VersionsDocument = {
      schema: "landfall/versions@1",
      versions: [...VERSIONS],
      changes: CHANGES.map(({ since, what, gate }) => ({
        since: `1.${since}`,
        what,
        gate: gate?.name ?? null,
      })),
    };
    write(io, documentText(document, flags.output));
    return EXIT.done;
  }
  const style = styleFor(io.stdout, io.env, flags);
  const lines = VERSIONS.map((version) => {
    const rows = CHANGES.filter(({ since }) => `1.${since}` === version).map(
      ({ what, gate }) =>
        `  ${what}${gate === undefined ? "" : style.paint("dim", ` (feature gate ${gate.name})`)}`,
    );
    const none =
      version === VERSIONS[0] ? "  the oldest version that landfall knows" : "  no change of the rules";
    return [style.paint("bold", version), ...(rows.length === 0 ? [none] : rows)].join("\n");
  });
  io.stdout.write(`${lines.join("\n")}\n`);
  return EXIT.done;
}

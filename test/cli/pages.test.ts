// docs/diagnostics.md is made from the codes; `npx vitest run test/cli/pages.test.ts -u` writes it again.
import { expect, test } from "vitest";
import { CODES, type Code } from "../../src/problems/codes.js";

const BLOCKS: readonly (readonly [RegExp, string])[] = [
  [/^LF1/, "Reading"],
  [/^LF2/, "Not modelled, or assumed"],
  [/^LF3/, "Lint: behaviour"],
  [/^LF4/, "Lint: hygiene"],
  [/^LF5/, "Objects and compiling"],
  [/^LF9/, "Internal"],
];

function page(): string {
  const blocks = BLOCKS.map(([block, heading]) => {
    const rows = (Object.keys(CODES) as Code[])
      .filter((code) => block.test(code))
      .map((code) => `| ${code} | ${CODES[code]} |`);
    return rows.length === 0 ? "" : `\n## ${heading}\n\n| code | |\n|---|---|\n${rows.join("\n")}\n`;
  });
  return `# Problem codes

Each problem that landfall prints has a code. \`landfall explain LF1007\` tells what a code means, why it matters, and what to
do, with an example. A code is never reused for something else.
${blocks.join("")}`;
}

test("docs/diagnostics.md lists all codes", async () => {
  for (const code of Object.keys(CODES)) expect(page()).toContain(`| ${code} |`);
  await expect(page()).toMatchFileSnapshot("../../docs/diagnostics.md");
});

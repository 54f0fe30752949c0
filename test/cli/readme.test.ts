// Every example of the README, run in fixtures/example. `…` stands for the rest of a line, or for any lines.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { landfall } from "./terminal.js";

const ROOT = join(import.meta.dirname, "../..");
const EXAMPLE = join(ROOT, "fixtures/example");
const files = Object.fromEntries(
  readdirSync(EXAMPLE).map((name) => [name, readFileSync(join(EXAMPLE, name), "utf8")]),
);

/** Commands of the blocks with prompts, and what is printed below each. */
function examples(): (readonly [command: string, prints: readonly string[]])[] {
  const blocks = readFileSync(join(ROOT, "README.md"), "utf8").matchAll(/^```\n(\$ [\s\S]*?)^```$/gm);
  return [...blocks].flatMap(([, block = ""]) =>
    block
      .split(/^\$ /m)
      .slice(1)
      .map((part) => {
        const [command = "", ...lines] = part.replace(/\n$/, "").split("\n");
        return [command, lines] as const;
      }),
  );
}

/** Words as a shell takes them. */
function wordsOf(command: string): readonly string[] {
  return [...command.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, plain = ""]) => quoted ?? plain);
}

/** What a pipe of the README prints: problems first. */
async function printed(pipe: string): Promise<string> {
  let stdout = "";
  let stderr = "";
  for (const [index, part] of pipe.split(" | ").entries()) {
    const [program, ...args] = wordsOf(part);
    if (program === "landfall") {
      const ran = await landfall(args, index === 0 ? { files } : { files, stdin: stdout });
      stdout = ran.stdout;
      stderr += ran.stderr;
    } else if (program === "grep") {
      const kept = stdout.split("\n").filter((line) => line.includes(args[0] ?? ""));
      stdout = `${kept.join("\n")}\n`;
    } else if (program === "cat") stdout = files[args[0] ?? ""] ?? "";
    else if (part.endsWith("iptables-save")) stdout = files["node-a.save"] ?? "";
    else throw new Error(`the README pipes through ${program}`);
  }
  return stderr + stdout;
}

function pattern(lines: readonly string[]): RegExp {
  const literal = (text: string) => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  const parts = lines.map((line) => {
    if (line.trim() === "…") return "(?:.*\\n)*?";
    return `${line.endsWith("…") ? `${literal(line.slice(0, -1))}.*` : literal(line)}\\n`;
  });
  return new RegExp(`^${parts.join("")}$`);
}

test.each(examples())("%s", async (command, lines) => {
  expect(await printed(command)).toMatch(pattern(lines));
});

test("there are examples", () => {
  expect(examples().length).toBeGreaterThan(12);
});

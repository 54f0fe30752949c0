/** `landfall completion`: scripts that make a shell complete what landfall takes, made from its own description. */
import type { Command } from "commander";
import { completionScript, type Takes } from "../completion-scripts.js";
import { EXIT } from "../exit.js";
import type { IO } from "../io.js";
import type { Shell } from "../shells.js";
import { SCHEMA_NAMES } from "./schema.js";

export async function completion(shell: Shell, program: Command, io: IO): Promise<number> {
  const commands = program.commands.map((command) => ({
    names: [command.name(), ...command.aliases()],
    summary: command.summary(),
    takes: command.registeredArguments.map((one) => takes(one.name(), one.argChoices))[0] ?? NOTHING,
    flags: [
      ...command.options.map((option) => ({
        names: [option.short, option.long].filter((one) => one !== undefined),
        description: option.description,
        takes:
          option.required || option.optional
            ? takes(/<([a-z]+)/.exec(option.flags)?.[1] ?? "", option.argChoices)
            : undefined,
      })),
      { names: ["-h", "--help"], description: "examples and all flags", takes: undefined },
    ],
  }));
  io.stdout.write(completionScript(shell, commands));
  return EXIT.done;
}

const NOTHING: Takes = { files: false, words: [] };

/** What the help calls a file is a file. */
function takes(placeholder: string, choices: readonly string[] | undefined): Takes {
  if (placeholder === "document") return { files: false, words: SCHEMA_NAMES };
  return { files: /^(?:files?|words|dump|folder)$/.test(placeholder), words: choices ?? [] };
}

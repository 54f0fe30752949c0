/**
 * Variables that mirror flags: LANDFALL_KUBE_PROXY=1.30 is --kube-proxy 1.30 for every command that has the flag, unless
 * the command line says otherwise.
 */
import { type Command, InvalidArgumentError, type Option } from "commander";
import { UsageError } from "./exit.js";
import type { IO } from "./io.js";

const PREFIX = "LANDFALL_";

/** The variable of a flag: `--no-color` has LANDFALL_NO_COLOR. */
function variableOf({ long }: Option): string {
  return `${PREFIX}${(long ?? "").replace(/^--/, "").toUpperCase().replaceAll("-", "_")}`;
}

/** Gives a command's flags the values of their variables, where the command line has not named them. */
export function applyVariables(command: Command, env: IO["env"]): void {
  for (const option of command.options) {
    const name = variableOf(option);
    const text = env[name];
    const key = option.attributeName();
    if (text === undefined || text === "" || command.getOptionValueSource(key) === "cli") continue;
    const value = readValue(option, name, text);
    if (value !== undefined) command.setOptionValueWithSource(key, value, "env");
  }
}

/** Whether the variable of a flag without value switches it on, for flags that count before any is read. */
export function isOn(flag: string, env: IO["env"]): boolean {
  return /^(?:1|true|yes|on)$/i.test(env[`${PREFIX}${flag}`] ?? "");
}

function readValue(option: Option, name: string, text: string): unknown {
  if (!option.required && !option.optional) {
    if (/^(?:1|true|yes|on)$/i.test(text)) return !option.negate;
    if (/^(?:0|false|no|off)$/i.test(text)) return undefined;
    throw new UsageError(`${name} is 1 or 0, not ${text}`);
  }
  if (option.parseArg === undefined) return option.variadic ? [text] : text;
  try {
    return option.parseArg(text, option.defaultValue);
  } catch (error) {
    if (!(error instanceof InvalidArgumentError)) throw error;
    throw new UsageError(`${name} cannot be ${text}`, error.message);
  }
}

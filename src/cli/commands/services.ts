/** `landfall services`: the Services that are found in a node's rules, as kubectl would list them. */
import { knownNamesOf } from "../../explain/known-names.js";
import { nameOf } from "../../explain/service-words.js";
import { servicesOf } from "../../explain/services.js";
import type { Problem } from "../../problems/problem.js";
import type { TextKind } from "../../text/segments.js";
import { type CommonFlags, inputNames, say } from "../common.js";
import { EXIT } from "../exit.js";
import { readInputs, readState } from "../inputs.js";
import type { IO } from "../io.js";
import { printProblems } from "../print-problems.js";
import { chosenServices } from "../service-filter.js";
import { servicesDocument } from "../services-json.js";
import { servicesText } from "../services-text.js";
import { clean, styleFor } from "../style.js";
import { splitInputs } from "../subjects.js";

export interface ServicesFlags extends CommonFlags {
  readonly output: "text" | "wide" | "json" | "name";
  readonly as?: TextKind;
  readonly namespace?: string;
  readonly exact?: boolean;
}

const USAGE = "landfall services FILE… [NAME…]; - is standard input";

export async function services(words: readonly string[], flags: ServicesFlags, io: IO): Promise<number> {
  const { files, subjects } = splitInputs(words, io);
  const names = inputNames(files, flags, io, USAGE);
  const problems: Problem[] = [];
  const inputs = await readInputs(names, io, flags.as);
  const state = readState(inputs, problems);
  const all = [...inputs.problems, ...problems];
  const isReadable = Object.keys(state.rulesets).length > 0 || state.virtualServers !== undefined;
  printProblems(isReadable ? all : [...all, ...nothingIn(all)], io, flags);
  if (!isReadable) return EXIT.unreadable;
  const found = servicesOf(state, inputs.cluster === undefined ? undefined : knownNamesOf(inputs.cluster));
  const chosen = chosenServices(found.services, { names: subjects, namespace: flags.namespace });
  const print = (text: string) => io.stdout.write(text);
  if (flags.output === "json") {
    const json = `${JSON.stringify(servicesDocument(chosen, found))}\n`;
    print(io.stdout.isTerminal ? clean(json, true) : json);
  } else if (flags.output === "name") print(chosen.map((one) => `${clean(nameOf(one))}\n`).join(""));
  else if (chosen.length === 0) say(io, flags, "no service is in these rules");
  else {
    const options = {
      style: styleFor(io.stdout, io.env, flags),
      exact: flags.exact ?? false,
      wide: flags.output === "wide",
    };
    print(servicesText(chosen, options));
  }
  for (const sentence of flags.output === "json" ? [] : found.assumed)
    say(io, flags, `assumed: ${clean(sentence)}`);
  return EXIT.done;
}

/** That nothing here can hold Services, unless an error has said so. */
export function nothingIn(problems: readonly Problem[]): readonly Problem[] {
  if (problems.some(({ severity }) => severity === "error")) return [];
  return [
    {
      code: "LF1034",
      severity: "error",
      message: "no input holds rules or virtual servers",
      help: "`landfall compile` writes the rules of objects: landfall compile objects.yaml -o save | landfall services",
    },
  ];
}

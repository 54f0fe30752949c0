/** `landfall services`: the Services that are found in a node's rules, as kubectl would list them. */
import { knownNamesOf } from "../../explain/known-names.js";
import { isUncertain, nameOf } from "../../explain/service-words.js";
import { servicesOf } from "../../explain/services.js";
import type { Problem } from "../../problems/problem.js";
import type { TextKind } from "../../text/segments.js";
import {
  assumes,
  type CommonFlags,
  type DocumentForm,
  documentText,
  exitCode,
  inputNames,
  isDocumentForm,
  say,
  write,
} from "../common.js";
import { EXIT } from "../exit.js";
import { readInputs, readState } from "../inputs.js";
import type { IO } from "../io.js";
import { printProblems } from "../print-problems.js";
import { chosenServices, type ServiceFlags, wantedBy } from "../service-filter.js";
import { servicesDocument } from "../services-json.js";
import { servicesText } from "../services-text.js";
import { clean, styleFor } from "../style.js";
import { splitInputs } from "../subjects.js";

export interface ServicesFlags extends CommonFlags, ServiceFlags {
  readonly output: "text" | "wide" | DocumentForm | "name";
  readonly as?: TextKind;
  readonly exact?: boolean;
  readonly strict?: boolean;
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
  const chosen = chosenServices(found.services, wantedBy(flags, inputs.cluster, subjects));
  const print = (text: string) => io.stdout.write(text);
  if (isDocumentForm(flags.output)) write(io, documentText(servicesDocument(chosen, found), flags.output));
  else if (flags.output === "name") print(chosen.map((one) => `${clean(nameOf(one))}\n`).join(""));
  else if (chosen.length === 0) say(io, flags, "no service is in these rules");
  else {
    const options = {
      style: styleFor(io.stdout, io.env, flags),
      exact: flags.exact ?? false,
      wide: flags.output === "wide",
    };
    print(servicesText(chosen, options));
  }
  for (const sentence of isDocumentForm(flags.output) ? [] : found.assumed)
    say(io, flags, `assumed: ${clean(sentence)}`);
  return exitCode(flags, { assumed: assumes(all) || isUncertain(chosen, found) });
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

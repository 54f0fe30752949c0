/** The explanations of all problem codes: a code without one does not compile. */
import type { Code } from "../../problems/codes.js";
import { ASSUMPTIONS } from "./assumptions.js";
import { CONNECTIONS } from "./connections.js";
import type { Explanation } from "./explanation.js";
import { INPUTS } from "./inputs.js";
import { INTERNAL } from "./internal.js";
import { LINT_BEHAVIOUR } from "./lint-behaviour.js";
import { LINT_HYGIENE } from "./lint-hygiene.js";
import { OBJECTS } from "./objects.js";
import { PACKETS } from "./packets.js";
import { RULES } from "./rules.js";
import { SETS } from "./sets.js";

export const EXPLANATIONS: Readonly<Record<Code, Explanation>> = {
  ...RULES,
  ...SETS,
  ...INPUTS,
  ...CONNECTIONS,
  ...PACKETS,
  ...ASSUMPTIONS,
  ...LINT_BEHAVIOUR,
  ...LINT_HYGIENE,
  ...OBJECTS,
  ...INTERNAL,
};

/** Sides for tests of diff: from texts, and from the clusters of the kube-proxy fixtures. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { compileIptables } from "../../src/compile/iptables/compile.js";
import type { Version } from "../../src/compile/versions.js";
import { compareStates, type Differences } from "../../src/diff/compare.js";
import { makeSide, type Side } from "../../src/diff/side.js";
import type { NodeState } from "../../src/state/nodestate.js";
import { readRules } from "../../src/text/rules.js";
import { scenario } from "../compile/goldens.js";

export const EXAMPLE = readFileSync(join(import.meta.dirname, "../../fixtures/example/node-a.save"), "utf8");

export function sideOf(text: string, name = "side", rest: Partial<NodeState> = {}): Side {
  const { ruleset } = readRules({ name, text });
  return makeSide(name, { ...rest, rulesets: { [ruleset.family]: ruleset } });
}

export function compareTexts(left: string, right: string): Differences {
  return compareStates(sideOf(left, "left"), sideOf(right, "right"));
}

/** A scenario as kube-proxy of a version writes it. */
export function compiledSide(name: string, version: Version): Side {
  const { model, choice } = scenario(name);
  const { state } = compileIptables(model, { version, node: choice.node, nodeName: choice.name });
  return makeSide(version, state);
}

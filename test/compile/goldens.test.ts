// Byte for byte what the real kube-proxy wrote, for every scenario, version and family.
import { describe, expect, test } from "vitest";
import { printPayload } from "../../src/compile/common/payload.js";
import { compileIptables } from "../../src/compile/iptables/compile.js";
import { compileNextSync } from "../../src/compile/iptables/next-sync.js";
import type { Version } from "../../src/compile/versions.js";
import { readRules } from "../../src/text/rules.js";
import { printRuleset } from "../../src/text/save.js";
import {
  FAMILIES,
  GOLDEN_VERSIONS,
  goldenKey,
  goldens,
  SCENARIOS,
  SYNC_SCENARIOS,
  scenario,
  syncScenario,
  withoutRemarks,
} from "./goldens.js";

const scenarios = new Map(SCENARIOS.map((name) => [name, scenario(name)]));

describe.each(GOLDEN_VERSIONS)("kube-proxy %s", (version) => {
  const expected = goldens(version);
  const cases = SCENARIOS.flatMap((name) => FAMILIES.map((family) => [name, family] as const)).filter(
    ([name, family]) => expected.has(goldenKey(name, "restore", family)),
  );

  test("has fixtures", () => {
    expect(cases.length).toBeGreaterThan(100);
  });

  test.each(cases)("%s, %s", (name, family) => {
    const { model, choice } = scenarios.get(name) ?? scenario(name);
    const { payload, state } = compileIptables(model, {
      version: version as Version,
      family,
      node: choice.node,
      nodeName: choice.name,
    });
    expect(printPayload(payload)).toBe(expected.get(goldenKey(name, "restore", family)));
    const ruleset = state.rulesets[family];
    const save = expected.get(goldenKey(name, "save", family)) ?? "";
    expect(ruleset && withoutRemarks(printRuleset(ruleset))).toBe(withoutRemarks(save));
  });

  test.each(cases)("fmt: %s, %s", (name, family) => {
    const save = expected.get(goldenKey(name, "save", family)) ?? "";
    const read = readRules({ name: "save", text: save });
    expect(read.problems).toEqual([]);
    expect(read.ruleset.family).toBe(family);
    expect(printRuleset(read.ruleset)).toBe(save);

    // A payload becomes the KUBE- chains and rules of the dump; chains that stay empty are made by other calls.
    const restore = expected.get(goldenKey(name, "restore", family)) ?? "";
    const payload = readRules({ name: "restore", text: restore }, { family });
    expect(payload.problems.filter(({ severity }) => severity === "error")).toEqual([]);
    const own = (text: string) => text.split("\n").filter((line) => line.startsWith("-A KUBE-"));
    expect(own(printRuleset(payload.ruleset))).toEqual(own(save));
  });
});

describe.each(["1.30", "1.34"] as const)("the next sync of kube-proxy %s", (version) => {
  const expected = goldens(`sync-${version}`);

  test.each(SYNC_SCENARIOS.flatMap((name) => FAMILIES.map((family) => [name, family] as const)))(
    "%s, %s",
    (name, family) => {
      const { before, after } = syncScenario(name);
      const { node, name: nodeName } = after.choice;
      const options = { version, family, node, nodeName };
      const { payload, state } = compileNextSync(before.model, after.model, options, before.choice.node);
      expect(printPayload(payload)).toBe(expected.get(goldenKey(name, "restore", family)));
      const ruleset = state.rulesets[family];
      const save = expected.get(goldenKey(name, "save", family)) ?? "";
      expect(ruleset && withoutRemarks(printRuleset(ruleset))).toBe(withoutRemarks(save));
    },
  );
});

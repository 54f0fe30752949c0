// What each step of the main job costs on 1,000 Services of 10 endpoints: about 43,000 lines.
import { bench, describe } from "vitest";
import { readAddress } from "../../grammar/address.js";
import { readCluster } from "../../src/cluster/read.js";
import { printPayload } from "../../src/compile/common/payload.js";
import { compileIptables } from "../../src/compile/iptables/compile.js";
import { readDocuments } from "../../src/documents/read.js";
import { evaluate } from "../../src/evaluate/evaluate.js";
import { readRules } from "../../src/text/rules.js";
import { printRuleset } from "../../src/text/save.js";
import { bigCluster } from "./cluster.js";

const objects = bigCluster(1000, 10);
const { model } = readCluster(readDocuments({ name: "objects", text: objects }).documents);
const { payload, state } = compileIptables(model, { family: "ipv4" });
const ruleset = state.rulesets.ipv4 ?? { family: "ipv4", tables: new Map() };
const text = printRuleset(ruleset);
const read = { rulesets: { ipv4: readRules({ name: "dump", text }).ruleset } };

describe("1,000 services x 10 endpoints", () => {
  bench("read the objects", () => {
    readCluster(readDocuments({ name: "objects", text: objects }).documents);
  });
  bench("compile", () => {
    printPayload(compileIptables(model, { family: "ipv4" }).payload);
  });
  bench("print the payload", () => {
    printPayload(payload);
  });
  bench("read the dump", () => {
    readRules({ name: "dump", text });
  });
  bench("print the dump", () => {
    printRuleset(ruleset);
  });
  bench("one packet", () => {
    evaluate(read, {
      family: "ipv4",
      protocol: 6,
      source: readAddress("192.0.2.1") ?? 0,
      sourcePort: 40000,
      destination: readAddress("10.96.1.7") ?? 0,
      destinationPort: 80,
    });
  });
});

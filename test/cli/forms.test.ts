// What all commands have alike: documents as JSON and YAML, and --strict.
import { describe, expect, test } from "vitest";
import { parse, parseAllDocuments } from "yaml";
import { EXAMPLE_DUMP, landfall } from "./terminal.js";

const EXPECTATIONS = "version: 1\nexpect:\n- {packet: 10.1.2.3 to 10.96.0.10:53/udp, expect: delivered}\n";
const files = {
  "expectations.yaml": EXPECTATIONS,
  "node-b.save": EXAMPLE_DUMP.replace("10.244.3.9:8080", "10.244.3.8:8080"),
};
const FRAGMENT = EXAMPLE_DUMP.split("\n")
  .filter((line) => line.includes("default/web"))
  .join("\n");

describe("-o yaml is -o json", () => {
  test.each([
    [["trace", "node-a.save", "10.1.2.3 to 10.96.0.10:53/udp"]],
    [["trace", "node-a.save", "10.1.2.3 to 10.96.0.10:53/udp", "--reply"]],
    [["explain", "node-a.save"]],
    [["explain", "LF1007"]],
    [["services", "node-a.save"]],
    [["lint", "node-a.save"]],
    [["diff", "node-a.save", "node-b.save"]],
    [["compile", "cluster.yaml", "kube-proxy.yaml"]],
    [["check", "-f", "expectations.yaml", "node-a.save"]],
    [["versions"]],
  ])("%j", async (words) => {
    const json = await landfall([...words, "-o", "json"], { files });
    const yaml = await landfall([...words, "-o", "yaml"], { files });
    expect(yaml).toMatchObject({ code: json.code, stderr: json.stderr });
    expect(parse(yaml.stdout, { maxAliasCount: 0 })).toEqual(JSON.parse(json.stdout));
    expect(json.stdout.trimEnd()).not.toContain("\n");
  });

  test("several documents", async () => {
    const stdin =
      '{"dst":"10.96.0.10","dport":53,"proto":"udp"}\n{"dst":"10.96.77.3","dport":80,"proto":"tcp"}\n';
    const ask = ["trace", "node-a.save", "--packets", "-"];
    const { stdout } = await landfall([...ask, "-o", "yaml"], { stdin });
    const lines = (await landfall(ask, { stdin })).stdout.trimEnd().split("\n");
    expect(parseAllDocuments(stdout).map((one) => one.toJS())).toEqual(lines.map((line) => JSON.parse(line)));
  });
});

describe("--strict: 4 where the answer took anything for granted", () => {
  const NETWORK = ["--local-ip", "10.0.0.1"];
  test.each([
    [["explain", "node-a.save"], undefined, 0],
    [["explain"], FRAGMENT, 4],
    [["explain", "LF1007"], undefined, 0],
    [["services", "node-a.save"], undefined, 0],
    [["services"], FRAGMENT, 4],
    [["compile", "cluster.yaml", "kube-proxy.yaml", "-o", "save"], undefined, 0],
    [["compile", "cluster.yaml", "--node", "node-1", "-o", "save"], undefined, 4],
    [["diff", "node-a.save", "-", "--behaviour", ...NETWORK], EXAMPLE_DUMP, 0],
    [
      ["diff", "node-a.save", "-", "--behaviour", ...NETWORK],
      EXAMPLE_DUMP.replace("*nat", "*filter\n:INPUT ACCEPT [0:0]\nCOMMIT\n*nat"),
      4,
    ],
    [["lint", "node-a.save"], undefined, 0],
    [["lint"], FRAGMENT, 4],
  ])("%j", async (words, stdin, code) => {
    const world = stdin === undefined ? {} : { stdin };
    expect((await landfall([...words, "--strict"], world)).code).toBe(code);
    expect((await landfall(words, world)).code).toBe(0);
  });

  test("a difference goes before it", async () => {
    const { code } = await landfall(["diff", "node-a.save", "node-b.save", "--strict"], { files });
    expect(code).toBe(1);
  });
});

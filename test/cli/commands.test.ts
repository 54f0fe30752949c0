// The commands as a user types them, on the bundled example.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { compileSchema } from "../../src/cli/schemas/compile.js";
import { traceSchema } from "../../src/cli/schemas/trace.js";
import { versionsSchema } from "../../src/cli/schemas/versions.js";
import { SCHEMAS } from "../../src/cli/schemas.js";
import { VERSION } from "../../src/cli/version.js";
import { goldenKey, goldens, withoutRemarks } from "../compile/goldens.js";
import { landfall } from "./terminal.js";

const OBJECTS = ["cluster.yaml", "kube-proxy.yaml"];

describe("compile", () => {
  test("writes kube-proxy's payload and the dump after it", async () => {
    const expected = goldens("1.30");
    const restore = await landfall(["compile", ...OBJECTS, "--kube-proxy", "1.30", "-o", "restore"]);
    expect(restore).toMatchObject({ code: 0, stderr: "kube-proxy 1.30, IPv4, node node-1\n" });
    expect(restore.stdout).toBe(expected.get(goldenKey("seed-example", "restore", "ipv4")));
    const save = await landfall(["compile", ...OBJECTS, "--kube-proxy", "v1.30.3", "-o", "save"]);
    const golden = expected.get(goldenKey("seed-example", "save", "ipv4")) ?? "";
    expect(withoutRemarks(save.stdout)).toBe(withoutRemarks(golden));
  });

  test("--out writes all texts", async () => {
    const { code, written, stdout } = await landfall(["compile", ...OBJECTS, "--out", "rules"]);
    expect({ code, stdout }).toEqual({ code: 0, stdout: "" });
    expect([...written.keys()]).toEqual(["rules/iptables-restore.ipv4.txt", "rules/iptables-save.ipv4.txt"]);
  });

  test("says what was left to defaults", async () => {
    const { code, stderr } = await landfall(["compile", "cluster.yaml", "--node", "node-2"]);
    expect(code).toBe(0);
    expect(stderr).toContain("note[LF2010]: no KubeProxyConfiguration was given");
    expect(stderr).toContain("kube-proxy 1.35, IPv4, node node-2");
  });

  test("--then compiles the sync that follows a change", async () => {
    const cluster = readFileSync(join(import.meta.dirname, "../../fixtures/example/cluster.yaml"), "utf8");
    const files = { "after.yaml": cluster.replace("- 10.244.3.18", "- 10.244.3.19") };
    const { code, stdout } = await landfall(
      ["compile", ...OBJECTS, "--then", "after.yaml", "-o", "restore"],
      { files },
    );
    expect(code).toBe(0);
    const own = stdout.split("\n").filter((line) => /^-A KUBE-(SVC|EXT|SEP)/.test(line));
    expect(own.every((line) => line.includes("shop/product-service:http"))).toBe(true);
    expect(stdout.match(/^-X .*/gm)).toEqual(["-X KUBE-SEP-3QESRTTIBQOSYA44"]);
  });

  test("derives slices from Pods, says so, and prints them", async () => {
    const web = `apiVersion: v1
kind: Service
metadata: {name: web}
spec: {clusterIP: 10.96.0.9, selector: {app: web}, ports: [{port: 80, targetPort: 8080}]}
`;
    const pod = (name: string, ip: string) => `---
apiVersion: v1
kind: Pod
metadata: {name: ${name}, labels: {app: web}}
spec: {nodeName: n}
status: {podIP: ${ip}, conditions: [{type: Ready, status: "True"}]}
`;
    const files = { "web.yaml": web + pod("a", "10.1.0.1") + pod("b", "10.1.0.2") };
    const slices = await landfall(["compile", "web.yaml", "-o", "endpointslices"], { files });
    expect(slices.code).toBe(0);
    expect(slices.stderr).toContain("no EndpointSlices were given: 1 was derived from 2 Pods");
    const compiled = await landfall(["compile", "web.yaml", "-o", "restore"], { files });
    // The slices that were printed make the same rules as the Pods.
    const printed = { "web.yaml": web, "slices.yaml": slices.stdout };
    const again = await landfall(["compile", "web.yaml", "slices.yaml", "-o", "restore"], { files: printed });
    expect(again.stdout).toBe(compiled.stdout);
    expect(compiled.stdout).toContain("--to-destination 10.1.0.2:8080");
    // A Pod is deleted: its chain goes, and the other gets all connections.
    const after = { ...files, "after.yaml": web + pod("a", "10.1.0.1") };
    const then = await landfall(["compile", "web.yaml", "--then", "after.yaml", "-o", "restore"], {
      files: after,
    });
    expect(then.stdout.match(/^-X .*/gm)).toHaveLength(1);
    expect(then.stdout).not.toContain("--probability");
    const traced = await landfall(["trace", "web.yaml", "pod/default/a", "to", "svc/default/web"], { files });
    expect(traced.stdout).toContain("50 %");
    const wrong = await landfall(["trace", "web.yaml", "pod/default/c", "to", "svc/default/web"], { files });
    expect(wrong).toMatchObject({ code: 3, stdout: "" });
    expect(wrong.stderr).toContain("there is no Pod default/c");
  });

  test("-o json gives the whole state as its schema says", async () => {
    const { code, stdout } = await landfall(["compile", ...OBJECTS, "--kube-proxy", "1.30", "-o", "json"]);
    expect(code).toBe(0);
    const document = compileSchema.parse(JSON.parse(stdout));
    expect(document).toMatchObject({ kubeProxy: "1.30", node: "node-1" });
    // Its lines are those of the dump.
    const save = await landfall(["compile", ...OBJECTS, "--kube-proxy", "1.30"]);
    const chains = document.state.rulesets.flatMap(({ tables }) => tables.flatMap((table) => table.chains));
    const lines = chains.flatMap(({ rules }) => rules.map(({ text }) => text));
    expect(lines).toEqual(save.stdout.split("\n").filter((line) => line.startsWith("-A")));
    const rule = chains
      .flatMap(({ rules }) => rules)
      .find(({ text }) => text.includes("0.33333333349") && text.startsWith("-A KUBE-SVC-D7KOL5XGEBU3DA3U"));
    expect(rule).toMatchObject({
      line: null,
      header: [],
      matches: [
        { name: "comment", words: null },
        {
          name: "statistic",
          options: [
            { option: "--mode", negated: false, value: "random" },
            { option: "--probability", negated: false, value: "0.33333333349" },
          ],
        },
      ],
      target: { kind: "chain", goto: false },
    });
  });

  test("asks which node, and lists them", async () => {
    const { code, stdout, stderr } = await landfall(["compile", "cluster.yaml"]);
    expect({ code, stdout }).toEqual({ code: 3, stdout: "" });
    expect(stderr).toContain("node-1, node-2, node-3");
  });
});

describe("trace", () => {
  const shares = async (args: readonly string[], stdin?: string) => {
    const ran = await landfall(["trace", ...args, "-o", "json"], stdin === undefined ? {} : { stdin });
    expect(ran.code).toBe(0);
    const [only, ...others] = JSON.parse(ran.stdout).cases;
    expect(others).toEqual([]);
    return only.landings.map((landing: Record<string, unknown>) => {
      const { numerator, denominator } = landing.probability as { numerator: string; denominator: string };
      return [landing.dst, landing.dport, landing.src, landing.masqueraded, `${numerator}/${denominator}`];
    });
  };

  test("a client at the node port", async () => {
    expect(await shares([...OBJECTS, "203.0.113.45:54321", "to", "10.0.1.50:30443"])).toEqual([
      ["10.244.1.10", 443, null, true, "1/1"],
    ]);
  });

  test("a pod at the cluster IP, by address and by name, from objects, from a dump and through a pipe", async () => {
    const wanted = [
      ["10.244.1.42", 8080, "10.244.1.10", false, "715827883/2147483648"],
      ["10.244.2.25", 8080, "10.244.1.10", false, "1431655765/4294967296"],
      ["10.244.3.18", 8080, "10.244.1.10", false, "1431655765/4294967296"],
    ];
    expect(await shares([...OBJECTS, "10.244.1.10:39123 -> 10.96.100.50:80"])).toEqual(wanted);
    expect(await shares([...OBJECTS, "10.244.1.10:39123", "to", "svc/shop/product-service:http"])).toEqual(
      wanted,
    );
    const { stdout } = await landfall(["compile", ...OBJECTS, "-o", "save"]);
    expect(await shares(["-", "network.yaml", "10.244.1.10:39123", "->", "10.96.100.50:80"], stdout)).toEqual(
      wanted,
    );
  });

  test("the document has the documented shape", async () => {
    const { stdout } = await landfall([
      "trace",
      "node-a.save",
      "10.244.9.8:41000 to 10.96.41.17:80/tcp",
      "-o",
      "json",
    ]);
    const document = JSON.parse(stdout);
    expect(Object.keys(document)).toEqual(["schema", "id", "packet", "cases", "notes"]);
    expect(document).toMatchObject({
      schema: "landfall/trace@1",
      packet: { src: "10.244.9.8", sport: 41000, dst: "10.96.41.17", dport: 80, proto: "tcp" },
    });
    expect(document.cases[0].landings[0]).toMatchObject({
      verdict: "forward",
      out: null,
      sport: 41000,
      dst: "10.244.1.14",
      endpoint: "default/web:http",
      probability: { numerator: "715827883", denominator: "2147483648", value: 715827883 / 2 ** 31 },
      rules: expect.arrayContaining([{ table: "nat", chain: "PREROUTING", rule: 1, line: 22 }]),
    });
  });

  test("text: the answer first, then why, then what was taken for granted", async () => {
    const { stdout, code } = await landfall([
      "trace",
      "node-a.save",
      "10.1.2.3:4567",
      "→",
      "10.96.0.10:53/udp",
    ]);
    expect(code).toBe(0);
    expect(stdout).toBe(`kube-system/kube-dns:dns   cluster IP 10.96.0.10:53/udp

  SHARE   LANDS ON        SEEN THERE AS COMING FROM
  50 %    10.244.1.5:53   an address of this node, new port   (masqueraded)
  50 %    10.244.2.7:53   an address of this node, new port   (masqueraded)

why
  nat:PREROUTING:rule:1                  → KUBE-SERVICES                                                        line 22
  nat:KUBE-SERVICES:rule:1               to 10.96.0.10, udp, port 53 → KUBE-SVC-TCOU7JCQXEZGVUNU                line 46
  nat:KUBE-SVC-TCOU7JCQXEZGVUNU:rule:1   not from 10.244.0.0/16, to 10.96.0.10, udp, port 53 → KUBE-MARK-MASQ   line 59
  nat:KUBE-MARK-MASQ:rule:1              → set mark 0x4000                                                      line 27
  nat:KUBE-SVC-TCOU7JCQXEZGVUNU:rule:2   1 in 2 → KUBE-SEP-CEYPGFB7VCORONY3                                     line 60
  nat:KUBE-SEP-CEYPGFB7VCORONY3:rule:2   udp → DNAT 10.244.1.5:53                                               line 35
  nat:POSTROUTING:rule:1                 → KUBE-POSTROUTING                                                     line 24
  nat:KUBE-POSTROUTING:rule:2            → toggle mark 0x4000                                                   line 30
  nat:KUBE-POSTROUTING:rule:3            → MASQUERADE, random port                                              line 31
  nat:KUBE-SVC-TCOU7JCQXEZGVUNU:rule:3   → KUBE-SEP-YIYWGYBYC3QAMGMY                                            line 61
  nat:KUBE-SEP-YIYWGYBYC3QAMGMY:rule:2   udp → DNAT 10.244.2.7:53                                               line 43

note: only nat is in this dump; filter was not consulted
note: the node's addresses are not known: the source and what DNAT sends packets to are taken to be none of them
`);
  });

  test("a source that is left open gives a case for each class that matters", async () => {
    const { stdout } = await landfall(["trace", "node-a.save", "10.96.0.10:53/udp", "-o", "json"]);
    const cases = JSON.parse(stdout).cases as { assuming: string[]; landings: { masqueraded: boolean }[] }[];
    expect(
      cases.map(({ assuming, landings }) => [assuming, landings.map(({ masqueraded }) => masqueraded)]),
    ).toEqual([
      [["the source is 10.244.1.5"], [true, false]],
      [["the source is 10.244.2.7"], [false, true]],
      [["the source is in 10.244.0.0/16, but not 10.244.1.5, 10.244.2.7"], [false, false]],
      [["the source is not in 10.244.0.0/16"], [true, true]],
    ]);
  });

  test("affinity: hidden state splits the answer, --fresh decides it", async () => {
    const asked = ["trace", "node-a.save", "10.244.9.8:41000 to 10.96.77.3:80/tcp", "-o", "json"];
    expect(JSON.parse((await landfall(asked)).stdout).cases).toHaveLength(3);
    expect(JSON.parse((await landfall([...asked, "--fresh"])).stdout).cases).toHaveLength(1);
  });

  test("--packets: one answer a line, in order", async () => {
    const stdin = [
      { id: "a", src: "10.244.9.8", sport: 1, dst: "10.96.0.10", dport: 53, proto: "udp" },
      { id: "b", in: "local", dst: "10.96.41.17", dport: 80, proto: "tcp", flags: "S" },
    ]
      .map((packet) => JSON.stringify(packet))
      .join("\n");
    const { code, stdout } = await landfall(["trace", "node-a.save", "--packets", "-"], { stdin });
    expect(code).toBe(0);
    expect(
      stdout
        .trimEnd()
        .split("\n")
        .map((line) => JSON.parse(line).id),
    ).toEqual(["a", "b"]);
  });

  test("--strict: an answer that rests on something exits with 4", async () => {
    const asked = ["trace", "network.yaml", "10.244.1.10:1 to 10.96.100.50:80"];
    const { stdout } = await landfall(["compile", ...OBJECTS, "-o", "save"]);
    expect((await landfall([...asked, "-f", "-", "--strict"], { stdin: stdout })).code).toBe(0);
    expect(
      (await landfall(["trace", "node-a.save", "10.1.2.3:1 to 10.96.0.10:53/udp", "--strict"])).code,
    ).toBe(4);
  });

  test("--set and --local-ip are facts", async () => {
    const { stdout } = await landfall([
      ...["trace", "node-a.save", "10.1.2.3:4567 to 10.0.1.50:30080/tcp", "-o", "json"],
      ...["--local-ip", "10.0.1.50", "--set", "masquerade=10.244.1.1"],
    ]);
    const { cases } = JSON.parse(stdout);
    expect(cases).toHaveLength(1);
    expect(cases[0].landings.map(({ src }: { src: string }) => src)).toEqual([
      "10.244.1.1",
      "10.244.1.1",
      "10.244.1.1",
    ]);
  });
});

describe("fmt", () => {
  const text = readFileSync(join(import.meta.dirname, "../../fixtures/example/node-a.save"), "utf8");

  test("is the identity on what iptables-save printed", async () => {
    expect(await landfall(["fmt", "node-a.save"])).toMatchObject({ code: 0, stdout: text, stderr: "" });
    expect(await landfall(["fmt"], { stdin: text })).toMatchObject({ code: 0, stdout: text, stderr: "" });
  });

  test("--partial keeps the rest of a text with a fault", async () => {
    const broken = text.replace("--probability 0.33333333349", "--probabilty 0.33333333349");
    const whole = await landfall(["fmt", "-"], { stdin: broken });
    expect(whole).toMatchObject({ code: 3, stdout: "" });
    const partial = await landfall(["fmt", "-", "--partial"], { stdin: broken });
    const lines = partial.stdout.split("\n");
    expect(lines).toHaveLength(text.split("\n").length);
    expect(lines.filter((line) => line.startsWith("# not read: -A KUBE-SVC-"))).toHaveLength(1);
  });

  test("control characters in comments reach a pipe as they are, and no terminal", async () => {
    const evil = text.replace("default/web:http cluster IP", "default/web\u001b[31m");
    expect((await landfall(["fmt", "-"], { stdin: evil })).stdout).toContain("\u001b[31m");
    const shown = await landfall(["fmt", "-"], { stdin: evil, terminal: true, stdinIsTerminal: false });
    expect(shown.stdout).not.toContain("\u001b");
    expect(shown.stdout).toContain("\\x1b[31m");
  });
});

test("versions", async () => {
  const { code, stdout } = await landfall(["versions"]);
  expect(code).toBe(0);
  expect(stdout).toMatch(/^1\.31\n {2}nfacct counters/m);
});

test("--version is that of the package", async () => {
  const manifest = JSON.parse(readFileSync(join(import.meta.dirname, "../../package.json"), "utf8"));
  expect(VERSION).toBe(manifest.version);
  expect(await landfall(["--version"])).toMatchObject({ code: 0, stdout: `${VERSION}\n` });
});

describe("schema", () => {
  test.each(Object.keys(SCHEMAS))("of %s is JSON Schema", async (name) => {
    const { code, stdout } = await landfall(["schema", name]);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      $schema: "https://json-schema.org/draft/2020-12/schema",
      type: "object",
      additionalProperties: false,
    });
  });

  test("of something else is refused", async () => {
    const { code, stderr } = await landfall(["schema", "comple"]);
    expect(code).toBe(2);
    expect(stderr).toContain("did you mean compile?");
  });

  test("holds for what is printed", async () => {
    const packet = ["10.1.2.3:4567", "to", "10.96.0.10:53/udp", "-o", "json"];
    const traced = await landfall(["trace", "node-a.save", ...packet]);
    expect(traceSchema.parse(JSON.parse(traced.stdout)).cases.length).toBeGreaterThan(0);
    const versions = await landfall(["versions", "-o", "json"]);
    expect(versionsSchema.parse(JSON.parse(versions.stdout)).versions).toContain("1.30");
    const files = { "x.save": "*nat\n-A X\nCOMMIT\n" };
    const failed = await landfall(["fmt", "x.save", "--diagnostics", "json"], { files });
    const lines = failed.stderr.split("\n").filter((line) => line !== "");
    expect(lines.map((line) => SCHEMAS.diagnostics.parse(JSON.parse(line)).severity)).toContain("error");
  });
});

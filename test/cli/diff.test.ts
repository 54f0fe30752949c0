// `landfall diff` as a user types it.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { diffSchema } from "../../src/cli/schemas/diff.js";
import { landfall } from "./terminal.js";

const OBJECTS = ["cluster.yaml", "kube-proxy.yaml"];
const NODE_A = readFileSync(join(import.meta.dirname, "../../fixtures/example/node-a.save"), "utf8");
/** default/web has lost its masquerading from outside. */
const NODE_B = NODE_A.replace(/-A KUBE-SVC-CDGGSHYLG3RE2FKL ! -s .*\n/, "");
const files = { "node-b.save": NODE_B };

describe("two dumps", () => {
  test("behaviour first, then structure and text in a line, and exit 1", async () => {
    const { code, stdout, stderr } = await landfall(["diff", "node-a.save", "node-b.save"], { files });
    expect({ code, stderr }).toEqual({ code: 1, stderr: "" });
    expect(stdout).toBe(`behaviour   1 of 4 entry points differs
~ default/web:http   10.96.41.17:80/tcp
    node-a.save   100 % come from an address of the node (masqueraded)
    node-b.save   100 % come from 198.51.100.7:40000
    clients       from outside, from the node
    try           198.51.100.7:40000 to 10.96.41.17:80/tcp
    rules         node-a.save lines 27, 30–31, 50, node-b.save line 29
same        default/cart:http · kube-system/kube-dns:dns
            compared: 4 entry points that the rules name (3 by equal rules, 1 by 6 packets); not a proof for all packets
structure   1 rule gone
text        1 line (-1 +0; landfall diff --text shows them)
`);
  });

  test("nothing differs: exit 0", async () => {
    const { code, stdout } = await landfall(["diff", "node-a.save", "-"], { stdin: NODE_A });
    expect(code).toBe(0);
    expect(stdout).toContain("none of 4 entry points differs");
    expect(stdout).toMatch(/structure +same\ntext +same\n$/);
  });

  test("both sides pasted into one", async () => {
    const stdin = `${NODE_A}${NODE_B}`;
    for (const words of [["diff", "-"], ["diff"]]) {
      const { code, stdout, stderr } = await landfall(words, { stdin });
      expect(code).toBe(1);
      expect(stderr).toContain(
        "standard input holds two dumps, which are the two sides: the second begins in line 64",
      );
      expect(stdout).toContain("    first dump    100 % come from an address of the node");
      // Lines are those of what was pasted.
      expect(stdout).toContain("second dump line 92");
    }
    const named = await landfall(["diff", "-", "default/web"], { stdin });
    expect(named.stdout).toContain("~ default/web:http");
    const three = await landfall(["diff", "-"], { stdin: `${stdin}${NODE_B}` });
    expect(three).toMatchObject({ code: 2, stdout: "" });
    expect(three.stderr).toContain("standard input holds 3 dumps");
  });

  test("a terminal's width counts", async () => {
    const ask = ["diff", "node-a.save", "node-b.save", "--behaviour", "--no-pager"];
    const { stdout } = await landfall([...ask, "--width", "70"], { files });
    const told = stdout.split("\n").filter((line) => line.startsWith("    "));
    for (const line of told.slice(0, -1)) expect(line.length).toBeLessThanOrEqual(70);
    expect(stdout.replace(/\s+/g, " ")).toContain("node-a.save lines 27, 30–31, 50, node-b.save line 29");
  });

  test("-l chooses by the labels of objects", async () => {
    const services = [
      "apiVersion: v1\nkind: Service\nmetadata: {name: web, namespace: default, labels: {app: web}}\nspec: {clusterIP: 10.96.41.17, ports: [{name: http, port: 80}]}\n",
      "---\napiVersion: v1\nkind: Service\nmetadata: {name: cart, namespace: default, labels: {app: cart}}\nspec: {clusterIP: 10.96.77.3, ports: [{name: http, port: 80}]}\n",
    ].join("");
    const world = { files: { ...files, "services.yaml": services } };
    const ask = ["diff", "node-a.save", "node-b.save", "-f", "services.yaml"];
    expect((await landfall([...ask, "-l", "app=web"], world)).code).toBe(1);
    expect((await landfall([...ask, "-l", "app=cart"], world)).code).toBe(0);
  });

  test("each part by itself", async () => {
    const run = (...flags: readonly string[]) =>
      landfall(["diff", "node-a.save", "node-b.save", ...flags], { files });
    const text = await run("--text");
    expect(text.code).toBe(1);
    expect(text.stdout).toMatch(/^--- node-a.save\n\+\+\+ node-b.save\n@@ -46,7 \+46,6 @@\n/);
    const structure = await run("--structure");
    expect(structure.stdout).toMatch(
      /^structure {3}1 rule gone\n- nat:KUBE-SVC-CDGGSHYLG3RE2FKL:rule:1 {3}! -s/,
    );
    // Only comments differ: that is none in behaviour.
    const reworded = { "node-b.save": NODE_A.replace("kubernetes postrouting rules", "other") };
    const same = await landfall(["diff", "node-a.save", "node-b.save", "--behaviour"], { files: reworded });
    expect(same).toMatchObject({ code: 0 });
    const all = await landfall(["diff", "node-a.save", "node-b.save"], { files: reworded });
    expect(all).toMatchObject({ code: 1, stdout: expect.stringContaining("1 rule reworded") });
  });

  test("the packet that is shown can be pasted into trace", async () => {
    const { stdout } = await landfall(["diff", "node-a.save", "node-b.save"], { files });
    const packet = (/^ +try +(.*)$/m.exec(stdout)?.[1] ?? "").split(" ");
    const traced = async (dump: string) => (await landfall(["trace", dump, ...packet], { files })).stdout;
    expect(await traced("node-a.save")).toContain("masqueraded");
    expect(await traced("node-b.save")).not.toContain("masqueraded");
  });

  test("by name and namespace", async () => {
    const run = (...words: readonly string[]) =>
      landfall(["diff", "node-a.save", "node-b.save", ...words], { files });
    expect(await run("default/cart")).toMatchObject({
      code: 0,
      stdout: expect.stringContaining("none of 1 entry"),
    });
    expect(await run("svc/default/web:http")).toMatchObject({ code: 1 });
    expect(await run("10.96.41.17:80")).toMatchObject({ code: 1 });
    expect(await run("-n", "kube-system")).toMatchObject({ code: 0 });
    expect(await run("default/wep")).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("did you mean"),
    });
    expect(await run("-n", "none")).toMatchObject({ code: 2 });
  });

  test("--for is a name, too", async () => {
    const run = (...words: readonly string[]) =>
      landfall(["diff", "node-a.save", "node-b.save", ...words], { files });
    const named = await run("svc/default/web");
    expect(await run("--for", "svc/default/web")).toEqual(named);
    expect(named.code).toBe(1);
    expect(await run("--for", "svc/default/cart,svc/kube-system/kube-dns")).toMatchObject({
      code: 0,
      stdout: expect.stringContaining("none of 2 entry points"),
    });
    const { code, stderr } = await run("--for", "svc/default/wep");
    expect(code).toBe(2);
    expect(stderr).toContain("svc/default/wep is no service on either side");
    expect(stderr).toContain("did you mean default/web");
  });

  describe("--ignore", () => {
    const RENAMED = NODE_A.replaceAll("KUBE-SEP-RBX5X5TOEG5GD3RO", "KUBE-SEP-AAAAAAAAAAAAAAAA");
    const REWORDED = NODE_A.replace("kubernetes postrouting rules", "other");
    const [first = "", second = ""] = /-A KUBE-SERVICES .*\n/g[Symbol.match](NODE_A) ?? [];
    const TURNED = NODE_A.replace(first + second, second + first);
    const COUNTED = NODE_A.replace(":KUBE-SERVICES - [0:0]", ":KUBE-SERVICES - [1:60]").replace(
      "-A KUBE-SERVICES",
      "[1:60] -A KUBE-SERVICES",
    );
    const run = (other: string, part: string, ...words: readonly string[]) =>
      landfall(["diff", "node-a.save", "node-b.save", part, ...words], { files: { "node-b.save": other } });

    test.each([
      ["comments", REWORDED],
      ["order", TURNED],
      ["hash-names", RENAMED],
    ])("%s", async (what, other) => {
      for (const part of ["--text", "--structure"]) {
        expect(await run(other, part)).toMatchObject({ code: 1 });
        expect(await run(other, part, "--ignore", what)).toMatchObject({ code: 0 });
        const all = "counters,order,comments,hash-names";
        expect(await run(other, part, "--ignore", all)).toMatchObject({ code: 0 });
        const others = all.split(",").filter((one) => one !== what);
        expect(await run(other, part, "--ignore", others.join(","))).toMatchObject({ code: 1 });
        // What else differs still does.
        expect(await run(NODE_B, part, "--ignore", all)).toMatchObject({ code: 1 });
      }
    });

    test("counters, unless nothing is ignored; the last flag decides", async () => {
      expect(await run(COUNTED, "--text")).toMatchObject({ code: 0 });
      const { code, stdout } = await run(COUNTED, "--text", "--ignore", "none");
      expect(code).toBe(1);
      expect(stdout.split("\n").filter((line) => /^[-+](?!--|\+\+)/.test(line))).toEqual([
        "-:KUBE-SERVICES - [0:0]",
        "+:KUBE-SERVICES - [1:60]",
        `-${first.trimEnd()}`,
        `+[1:60] ${first.trimEnd()}`,
      ]);
      const again = await run(COUNTED, "--text", "--ignore", "none", "--ignore", "counters");
      expect(again).toMatchObject({ code: 0 });
      expect(await run(NODE_A, "--text", "--ignore", "none")).toMatchObject({ code: 0 });
    });

    test("rules that moved with effect are a difference, unless order is ignored; behaviour tells them", async () => {
      const filter = (rules: readonly string[]) =>
        `${NODE_A}*filter\n:FORWARD ACCEPT [0:0]\n${rules.map((one) => `-A FORWARD ${one}\n`).join("")}COMMIT\n`;
      const rules = ["-s 10.1.2.3/32 -j ACCEPT", "-p tcp -j DROP"];
      const compare = (...flags: readonly string[]) =>
        landfall(["diff", "a", "b", ...flags], {
          files: { a: filter(rules), b: filter(rules.toReversed()) },
        });
      expect((await compare("--structure")).stdout).toContain("1 rule moved");
      expect(await compare("--structure", "--ignore", "order")).toMatchObject({ code: 0 });
      const all = await compare("--ignore", "order");
      expect(all.stdout).toMatch(/structure {3}same\ntext {8}same\n$/);
    });

    test("a word that is none", async () => {
      const { code, stderr } = await run(NODE_A, "--text", "--ignore", "comments,ordr");
      expect(code).toBe(2);
      expect(stderr).toContain("did you mean order?");
    });
  });

  test("as JSON and Markdown", async () => {
    const json = await landfall(["diff", "node-a.save", "node-b.save", "-o", "json"], { files });
    expect(json.code).toBe(1);
    const document = diffSchema.parse(JSON.parse(json.stdout));
    expect(document.behaviour).toMatchObject({ entryPoints: 4, differing: 1, proof: false });
    expect(document.behaviour?.changes[0]?.left.packet).toBe("198.51.100.7:40000 to 10.96.41.17:80/tcp");
    const part = await landfall(["diff", "node-a.save", "node-b.save", "-o", "json", "--text"], { files });
    expect(diffSchema.parse(JSON.parse(part.stdout))).toMatchObject({ behaviour: null, structure: null });
    const markdown = await landfall(["diff", "node-a.save", "node-b.save", "-o", "markdown"], { files });
    expect(markdown.stdout).toContain("| default/web:http   10.96.41.17:80/tcp | 100 % come");
    expect((await landfall(["schema", "diff"])).code).toBe(0);
  });

  test("colours, where they are wanted", async () => {
    const { stdout } = await landfall(["diff", "node-a.save", "node-b.save", "--text", "--color", "always"], {
      files,
    });
    expect(stdout).toContain("\u001b[31m--A KUBE-SVC");
  });
});

describe("objects", () => {
  test("under two versions", async () => {
    const { code, stdout } = await landfall(["diff", "--kube-proxy", "1.28..1.34", ...OBJECTS]);
    expect(code).toBe(1);
    expect(stdout).toContain("behaviour   none of");
    expect(stdout).toMatch(/^structure {3}.*rule/m);
    const same = await landfall([
      "diff",
      "--kube-proxy",
      "1.33..1.34",
      "-f",
      "cluster.yaml",
      "kube-proxy.yaml",
    ]);
    expect(same).toMatchObject({ code: 0 });
  });

  test("in two modes: a pod that asks its own Service keeps its port in mode ipvs", async () => {
    const { code, stdout } = await landfall(["diff", "--mode", "iptables..ipvs", ...OBJECTS, "network.yaml"]);
    expect(code).toBe(1);
    expect(stdout).toMatch(
      /mode iptables +33\.3 % 10\.244\.1\.42:8080 by cni0 from 10\.244\.1\.1 \(masqueraded\)/,
    );
    expect(stdout).toMatch(
      /mode ipvs +33\.3 % 10\.244\.1\.42:8080 by cni0 from 10\.244\.1\.1:40000 \(masqueraded\)/,
    );
    expect(stdout).toMatch(/^structure .*chains gone/m);
  });

  test("before and after a change, with a configuration that both share", async () => {
    const cluster = readFileSync(join(import.meta.dirname, "../../fixtures/example/cluster.yaml"), "utf8");
    const after = { "after.yaml": cluster.replace("- 10.244.3.18", "- 10.244.3.19") };
    const { code, stdout } = await landfall(["diff", "cluster.yaml", "after.yaml", "-f", "kube-proxy.yaml"], {
      files: after,
    });
    expect(code).toBe(1);
    expect(stdout).toMatch(
      /cluster.yaml +33.3 % 10.244.3.18:8080 · 66.7 % alike\n +after.yaml +33.3 % 10.244.3.19:8080/,
    );
  });

  test("against the dump that they make", async () => {
    const dump = await landfall(["compile", ...OBJECTS, "-o", "save"]);
    const { code, stdout, stderr } = await landfall(
      ["diff", "live.save", "cluster.yaml", "-f", "kube-proxy.yaml"],
      {
        files: { "live.save": dump.stdout },
      },
    );
    expect({ code, stdout }).toMatchObject({ code: 0, stdout: expect.stringContaining("none of") });
    expect(stderr).not.toContain("error");
  });
});

describe("usage", () => {
  test.each([
    [["diff"], "no input was named"],
    [["diff", "node-a.save"], "1 was named"],
    [["diff", "node-a.save", "node-b.save", "cluster.yaml"], "3 were named"],
    [["diff", "node-a.save", "missing.save"], "there is no file missing.save"],
    [["diff", "-", "-"], "standard input cannot be both sides"],
    [["diff", "--kube-proxy", "1.27.."], "takes A..B"],
    [["diff", "--kube-proxy", "1.3..1.30", "cluster.yaml"], "does not know kube-proxy 1.3"],
    [["diff", "--mode", "iptables..other", "cluster.yaml"], "there is no mode other"],
  ])("%j", async (words, message) => {
    const { code, stdout, stderr } = await landfall(words, { files });
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toContain(message);
  });

  test("what cannot be read: exit 3, and nothing on stdout", async () => {
    const bad = { "bad.save": "*nat\n-A PREROUTING --nonsense\nCOMMIT\n" };
    expect(await landfall(["diff", "node-a.save", "bad.save"], { files: bad })).toMatchObject({
      code: 3,
      stdout: "",
    });
  });
});

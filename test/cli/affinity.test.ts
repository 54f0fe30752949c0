// `landfall trace --affinity`: clients that are known to have been on an endpoint.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { traceSchema } from "../../src/cli/schemas/trace.js";
import { landfall } from "./terminal.js";

const NODE_A = readFileSync(join(import.meta.dirname, "../../fixtures/example/node-a.save"), "utf8");
const CART = ["trace", "node-a.save", "network.yaml", "198.51.100.7:41000 to 10.96.77.3:80/tcp"];

async function landings(...words: readonly string[]) {
  const { stdout, stderr } = await landfall([...words, "-o", "json"]);
  expect(stderr).toBe("");
  const { cases, notes } = traceSchema.parse(JSON.parse(stdout));
  expect(cases).toHaveLength(1);
  return { ends: cases[0]?.landings.map(({ dst }) => dst), notes };
}

describe("a client that was seen", () => {
  test("goes where it went, as long as its entry counts", async () => {
    for (const dst of ["10.244.1.30", "10.244.3.31"]) {
      const { ends } = await landings(...CART, "--affinity", `198.51.100.7=${dst}:8080@2h59m59s`);
      expect(ends).toEqual([dst]);
      const late = await landings(...CART, "--affinity", `198.51.100.7=${dst}:8080@3h1s`);
      expect(late.ends).toEqual(["10.244.1.30", "10.244.3.31"]);
    }
  });

  test("is taken to be in no other list of the Service, which is said; --fresh knows it", async () => {
    const seen = ["--affinity", "198.51.100.7=10.244.3.31:8080@2h"];
    const note = "198.51.100.7 is taken to be in no other affinity list of the same Service";
    expect((await landings(...CART, ...seen)).notes).toContain(note);
    const fresh = await landings(...CART, ...seen, "--fresh");
    expect(fresh.ends).toEqual(["10.244.3.31"]);
    expect(fresh.notes).not.toContain(note);
  });

  test("on several endpoints: the first rule that finds it decides; other clients stay open", async () => {
    const both = ["198.51.100.7=10.244.1.30:8080@4h", "198.51.100.7=10.244.3.31:8080@1h"];
    const { ends, notes } = await landings(...CART, "--affinity", both[0] ?? "", "--affinity", both[1] ?? "");
    expect(ends).toEqual(["10.244.3.31"]);
    expect(notes.filter((note) => note.includes("affinity"))).toEqual([]);
    const { stdout } = await landfall([
      ...CART,
      "--affinity",
      "198.51.100.8=10.244.3.31:8080@1h",
      "-o",
      "json",
    ]);
    expect(traceSchema.parse(JSON.parse(stdout)).cases.length).toBeGreaterThan(1);
  });

  test("a packet without a source may be the client's", async () => {
    const ask = ["trace", "node-a.save", "to 10.96.77.3:80/tcp", "--fresh"];
    const { stdout } = await landfall([...ask, "--affinity", "198.51.100.7=10.244.3.31:8080@1h"]);
    expect(stdout).toContain("the client was seen on 10.244.3.31:8080 in the last 3 h");
    expect(stdout).not.toContain("seen on 10.244.1.30:8080");
  });

  test("of an endpoint of two Services is in the lists of both, which is said", async () => {
    const twin = NODE_A.replace(
      "-A KUBE-SERVICES -m comment",
      "-A KUBE-SERVICES -d 10.96.77.4/32 -p tcp -m tcp --dport 80 -j KUBE-SVC-TWIN\n-A KUBE-SERVICES -m comment",
    )
      .replace(":KUBE-SERVICES", ":KUBE-SVC-TWIN - [0:0]\n:KUBE-SEP-TWIN - [0:0]\n:KUBE-SERVICES")
      .replace(
        "COMMIT",
        "-A KUBE-SVC-TWIN -m recent --rcheck --seconds 60 --name KUBE-SEP-TWIN --rsource -j KUBE-SEP-TWIN\n-A KUBE-SEP-TWIN -p tcp -m recent --set --name KUBE-SEP-TWIN --rsource -m tcp -j DNAT --to-destination 10.244.3.31:8080\nCOMMIT",
      );
    const { stdout } = await landfall(
      [
        "trace",
        "twin.save",
        "198.51.100.7 to 10.96.77.4:80/tcp",
        "--affinity",
        "198.51.100.7=10.244.3.31:8080@30s",
      ],
      { files: { "twin.save": twin } },
    );
    expect(stdout).toContain("100 %   10.244.3.31:8080");
    expect(stdout).toContain("note: 10.244.3.31:8080 belongs to several Services");
  });
});

describe("what cannot be", () => {
  const cases: readonly (readonly [text: string, caret: string, ...words: string[]])[] = [
    ["10.1.2.3", "        ^", "= and the endpoint", "CLIENT=ENDPOINT@AGE"],
    ["10.1.2=10.244.1.30:8080@2h", "^^^^^^", "the address of a client"],
    ["10.1.2.3=10.244.1.30:99999@2h", "                     ^^^^^", "a port from 0 to 65535"],
    ["10.1.2.3=10.244.1.30:8080@soon", "                          ^^^^", "an age such as 2h"],
    ["10.1.2.3=10.244.1.30:8080", "                         ^", "how long ago"],
    ["10.1.2.3=[fd00::1]:8080@2h", "         ^^^^^^^^^^^^^^", "an IPv4 endpoint"],
    [
      "10.1.2.3=10.244.1.31:8080@2h",
      "         ^^^^^^^^^^^^^^^^",
      "no rule remembers",
      "did you mean 10.244.",
    ],
    [
      "10.1.2.3=10.244.1.5:53@2h",
      "         ^^^^^^^^^^^^^",
      "no rule remembers",
      "10.244.1.30:8080, 10.244.3.31:8080",
    ],
  ];
  test.each(cases)("%s", async (text, caret, ...words) => {
    const { code, stdout, stderr } = await landfall([...CART, "--affinity", text]);
    expect({ code, stdout }).toEqual({ code: 3, stdout: "" });
    expect(stderr).toContain("error[LF1054]");
    expect(stderr.split("\n").some((line) => `${line} `.includes(` │ ${caret} `))).toBe(true);
    for (const one of words) expect(stderr).toContain(one);
  });

  test("rules without affinity", async () => {
    const plain = NODE_A.replace(/ -m recent --set [^\n]*--rsource/g, "");
    const { stderr } = await landfall(
      ["trace", "plain.save", "10.1.2.3 to 10.96.77.3:80/tcp", "--affinity", "10.1.2.3=10.244.1.30:8080@2h"],
      { files: { "plain.save": plain } },
    );
    expect(stderr).toContain("no Service in these rules has session affinity");
  });
});

// Whatever stands in a dump, lint ends, and says nothing that its schema does not allow.
import fc from "fast-check";
import { expect, test } from "vitest";
import { lintSchema } from "../../src/cli/schemas/lint.js";
import { landfall } from "../cli/terminal.js";
import { goldenKey, goldens } from "../compile/goldens.js";
import { ENDLESS } from "../endless.js";
import { realDumps } from "../text/real.js";

const LINES = [
  ...realDumps().map(({ text }) => text.slice(0, 20_000)),
  goldens("1.30").get(goldenKey("metallb-mix", "save", "ipv4")) ?? "",
  "udp 17 29 src=10.0.0.1 dst=10.96.0.10 sport=1 dport=53 src=10.0.0.9 dst=10.0.0.1 sport=53 dport=1 use=1",
  "-A __proto__ -j constructor\n-A constructor -j __proto__\n:toString - [0:0]",
].flatMap((text) => text.split("\n"));

test("lines of any dumps in any order", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.oneof(fc.constantFrom(...LINES), fc.constantFrom("*nat", "*filter", "COMMIT")), {
        maxLength: 60,
      }),
      async (lines) => {
        const { code, stdout, stderr } = await landfall(["lint", "-", "-o", "json", "--severity", "info"], {
          stdin: lines.join("\n"),
        });
        if (code === 3) return;
        expect([0, 1], stderr).toContain(code);
        const { findings } = lintSchema.parse(JSON.parse(stdout));
        expect(code).toBe(findings.length > 0 ? 1 : 0);
        // A baseline hides each by code and message: a number of a line in it would make it useless.
        for (const { message } of findings) expect(message).not.toMatch(/\bline \d|undefined|\[object/);
      },
    ),
    { numRuns: 150 },
  );
});

test("chains that jump in circles", async () => {
  const stdin = [
    "-A POSTROUTING -j A",
    "-A A -j B",
    "-A B -j A",
    "-A POSTROUTING -j KUBE-POSTROUTING",
    "-A FORWARD -j F",
    "-A F -j F",
    "-A PREROUTING -j A",
    "-A KUBE-MARK-MASQ -j MARK --set-xmark 0x4000/0x4000",
    "-A KUBE-SEP-2HP72ZIPYAM5HUSK -p tcp -j DNAT --to-destination 10.244.1.14:8080",
  ].join("\n");
  const { code } = await landfall(["lint", "-"], { stdin });
  expect([0, 1]).toContain(code);
});

test(
  "a hundred thousand rules come to an end",
  async () => {
    const rules = Array.from({ length: 100_000 }, (_, index) => {
      const address = `10.${index >> 16}.${(index >> 8) & 255}.${index & 255}`;
      return `-A KUBE-SERVICES -d ${address}/32 -p tcp -m comment --comment "ns/s${index}:http cluster IP" -m tcp --dport 80 -j REJECT`;
    });
    const { stdout } = await landfall(["lint", "-"], {
      stdin: `*filter\n:INPUT ACCEPT [0:0]\n:KUBE-SERVICES - [0:0]\n-A INPUT -j KUBE-SERVICES\n${rules.join("\n")}\nCOMMIT\n`,
    });
    expect(stdout).toMatch(/^100001 findings: /);
  },
  ENDLESS,
);

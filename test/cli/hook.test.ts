// `landfall trace --hook`: the rules of one hook alone.
import { expect, test } from "vitest";
import { HOOKS } from "../../grammar/meaning.js";
import { traceSchema } from "../../src/cli/schemas/trace.js";
import { EXAMPLE_DUMP, landfall } from "./terminal.js";

const FILTER = `*filter
:INPUT ACCEPT [0:0]
:FORWARD ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -p tcp -m tcp --dport 22 -j DROP
-A FORWARD -o cni0 -p tcp -m tcp --dport 8080 -j REJECT
-A OUTPUT -m owner --uid-owner 7 -j DROP
COMMIT
`;
const files = { "all.save": EXAMPLE_DUMP + FILTER };

async function ask(hook: string, packet: string) {
  const { code, stdout, stderr } = await landfall(
    ["trace", "all.save", "network.yaml", packet, "--hook", hook, "-o", "json"],
    { files },
  );
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  const { cases, notes } = traceSchema.parse(JSON.parse(stdout));
  expect(notes).toContain(`only the rules of ${hook} were walked, not what comes before and behind them`);
  const landings = cases.flatMap((one) => one.landings);
  for (const { rules } of landings)
    for (const { chain } of rules) if (HOOKS.some((one) => one === chain)) expect(chain).toBe(hook);
  return landings.map(({ verdict, dst, dport, masqueraded }) => ({ verdict, dst, dport, masqueraded }));
}

test("each hook asks its own rules", async () => {
  const web = "10.1.2.3:4567 to 10.96.41.17:80/tcp";
  const ends = await ask("PREROUTING", web);
  expect(ends.map(({ dst }) => dst)).toEqual(["10.244.1.14", "10.244.2.21", "10.244.3.9"]);
  expect(ends.every(({ masqueraded }) => !masqueraded)).toBe(true);
  expect(await ask("OUTPUT", `${web} uid 0`)).toEqual(ends);
  expect(await ask("OUTPUT", `${web} uid 7`)).toMatchObject([
    { verdict: "drop" },
    { verdict: "drop" },
    { verdict: "drop" },
  ]);
  const plain = [{ verdict: "forward", dst: "10.96.41.17", dport: 80, masqueraded: false }];
  expect(await ask("FORWARD", web)).toEqual(plain);
  expect(await ask("POSTROUTING", web)).toEqual(plain);
  expect(await ask("POSTROUTING", `${web} mark 0x4000`)).toEqual([{ ...plain[0], masqueraded: true }]);
  expect(await ask("INPUT", web)).toEqual([{ ...plain[0], verdict: "local" }]);
  expect(await ask("INPUT", "10.1.2.3 to 10.0.0.1:22/tcp")).toMatchObject([{ verdict: "drop" }]);
});

test("a packet that leaves is routed: rules see its interface", async () => {
  expect(await ask("FORWARD", "10.1.2.3 to 10.244.1.14:8080/tcp in eth0")).toMatchObject([
    { verdict: "reject" },
  ]);
  expect(await ask("FORWARD", "10.1.2.3 to 10.244.2.21:8080/tcp in eth0")).toMatchObject([
    { verdict: "forward" },
  ]);
});

test.each([
  [["--hook", "FORWRD"], "did you mean FORWARD?"],
  [["--hook", "OUTPUT", "in", "eth0"], "does not meet OUTPUT"],
  [["--hook", "INPUT", "from", "node"], "does not meet INPUT"],
  [["--hook", "INPUT", "--reply"], "an answer takes the whole way"],
])("%j is no question", async (words, why) => {
  const { code, stdout, stderr } = await landfall([
    "trace",
    "node-a.save",
    "10.1.2.3 to 10.96.0.10:53/udp",
    ...words,
  ]);
  expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
  expect(stderr).toContain(why);
});

test("completion knows the hooks, and what diff can ignore", async () => {
  const { stdout } = await landfall(["completion", "bash"]);
  for (const word of ["--hook", ...HOOKS, "--affinity", "--for", "hash-names"])
    expect(stdout).toContain(word);
});

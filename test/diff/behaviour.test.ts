// What becomes of packets: which entry points differ, and that every packet that is shown proves it.
import { describe, expect, test } from "vitest";
import type { Packet } from "../../grammar/packet.js";
import { readPacketQuestion } from "../../grammar/packet-question.js";
import { networkOfAddresses } from "../../src/cluster/node.js";
import { resolveQuestion } from "../../src/cluster/resolve.js";
import { compareBehaviour } from "../../src/diff/behaviour.js";
import { compareStates, type Differences } from "../../src/diff/compare.js";
import { compareDistributions } from "../../src/diff/distributions.js";
import { entryPoints, questionsFor } from "../../src/diff/entry-points.js";
import { questionText } from "../../src/diff/question.js";
import { FAMILIES, type Side } from "../../src/diff/side.js";
import { evaluate } from "../../src/evaluate/evaluate.js";
import { goldenKey, goldens, SCENARIOS } from "../compile/goldens.js";
import { realDumps } from "../text/real.js";
import { compareTexts, compiledSide, EXAMPLE, sideOf } from "./sides.js";

const WEB = "KUBE-SVC-CDGGSHYLG3RE2FKL";

/** The example without the third endpoint of default/web. */
const WITHOUT_ENDPOINT = EXAMPLE.split("\n")
  .filter((line) => !line.includes("KUBE-SEP-RBX5X5TOEG5GD3RO"))
  .map((line) => {
    if (line.includes("-> 10.244.1.14:8080")) return line.replace("0.33333333349", "0.50000000000");
    return line.includes("-> 10.244.2.21:8080") ? line.replace(/ -m statistic .* -j/, " -j") : line;
  })
  .join("\n");

function changesOf({ behaviour }: Differences) {
  return behaviour.changes.map(({ service, entries, example }) => ({
    service,
    what: example.difference.what,
    entries: entries.map(({ entry, who }) => `${entry.kind}: ${who.join(", ")}`),
  }));
}

/** The packet that `landfall trace` makes of a question's text. */
function read(text: string): Packet {
  const question = readPacketQuestion(text);
  if (!question.ok) throw new Error(`cannot be read: ${text}`);
  const resolved = resolveQuestion(question.question, undefined);
  if (!resolved.ok) throw new Error(resolved.message);
  return resolved.packet;
}

/** Every packet that is shown, as it is read back from its text, has other answers on the two sides. */
function expectProofs(left: Side, right: Side, { behaviour }: Differences): void {
  for (const { example } of behaviour.changes) {
    const [one, other] = [read(questionText(example.left)), read(questionText(example.right))];
    const comparison = compareDistributions(evaluate(left.state, one), evaluate(right.state, other));
    expect(comparison.kind, questionText(example.left)).toBe("differs");
  }
}

describe("entry points", () => {
  test("an endpoint that is gone", () => {
    const found = compareTexts(EXAMPLE, WITHOUT_ENDPOINT);
    expect(found.behaviour).toMatchObject({ entryPoints: 4, differing: 2, rounded: 0, undecided: [] });
    expect(changesOf(found)).toEqual([
      {
        service: "default/web:http",
        what: "destination",
        entries: [
          "cluster IP: from 10.244.0.0/16, from outside, from the node, from 10.244.1.14, from 10.244.2.21, from 10.244.3.9",
          expect.stringMatching(/^node port: /),
        ],
      },
    ]);
    expect(found.behaviour.same).toEqual(["default/cart:http", "kube-system/kube-dns:dns"]);
    expectProofs(sideOf(EXAMPLE), sideOf(WITHOUT_ENDPOINT), found);
  });

  test("a missing mark: only the source is another", () => {
    const rule = `-A ${WEB} ! -s 10.244.0.0/16`;
    const found = compareTexts(
      EXAMPLE,
      EXAMPLE.split("\n")
        .filter((line) => !line.startsWith(rule))
        .join("\n"),
    );
    expect(changesOf(found)).toMatchObject([
      { service: "default/web:http", what: "source", entries: ["cluster IP: from outside, from the node"] },
    ]);
  });

  test("a missing mark of an endpoint that reaches itself", () => {
    const found = compareTexts(EXAMPLE, EXAMPLE.replace(/-A KUBE-SEP-NIMRB72CNAYKLM25 -s .*\n/, ""));
    expect(changesOf(found)).toMatchObject([
      { service: "default/web:http", what: "source", entries: ["cluster IP: from 10.244.2.21"] },
    ]);
  });

  test("a policy", () => {
    const filter = (policy: string) => `${EXAMPLE}*filter\n:FORWARD ${policy} [0:0]\nCOMMIT\n`;
    const found = compareTexts(filter("ACCEPT"), filter("DROP"));
    expect(found.behaviour).toMatchObject({ entryPoints: 4, differing: 4 });
    expect(found.structure.changes).toEqual([
      { kind: "policy changed", table: "filter", chain: "FORWARD", left: "ACCEPT", right: "DROP" },
    ]);
  });

  test("probabilities: rounding is told apart from another share", () => {
    const rounded = compareTexts(EXAMPLE, EXAMPLE.replace("0.33333333349", "0.33332999982"));
    expect(rounded.behaviour).toMatchObject({ differing: 0, rounded: 2 });
    expect(rounded.structure.changes).toEqual([]);
    expect(rounded.text).toMatchObject({ removed: 1, added: 1 });
    const other = compareTexts(EXAMPLE, EXAMPLE.replace("0.33333333349", "0.30000000000"));
    expect(other.behaviour).toMatchObject({ differing: 2, rounded: 0 });
    expect(other.structure.changes.every(({ kind }) => kind === "probability changed")).toBe(true);
  });

  test("a service that one side alone has, and one that nobody serves any more", () => {
    const gone = compareTexts(EXAMPLE, EXAMPLE.replace(/-A KUBE-SERVICES -d 10.96.0.10.*\n/, ""));
    expect(changesOf(gone)).toMatchObject([{ service: "kube-system/kube-dns:dns" }]);
    const refused = `*filter\n:FORWARD ACCEPT [0:0]\n-A FORWARD -d 10.96.77.3/32 -p tcp -m comment --comment "default/cart:http has no endpoints" -m tcp --dport 80 -j REJECT\nCOMMIT\n`;
    const empty = EXAMPLE.replace(/-A KUBE-SERVICES -d 10.96.77.3.*\n/, "") + refused;
    const found = changesOf(compareTexts(EXAMPLE, empty));
    expect(new Set(found.map(({ service }) => service))).toEqual(new Set(["default/cart:http"]));
  });

  test("two nodes are asked each at its own address, and their addresses are alike", () => {
    const node = (last: number) => ({ network: networkOfAddresses([0x0a000100 + last]) });
    const [left, right] = [sideOf(EXAMPLE, "a", node(1)), sideOf(EXAMPLE, "b", node(2))];
    const same = compareStates(left, right);
    expect(same.behaviour).toMatchObject({ entryPoints: 4, differing: 0, undecided: [] });
    expect(same.behaviour.packets).toBeGreaterThan(10);
    const changed = compareStates(left, sideOf(WITHOUT_ENDPOINT, "b", node(2)), {
      only: ({ kind }) => kind === "node port",
    });
    const [change] = changed.behaviour.changes;
    expect(change && questionText(change.example.left)).toContain("to 10.0.1.1:30080/tcp");
    expect(change && questionText(change.example.right)).toContain("to 10.0.1.2:30080/tcp");
  });
});

describe("what a version changes, diff finds, and nothing else", () => {
  // From the table of compile/versions.ts, by the fixtures that show it.
  const pairs = [
    ["1.26", "1.28", ["topology-hints", "topology-hints-local"]],
    ["1.28", "1.29", ["external-ips-local-no-local"]],
    ["1.29", "1.30", ["loadbalancer-ipmode-proxy", "traffic-distribution-gate"]],
    [
      "1.30",
      "1.31",
      ["traffic-distribution", "traffic-distribution-same-node", "traffic-distribution-same-node-none-here"],
    ],
    ["1.31", "1.34", ["traffic-distribution-same-node"]],
  ] as const;
  const small = SCENARIOS.filter((name) => !/large|100-endpoints/.test(name));

  test.each(pairs)("%s to %s", (before, after, expected) => {
    const differing = small.filter((name) => {
      const [left, right] = [compiledSide(name, before), compiledSide(name, after)];
      const found = compareStates(left, right);
      expect(found.behaviour.undecided).toEqual([]);
      expect(found.behaviour.rounded).toBe(0);
      expectProofs(left, right, found);
      return found.behaviour.differing > 0;
    });
    expect(differing).toEqual(expected);
  });

  test("rules that are left out are told by structure alone", () => {
    const found = compareStates(
      compiledSide("conntrack-liberal", "1.28"),
      compiledSide("conntrack-liberal", "1.29"),
    );
    expect(found.behaviour.differing).toBe(0);
    expect(found.structure.changes).toMatchObject([
      { kind: "rule removed", chain: "KUBE-FORWARD", rule: { text: expect.stringContaining("INVALID") } },
    ]);
  });
});

/** A rule of a dump left out, given a neighbour's place, or sent to another end; always the same for a seed. */
function mutated(text: string, seed: number): string {
  const lines = text.split("\n");
  const rules = lines.flatMap((line, index) => (line.startsWith("-A ") ? [index] : []));
  const at = rules[(seed * 7919) % Math.max(1, rules.length)] ?? 0;
  const line = lines[at] ?? "";
  const chain = line.split(" ")[1];
  switch (seed % 4) {
    case 0:
      return lines.filter((_line, index) => index !== at).join("\n");
    case 1: {
      const next = lines[at + 1];
      if (next?.split(" ")[1] !== chain) return lines.filter((_line, index) => index !== at).join("\n");
      return lines.map((one, index) => (index === at ? next : index === at + 1 ? line : one)).join("\n");
    }
    case 2:
      return lines
        .map((one, index) => (index === at ? line.replace(/-j \S+.*$/, "-j RETURN") : one))
        .join("\n");
    default:
      return lines
        .map((one, index) =>
          index === at ? line.replace(/--dport \d+/, "--dport 1").replace(/ -s \S+/, "") : one,
        )
        .join("\n");
  }
}

describe("laws", () => {
  const saves = goldens("1.30");
  const dumps = [
    "clusterip-3-endpoints",
    "nodeport-local",
    "loadbalancer-source-ranges",
    "affinity-timeout",
    "no-endpoints",
    "external-ips",
    "host-network",
  ].map((name) => [name, saves.get(goldenKey(name, "save", "ipv4")) ?? ""] as const);

  test.each(dumps)("changed at random: %s", (_name, text) => {
    expect(text).not.toBe("");
    let differing = 0;
    for (let seed = 0; seed < 24; seed++) {
      const other = mutated(text, seed);
      const [left, right] = [sideOf(text, "left"), sideOf(other, "right")];
      const found = compareStates(left, right);
      expectProofs(left, right, found);
      // Turned round, it is the same.
      const back = compareStates(right, left);
      expect(back.behaviour.differing).toBe(found.behaviour.differing);
      expect(back.text).toMatchObject({ removed: found.text.added, added: found.text.removed });
      expect(back.structure.changes.length).toBe(found.structure.changes.length);
      // What is taken to be the same by its rules is the same when it is evaluated.
      const all = entryPoints(left, right, FAMILIES).filter((entry) =>
        questionsFor(entry, left, right).some(
          (question) =>
            compareDistributions(evaluate(left.state, question.left), evaluate(right.state, question.right))
              .kind === "differs",
        ),
      );
      expect(found.behaviour.differing).toBe(all.length);
      // A difference in behaviour has one in structure behind it.
      if (all.length > 0) expect(found.structure.changes).not.toEqual([]);
      differing += all.length;
    }
    expect(differing).toBeGreaterThan(0);
  });

  test.each(realDumps().map(({ name, text, family }) => [name, text, family] as const))(
    "nothing differs from itself: %s",
    (_name, text) => {
      const found = compareTexts(text, text);
      expect(found.behaviour).toMatchObject({ differing: 0, rounded: 0, changes: [], undecided: [] });
      expect(found.structure).toEqual({ changes: [], reworded: 0, reordered: 0 });
      expect(found.text).toEqual({ removed: 0, added: 0, hunks: [] });
    },
  );

  test("a dump that was evaluated in full does not differ from itself", () => {
    // Surroundings that differ in something that no rule asks for: then nothing is taken for granted.
    const left = sideOf(EXAMPLE, "left", { recentLists: [] });
    const found = compareBehaviour(left, sideOf(EXAMPLE, "right"), FAMILIES);
    expect(found).toMatchObject({ differing: 0, rounded: 0, byRules: 0, undecided: [] });
    expect(found.packets).toBeGreaterThan(15);
  });
});

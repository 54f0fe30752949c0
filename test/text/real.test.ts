// What people paste: complete saves come out as iptables-save prints them, and nothing makes the reader give up.
import { describe, expect, test } from "vitest";
import { readRules } from "../../src/text/rules.js";
import { printRuleset } from "../../src/text/save.js";
import { type RealDump, realDumps } from "./real.js";

const DUMPS = realDumps();

function read({ text, family, flavour }: RealDump) {
  return readRules({ name: "dump", text }, { flavour, ...(family === undefined ? {} : { family }) });
}

/** Chains and rules by table, without counters and remarks. */
function tablesOf(text: string): readonly string[] {
  return text
    .split(/^\*/m)
    .slice(1)
    .map((table) =>
      table
        .replace(/^#.*\n/gm, "")
        .replace(/^\[\d+:\d+\] /gm, "")
        .replace(/ \[\d+:\d+\]$/gm, "")
        .replace(/COMMIT[\s\S]*$/, ""),
    )
    .sort();
}

describe("complete dumps come out as iptables-save prints them", () => {
  const complete = DUMPS.filter(({ canonical }) => canonical !== undefined);
  test("there are many", () => expect(complete.length).toBeGreaterThan(40));

  test.each(complete.map((dump) => [dump.name, dump] as const))("%s", (_, dump) => {
    const { ruleset } = read(dump);
    expect(tablesOf(printRuleset(ruleset, dump.flavour))).toEqual(tablesOf(dump.canonical ?? ""));
  });
});

describe("fragments, listings and other pastes", () => {
  const others = DUMPS.filter(({ canonical }) => canonical === undefined);

  test.each(others.map((dump) => [dump.name, dump] as const))("%s", (_, dump) => {
    const { ruleset, problems } = read(dump);
    const rules = printRuleset(ruleset).match(/^(?:\[\d+:\d+\] )?-A /gm)?.length ?? 0;
    const errors = problems.filter(({ severity }) => severity === "error").length;
    // Every rule of the text is read, or it is said why not.
    const typed = dump.text
      .split("\n")
      .filter((line) => !/^\s*#/.test(line))
      .flatMap((line) => line.match(/(?:^|[\s\]:])-A [^\s-]\S*/g) ?? []).length;
    const twice = problems.some(({ code }) => code === "LF1023");
    expect(twice || rules + errors >= typed).toBe(true);
    // What was read prints as text that reads back the same.
    const printed = printRuleset(ruleset);
    const again = readRules({ name: "again", text: printed }, { family: ruleset.family });
    expect(printRuleset(again.ruleset)).toBe(printed);
  });
});

describe("what stands around rules", () => {
  const rulesOf = (text: string) => {
    const { ruleset, problems } = readRules({ name: "paste", text }, { family: "ipv4" });
    return {
      rules: printRuleset(ruleset).match(/^(?:\*.*|(?:\[\d+:\d+\] )?-A .*)/gm) ?? [],
      said: problems.map(({ code, severity }) => `${severity} ${code}`),
    };
  };
  const WEB = "-A KUBE-SVC-A -j KUBE-SEP-B";

  test.each([
    ["a prompt", `root@node:~# iptables-save | grep SVC\n${WEB}\n`],
    ["numbers of grep", `12:${WEB}\n`],
    ["numbers of cat", `   12  ${WEB}\n`],
    ["a file name", `dump.txt:7:${WEB}\n`],
    ["a log prefix", `Nov 14 11:06:11 node kube-proxy[120]: ${WEB}\n`],
    ["a mark of diff", `+${WEB}\n`],
    ["a mark of quoting", `> ${WEB}\n`],
    ["blanks", `\t  ${WEB}  \n`],
    ["a colour", `\u001b[32m${WEB}\n`],
    ["a command", `$ sudo iptables -w 5 -t nat ${WEB}\n`],
    ["a carriage return", `${WEB}\r\n`],
    ["a wrapped line", "-A KUBE-SVC-A\n -j KUBE-SEP-B\n"],
    ["a word torn apart", "-A KUBE-SVC-A -j KUBE-S\nEP-B\n"],
    ["a word torn apart by blanks", "-A KUBE-SVC-A -m mark --mark 0x4                000/0x4000 -j X\n"],
  ])("%s", (_, text) => {
    const { rules, said } = rulesOf(text);
    expect(rules[0]).toBe("*nat");
    expect(rules).toHaveLength(2);
    expect(rules[1]).toMatch(/^-A KUBE-SVC-A (?:-j KUBE-SEP-B|-m mark --mark 0x4000\/0x4000 -j X)$/);
    expect(said.every((one) => !one.startsWith("error"))).toBe(true);
  });

  test("rules that run together are parted, prose is left out", () => {
    const text = `Here is what I see:\n${WEB} -A KUBE-SVC-A -m comment --comment "-A no -j rule" -j KUBE-SEP-C\nThanks!\n`;
    expect(rulesOf(text)).toEqual({
      rules: ["*nat", WEB, '-A KUBE-SVC-A -m comment --comment "-A no -j rule" -j KUBE-SEP-C'],
      said: ["note LF1001", "note LF1001", "note LF1002", "note LF1021"],
    });
  });

  test("the table is told from targets, matches, names, and the rules around", () => {
    const { rules } = rulesOf(
      [
        "-A PREROUTING -j mine",
        "-A mine -j yours",
        "-A yours -p tcp -j DNAT --to-destination 10.0.0.1",
        "-A FORWARD -j REJECT",
        "-A OUTPUT -j CT --notrack",
        "-A KUBE-SERVICES -d 10.96.0.1/32 -j KUBE-SVC-A",
        "-A KUBE-SERVICES -d 10.96.0.2/32 -j REJECT",
        "-A PREROUTING -j TTL --ttl-set 5",
      ].join("\n"),
    );
    expect(rules).toEqual([
      "*nat",
      "-A PREROUTING -j mine",
      "-A KUBE-SERVICES -d 10.96.0.1/32 -j KUBE-SVC-A",
      "-A mine -j yours",
      "-A yours -p tcp -j DNAT --to-destination 10.0.0.1",
      "*filter",
      "-A FORWARD -j REJECT --reject-with icmp-port-unreachable",
      "-A KUBE-SERVICES -d 10.96.0.2/32 -j REJECT --reject-with icmp-port-unreachable",
      "*raw",
      "-A OUTPUT -j CT --notrack",
      "*mangle",
      "-A PREROUTING -j TTL --ttl-set 5",
    ]);
  });

  test("iptables -S", () => {
    expect(rulesOf(`-P FORWARD DROP\n-N KUBE-FORWARD\n-A FORWARD -c 3 180 -j KUBE-FORWARD\n`)).toEqual({
      rules: ["*filter", "[3:180] -A FORWARD -j KUBE-FORWARD"],
      said: ["note LF1002"],
    });
  });

  test("a listing", () => {
    const listing = `Chain KUBE-SVC-A (1 references)
num   pkts bytes target     prot opt in     out     source               destination
1        3   180 KUBE-MARK-MASQ  6    --  *      *      !10.244.0.0/16        10.96.41.17          /* default/web:http cluster IP */ tcp dpt:80
2        0     0 KUBE-SEP-B  0    --  eth0   *       0.0.0.0/0            0.0.0.0/0            /* default/web:http -> 10.0.0.1:80 */ statistic mode random probability 0.33333333349
3        0     0            tcp  --  *      *       0.0.0.0/0            0.0.0.0/0            tcp spts:1024:65535 flags:0x17/0x02 frobnicated
`;
    expect(rulesOf(listing)).toEqual({
      rules: [
        "*nat",
        '[3:180] -A KUBE-SVC-A ! -s 10.244.0.0/16 -d 10.96.41.17/32 -p tcp -m comment --comment "default/web:http cluster IP" -m tcp --dport 80 -j KUBE-MARK-MASQ',
        '[0:0] -A KUBE-SVC-A -i eth0 -m comment --comment "default/web:http -> 10.0.0.1:80" -m statistic --mode random --probability 0.33333333349 -j KUBE-SEP-B',
        "[0:0] -A KUBE-SVC-A -p tcp -m tcp --sport 1024:65535 --tcp-flags FIN,SYN,RST,ACK SYN -m unread frobnicated",
      ],
      said: ["warning LF1022", "warning LF1003", "note LF1002", "note LF1021"],
    });
  });

  test("a circle of chains is refused, and so is a policy of a user's chain", () => {
    const circle = "*filter\n:a - [0:0]\n:b - [0:0]\n-A INPUT -j a\n-A a -j b\n-A b -j a\nCOMMIT\n";
    expect(rulesOf(circle).said).toEqual(["error LF1020"]);
    // The kernel looks only at chains that a packet can reach.
    expect(rulesOf(circle.replace("-A INPUT -j a\n", "")).said).toEqual([]);
    expect(rulesOf("*filter\n:a DROP [0:0]\nCOMMIT\n").said).toEqual(["error LF1013"]);
  });
});

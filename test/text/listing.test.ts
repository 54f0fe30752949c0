// Rows of `iptables -L`, as iptables 1.8.9 prints them (test/oracle/listing.test.ts asks it about every example).
import { describe, expect, test } from "vitest";
import type { Family } from "../../grammar/address.js";
import { readRules } from "../../src/text/rules.js";
import { printRuleset } from "../../src/text/save.js";

function read(text: string, family?: Family): string[] {
  const { ruleset, problems } = readRules({ name: "listing", text }, family && { family });
  expect(problems.filter(({ severity }) => severity === "error")).toEqual([]);
  return printRuleset(ruleset)
    .split("\n")
    .filter((line) => line.includes("-A "))
    .map((line) => line.replace(/^(?:\[\d+:\d+\] )?-A \S+ ?/, ""));
}

const VERBOSE =
  "Chain X (0 references)\n    pkts      bytes target     prot opt in     out     source               destination\n";
const ANY = "*      *       0.0.0.0/0            0.0.0.0/0            ";

describe("what rows show", () => {
  test.each([
    ["       0        0            0    --", "limit: avg 1/sec burst 5", "-m limit --limit 1/sec"],
    [
      "       0        0            6    --",
      "tcp flags:!0x3F/0x00",
      "-p tcp -m tcp ! --tcp-flags FIN,SYN,RST,PSH,ACK,URG NONE",
    ],
    ["       0        0           !6    --", "", "! -p tcp"],
    ["       0        0            0    !f", "", "! -f"],
    [
      "       0        0 DNAT       6    --",
      "tcp dpt:80 to:10.0.0.1:8080 random persistent",
      "-p tcp -m tcp --dport 80 -j DNAT --to-destination 10.0.0.1:8080 --random --persistent",
    ],
    [
      "       0        0 LOG        0    --",
      'LOG flags 47 level 4 prefix "a b"',
      '-j LOG --log-prefix "a b" --log-tcp-sequence --log-tcp-options --log-ip-options --log-uid --log-macdecode',
    ],
    [
      "       0        0            0    --",
      "ctstate NEW ctorigdst 10.0.0.1",
      "-m conntrack --ctstate NEW --ctorigdst 10.0.0.1",
    ],
    [
      "       0        0            0    --",
      "ctstate NEW ctstate RELATED",
      "-m conntrack --ctstate NEW -m conntrack --ctstate RELATED",
    ],
    [
      "       0        0 DROP       0    --",
      "match-set A src ! match-set B dst,dst return-nomatch",
      "-m set --match-set A src -m set ! --match-set B dst,dst --return-nomatch -j DROP",
    ],
    [
      "       0        0 TPROXY     17   --",
      "TPROXY redirect 127.0.0.1:15001 mark 0x1/0xff",
      "-p udp -j TPROXY --on-port 15001 --on-ip 127.0.0.1 --tproxy-mark 0x1/0xff",
    ],
    ["       0        0 C          0    --", "[goto]  /* to: C */", '-m comment --comment "to: C" -g C'],
    [
      "       0        0 ACCEPT     0    --",
      "policy match dir in pol ipsec strict [0] reqid 1 mode tunnel [1] reqid 2",
      "-m policy --dir in --pol ipsec --strict --reqid 1 --mode tunnel --next --reqid 2 -j ACCEPT",
    ],
  ])("%s %s", (columns, rest, saved) => {
    expect(read(`${VERBOSE}${columns}  ${ANY}${rest}\n`)).toEqual([saved]);
  });

  test("with numbers, without counters, and of ip6tables, whose column of options may be empty", () => {
    const numbered = "Chain X (1 references)\nnum  target     prot opt source               destination\n";
    expect(read(`${numbered}1               6    -f  0.0.0.0/0            1.2.3.4             \n`)).toEqual([
      "-d 1.2.3.4/32 -p tcp -f",
    ]);
    expect(
      read(
        `${numbered}2    ACCEPT     tcp      fd00::/64            ::/0                 tcp dpt:5\n`,
        "ipv6",
      ),
    ).toEqual(["-s fd00::/64 -p tcp -m tcp --dport 5 -j ACCEPT"]);
  });

  test("what is not known keeps both answers", () => {
    const { ruleset, problems } = readRules({
      name: "listing",
      text: `${VERBOSE}       0        0 DROP       0    --  ${ANY}MOON phase full\n`,
    });
    expect(problems.map(({ code }) => code)).toContain("LF1022");
    expect(printRuleset(ruleset)).toMatch(/-m unread "MOON phase full" -j DROP/);
  });
});

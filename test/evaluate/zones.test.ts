// Connections that `conntrack -L` shows in zones are met by packets that a CT target looks up there, and by no others.
import { expect, test } from "vitest";
import { printAddress } from "../../grammar/address.js";
import { readPackets } from "../../src/cli/packets.js";
import { evaluate } from "../../src/evaluate/evaluate.js";
import { readConnections } from "../../src/text/conntrack.js";
import { readRules } from "../../src/text/rules.js";

const ENTRY =
  "udp      17 25 src=192.168.1.77 dst=10.96.0.1 sport=40000 dport=53 src=10.244.1.5 dst=192.168.1.77 sport=53 dport=40000";

/** Where a packet of that connection is sent, with a rule of raw, when `conntrack -L` shows such an entry. */
function destination(rule: string, entry: string): string {
  const text = `*raw\n-A PREROUTING ${rule}\nCOMMIT\n*nat\n-A PREROUTING -d 10.96.0.1 -j DNAT --to-destination 10.244.1.9\nCOMMIT\n`;
  const { ruleset } = readRules({ name: "rules", text });
  const { connections } = readConnections({ name: "connections", text: `${entry}\n` });
  const [read] = readPackets(
    {
      name: "packet",
      text: '{"in":"eth0","src":"192.168.1.77","sport":40000,"dst":"10.96.0.1","dport":53,"proto":"udp"}',
    },
    [],
  );
  if (read?.kind !== "packet") throw new Error("no packet");
  const { cases } = evaluate({ rulesets: { ipv4: ruleset }, connections }, read.packet);
  const dst = cases[0]?.landings[0]?.dst;
  return typeof dst === "number" ? printAddress(dst) : `${dst}`;
}

test.each([
  ["-j CT --zone 1", `${ENTRY} mark=0 zone=1 use=1`, "10.244.1.5"],
  ["-j CT --zone 2", `${ENTRY} mark=0 zone=1 use=1`, "10.244.1.9"],
  ["-j ACCEPT", `${ENTRY} mark=0 zone=1 use=1`, "10.244.1.9"],
  ["-j ACCEPT", `${ENTRY} mark=0 use=1`, "10.244.1.5"],
  ["-j CT --zone 1", `${ENTRY} mark=0 use=1`, "10.244.1.9"],
  [
    "-j CT --zone-orig 1",
    `${ENTRY} mark=0 use=1`.replace("dport=53 ", "dport=53 zone-orig=1 "),
    "10.244.1.5",
  ],
  [
    "-j CT --zone-reply 1",
    `${ENTRY} mark=0 use=1`.replace("dport=53 ", "dport=53 zone-orig=1 "),
    "10.244.1.9",
  ],
  ["-j CT --zone-reply 1", `${ENTRY} mark=0 zone-reply=1 use=1`, "10.244.1.5"],
  ["-j CT --zone mark", `${ENTRY} mark=0 use=1`, "10.244.1.5"],
])("%s with %s", (rule, entry, expected) => {
  expect(destination(rule, entry)).toBe(expected);
});

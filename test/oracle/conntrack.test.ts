// The connection tracking table against the real conntrack and the real kernel: entries of all protocols and flags are
// made in an empty network namespace, shown in all forms, read and printed.
import { spawnSync } from "node:child_process";
import { describe, expect, test } from "vitest";
import { readConnections } from "../../src/text/conntrack.js";
import { type ConnectionForm, printConnections } from "../../src/text/conntrack-print.js";
import { printRecent, readRecent } from "../../src/text/recent.js";

/** Runs a shell script in network and mount namespaces of its own. */
function namespaced(script: string): { readonly out: string; readonly error: string } {
  const run = spawnSync("unshare", ["-nm", "sh", "-s"], { input: script, encoding: "utf8" });
  return { out: run.stdout ?? "", error: run.stderr ?? String(run.error) };
}

const V4 = "-s 10.0.0.1 -d 10.96.0.10";
const V6 = "-s fd00::1 -d ::ffff:10.0.0.2";
const NATTED = "-r 10.244.0.5 -q 192.168.0.7";
const TCP = "-p tcp --dport 80 --state";
/** Entries for `conntrack -I`; each has a source port or another part of its own. */
const ENTRIES = [
  ...[
    "NONE",
    "SYN_SENT",
    "SYN_RECV",
    "ESTABLISHED",
    "FIN_WAIT",
    "CLOSE_WAIT",
    "LAST_ACK",
    "TIME_WAIT",
    "CLOSE",
  ].map((state, index) => `${V4} ${TCP} ${state} --sport ${100 + index}`),
  `${V4} ${NATTED} ${TCP} ESTABLISHED --sport 1 --reply-port-src 8080 --reply-port-dst 61000 -u SEEN_REPLY,ASSURED -m 0x4000`,
  `${V4} ${TCP} ESTABLISHED --sport 2 -u SEEN_REPLY`,
  `${V4} ${TCP} ESTABLISHED --sport 3 -w 7`,
  `${V4} ${TCP} ESTABLISHED --sport 4 --orig-zone 8`,
  `${V4} ${TCP} ESTABLISHED --sport 5 --reply-zone 9`,
  `${V6} ${TCP} ESTABLISHED --sport 6 -m 4294967295`,
  `-s ::1 -d ::1:2 ${TCP} CLOSE --sport 7`,
  `${V4} -p udp --sport 1 --dport 53`,
  `${V4} -p udp --sport 2 --dport 53 --label-add eth0-in --label-add foo`,
  `${V6} -p udp --sport 3 --dport 53 -u SEEN_REPLY,ASSURED`,
  `${V4} -p udplite --sport 1 --dport 2`,
  `${V4} -p sctp --sport 1 --dport 2 --state ESTABLISHED --orig-vtag 1 --reply-vtag 2`,
  `${V4} -p sctp --sport 1 --dport 3 --state SHUTDOWN_ACK_SENT --orig-vtag 1 --reply-vtag 2`,
  `${V4} -p dccp --sport 1 --dport 2 --state OPEN --role client`,
  `${V4} -p gre --srckey 17 --dstkey 0`,
  `${V4} -p icmp --icmp-type 8 --icmp-code 0 --icmp-id 1234`,
  `${V4} -p icmp --icmp-type 13 --icmp-code 0 --icmp-id 77 -u SEEN_REPLY`,
  `${V6} -p icmpv6 --icmpv6-type 128 --icmpv6-code 0 --icmpv6-id 1234`,
  `${V4} -p 89`,
  `${V6} -p 112`,
];

const FORMS: readonly (readonly [ConnectionForm, string])[] = [
  ["list", "conntrack -L"],
  ["list", "conntrack -L -o id,labels"],
  ["extended", "conntrack -L -o extended"],
  ["extended", "conntrack -L -o extended,id,ktimestamp,labels"],
  ["proc", "cat /proc/net/nf_conntrack"],
];

const SETUP = `
mount -t tmpfs none /etc && mkdir /etc/xtables && printf '1 eth0-in\\n2 foo\\n' > /etc/xtables/connlabel.conf
iptables-legacy -A INPUT -m connlabel --label eth0-in
ip link set lo up
`;
const MARK = "@@@@";

function whyNot(): string | undefined {
  if (process.getuid?.() !== 0) return "needs root";
  const { out, error } = namespaced(`conntrack -I ${V4} -p 89 -t 99 && cat /proc/net/nf_conntrack`);
  return out.includes("ipv4     2 unknown  89 ")
    ? undefined
    : `conntrack does not work here: ${error.trim()}`;
}

const reason = whyNot();
if (reason !== undefined) console.info(`skipped, the real conntrack: ${reason}`);

describe.skipIf(reason !== undefined)("the real conntrack", () => {
  test.each([0, 1])("with nf_conntrack_acct and _timestamp %d", (on) => {
    const { out } = namespaced(`${SETUP}
      for name in acct timestamp; do echo ${on} > /proc/sys/net/netfilter/nf_conntrack_$name; done
      ${ENTRIES.map((entry) => `conntrack -I ${entry} -t 9999`).join("\n")}
      ${FORMS.map(([, command]) => `${command} 2>/dev/null; echo ${MARK}`).join("\n")}`);
    const texts = out.split(`${MARK}\n`);
    for (const [index, [form, command]] of FORMS.entries()) {
      const text = texts[index] ?? "";
      const read = readConnections({ name: command, text });
      expect(read.problems).toEqual([]);
      // A kernel may lack some of the protocols, or labels.
      expect(read.connections.length).toBeGreaterThan(ENTRIES.length - 6);
      expect(read.form).toBe(form);
      expect(printConnections(read.connections, { form })).toBe(text);
    }
    const [list = "", , extended = ""] = texts;
    const { connections } = readConnections({ name: "list", text: list });
    // Between two listings a second may pass.
    const seconds = (text: string) => text.replace(/ 99\d\d /g, " ").replace(/delta-time=\d+/g, "");
    expect(seconds(printConnections(connections, { form: "extended" }))).toBe(seconds(extended));
  });

  test("events lead to the table that the kernel lists", () => {
    const { out } = namespaced(`${SETUP}
      conntrack -E > /dev/shm/landfall-$$ 2>&1 & events=$!
      sleep 1
      ${ENTRIES.map((entry) => `conntrack -I ${entry} -t 9999 2>&1`).join("\n")} > /dev/null
      conntrack -U ${V4} -p udp --sport 1 --dport 53 -m 5 > /dev/null 2>&1
      conntrack -D -p udplite > /dev/null 2>&1
      conntrack -D -p sctp > /dev/null 2>&1
      sleep 1
      kill $events; wait $events
      cat /dev/shm/landfall-$$; rm /dev/shm/landfall-$$
      echo ${MARK}
      conntrack -L 2>/dev/null`);
    const [events = "", list = ""] = out.split(`${MARK}\n`);
    const read = readConnections({ name: "events", text: events });
    expect(read.problems.map(({ code }) => code)).toEqual(["LF1041"]);
    // Events leave out marks of 0 and references, and the table is in another order.
    const comparable = (text: string) =>
      text
        .replace(/ mark=0\b| use=\d+| 99\d\d(?= )/g, "")
        .split("\n")
        .sort();
    expect(comparable(printConnections(read.connections))).toEqual(comparable(list));
  });

  test("xt_recent lists", () => {
    const { out, error } = namespaced(`
      for tool in iptables-legacy ip6tables-legacy; do
        $tool -A OUTPUT -m recent --name KUBE-SEP-A --set; $tool -A OUTPUT -m recent --name EMPTY --rcheck
      done
      echo +1.2.3.4 > /proc/net/xt_recent/KUBE-SEP-A
      for count in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31 32 33 34 35; do
        echo +fd00::12 > /proc/net/xt_recent/KUBE-SEP-A
      done
      tail -v -n +1 /proc/net/xt_recent/*`);
    expect(error).toBe("");
    const { lists, problems } = readRecent({ name: "recent", text: out });
    expect(problems).toEqual([]);
    expect(lists.map(({ name, entries }) => `${name} ${entries.length}`)).toEqual([
      "EMPTY 0",
      "KUBE-SEP-A 2",
    ]);
    expect(printRecent(lists)).toBe(out);
  });
});

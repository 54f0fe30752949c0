/** Many rules at once for the real iptables: loaded one after the other in a network namespace, and saved again. */
import { spawn } from "node:child_process";
import type { Family } from "../../grammar/address.js";
import type { Flavour } from "../../grammar/description.js";
import { BUILT_IN_CHAINS, type TableName } from "../../src/state/rules.js";

/** A rule and where it stands; the table has also the empty chains T and U. */
export interface Asked {
  readonly table: string;
  readonly chain: string;
  readonly rule: string;
}

/** What the real tool made of a rule. */
export interface Answer {
  /** The lines that iptables-save prints for it; undefined when it was refused. */
  readonly saved: readonly string[] | undefined;
  readonly said: string;
}

/** The text that loads one rule. */
export function restoreText({ table, chain, rule }: Asked): string {
  const builtIn = BUILT_IN_CHAINS[table as TableName].map((name) => `:${name} ACCEPT [0:0]\n`).join("");
  return `*${table}\n${builtIn}:T - [0:0]\n:U - [0:0]\n-A ${chain} ${rule}\nCOMMIT\n`;
}

const MARK = "@@answer";

/** Each rule's answer, in their order. Asked in several namespaces at a time: nft waits for the kernel a lot. */
export async function ask(family: Family, flavour: Flavour, rules: readonly Asked[]): Promise<Answer[]> {
  const share = Math.max(20, Math.ceil(rules.length / (flavour === "nft" ? 8 : 2)));
  const parts: (readonly Asked[])[] = [];
  for (let from = 0; from < rules.length; from += share) parts.push(rules.slice(from, from + share));
  return (await Promise.all(parts.map((part) => askPart(family, flavour, part)))).flat();
}

function askPart(family: Family, flavour: Flavour, rules: readonly Asked[]): Promise<Answer[]> {
  const tool = `${family === "ipv4" ? "iptables" : "ip6tables"}-${flavour}`;
  const other = family === "ipv4" ? "ip6tables" : "iptables";
  const inet = family === "ipv4" ? "inet" : "inet6";
  const script = [
    // Rules may name a set, which has to be there.
    `ipset create foo hash:ip,port,ip family ${inet} 2>/dev/null`,
    // The estimators of the examples, which stay while a rule of another family measures with them.
    ...["A", "B"].map(
      (name) =>
        `${other}-legacy -t mangle -A OUTPUT -j RATEEST --rateest-name ${name} --rateest-interval 250ms --rateest-ewmalog 500ms 2>/dev/null`,
    ),
    ...rules.map((one) =>
      [
        `${tool}-restore 2>&1 <<'LANDFALL' && echo '${MARK} saved' && ${tool}-save -t ${one.table} 2>/dev/null | grep ^-A`,
        `${restoreText(one)}LANDFALL`,
        `echo '${MARK} end'`,
        // The next rule of another table shall not find it.
        `printf '*${one.table}\\nCOMMIT\\n' | ${tool}-restore`,
      ].join("\n"),
    ),
  ].join("\n");
  return new Promise((resolve, reject) => {
    const shell = spawn("unshare", ["-n", "sh", "-s"], { stdio: ["pipe", "pipe", "ignore"] });
    const chunks: Buffer[] = [];
    shell.stdout.on("data", (chunk: Buffer) => chunks.push(chunk));
    shell.on("error", reject);
    shell.on("close", () => {
      const answers = Buffer.concat(chunks).toString("utf8").split(`${MARK} end\n`).slice(0, -1);
      resolve(answers.map(readAnswer));
    });
    shell.stdin.end(script);
  });
}

function readAnswer(text: string): Answer {
  const at = text.indexOf(`${MARK} saved\n`);
  if (at < 0) return { saved: undefined, said: text.trim() };
  const lines = text.slice(at + MARK.length + 7).split("\n");
  return { saved: lines.filter((line) => line !== ""), said: text.slice(0, at).trim() };
}

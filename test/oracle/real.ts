/** The real iptables, in an empty network namespace. */
import { spawnSync } from "node:child_process";

interface Real {
  readonly saved: string | undefined;
  readonly error: string;
}

/** One rule of a user chain, loaded and saved again. */
export function load(family: "ipv4" | "ipv6", table: string, rule: string): Real {
  const tool = family === "ipv4" ? "iptables-legacy" : "ip6tables-legacy";
  // Rules may name a set, which has to be there.
  const inet = family === "ipv4" ? "inet" : "inet6";
  const sets = rule.includes("-set ") ? `ipset create foo hash:ip,port,ip family ${inet} && ` : "";
  const script = `${sets}${tool}-restore && ${tool}-save -t ${table}`;
  const input = `*${table}\n:T - [0:0]\n-A T ${rule}\nCOMMIT\n`;
  const run = spawnSync("unshare", ["-n", "sh", "-c", script], { input, encoding: "utf8" });
  return {
    saved: run.status === 0 ? run.stdout.match(/^-A T.*$/m)?.[0] : undefined,
    error: run.stderr ?? "",
  };
}

/** Why the real tools cannot be asked here; undefined when they can. */
export function whyNot(): string | undefined {
  if (process.getuid?.() !== 0) return "needs root";
  const { saved, error } = load("ipv4", "filter", "-j ACCEPT");
  return saved === "-A T -j ACCEPT"
    ? undefined
    : `iptables-legacy does not work here: ${error.trim() || "not installed"}`;
}

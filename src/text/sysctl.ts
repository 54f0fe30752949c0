/** `sysctl -a` and sysctl.conf → values by name. */
import type { Problem, Source } from "../problems/problem.js";
import { sysctlName } from "../state/network.js";
import { CUT_OFF, complainer, ipLines, remark } from "./ip-words.js";

export interface SysctlsRead {
  /** By name with dots; values as text, several numbers parted by tabs. */
  readonly sysctls: ReadonlyMap<string, string>;
  readonly problems: readonly Problem[];
}

/**
 * Reads lines such as `net.ipv4.ip_forward = 1`; blanks around `=` may lack, and names may have slashes. Of a name that
 * comes twice the later value counts. Lines of other kinds become notes. Never fails.
 */
export function readSysctls(source: Source): SysctlsRead {
  const problems: Problem[] = [];
  const sysctls = new Map<string, string>();
  for (const line of ipLines(source, problems)) {
    if (/^\s*[#;]/.test(line.text)) continue;
    const complain = complainer(source, line, problems);
    // A dash before a name says that it may be missing on the node (sysctl.conf(5)).
    const found = /^\s*-?([a-z]\w*[./][^\s=]+)\s*(=?)(.*)$/.exec(line.text);
    if (found === null) {
      remark(complain, "`sysctl -a`");
      continue;
    }
    const [, name = "", equals = "", value = ""] = found;
    if (equals !== "") sysctls.set(sysctlName(name), value.trim());
    else if (value.trim() === "") complain("LF1005", `${name} needs a value`, undefined, { help: CUT_OFF });
    else remark(complain, "`sysctl -a`");
  }
  return { sysctls, problems };
}

/** The values as `sysctl -a` prints them, in the order in which they are held. */
export function printSysctls(sysctls: ReadonlyMap<string, string>): string {
  return [...sysctls].map(([name, value]) => `${name} = ${value}\n`).join("");
}

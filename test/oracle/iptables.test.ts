// The descriptions against the real iptables: every example is loaded into an empty network namespace and saved again.
import { spawnSync } from "node:child_process";
import { describe, expect, test } from "vitest";
import type { Example } from "../../grammar/description.js";
import { MATCHES, TARGETS } from "../../grammar/extensions.js";

interface Real {
  readonly saved: string | undefined;
  readonly error: string;
}

function load(family: "ipv4" | "ipv6", table: string, rule: string): Real {
  const tool = family === "ipv4" ? "iptables-legacy" : "ip6tables-legacy";
  const script = `${tool}-restore && ${tool}-save -t ${table}`;
  const input = `*${table}\n:T - [0:0]\n-A T ${rule}\nCOMMIT\n`;
  const run = spawnSync("unshare", ["-n", "sh", "-c", script], { input, encoding: "utf8" });
  return {
    saved: run.status === 0 ? run.stdout.match(/^-A T.*$/m)?.[0] : undefined,
    error: run.stderr ?? "",
  };
}

/** Why the real tools cannot be asked here; undefined when they can. */
function whyNot(): string | undefined {
  if (process.getuid?.() !== 0) return "needs root";
  const { saved, error } = load("ipv4", "filter", "-j ACCEPT");
  return saved === "-A T -j ACCEPT"
    ? undefined
    : `iptables-legacy does not work here: ${error.trim() || "not installed"}`;
}

const reason = whyNot();
if (reason !== undefined) console.info(`skipped, the real iptables: ${reason}`);

/** Extensions whose rules name an object of the kernel, which an empty namespace has not. */
const NEEDS_OBJECTS: Readonly<Record<string, string>> = { nfacct: "a counter" };

describe.skipIf(reason !== undefined).each([...MATCHES, ...TARGETS])(
  "$kind $name",
  ({ name: description, examples }) => {
    test.each(examples as Example[])(
      "$typed",
      ({ typed, saved, refused, family = "ipv4", table = "filter" }) => {
        const real = load(family, table, typed);
        if (description in NEEDS_OBJECTS) return;
        // A kernel that lacks the module, or the object that a rule names, says nothing about the text.
        if (!refused && /No chain\/target\/match by that name|Extension .* not supported/.test(real.error))
          return;
        expect(real.saved).toBe(refused ? undefined : `-A T ${saved ?? typed}`);
      },
    );
  },
);

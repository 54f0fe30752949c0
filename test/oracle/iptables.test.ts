// The descriptions against the real iptables: every example is loaded into an empty network namespace and saved again.
import { describe, expect, test } from "vitest";
import type { Example } from "../../grammar/description.js";
import { MATCHES, TARGETS } from "../../grammar/extensions.js";
import { load, whyNot } from "./real.js";

const reason = whyNot();
if (reason !== undefined) console.info(`skipped, the real iptables: ${reason}`);

/** Extensions whose rules name an object of the kernel, which an empty namespace has not. */
const NEEDS_OBJECTS: Readonly<Record<string, string>> = {
  nfacct: "a counter",
  rateest: "an estimator",
  SECMARK: "a security module",
};

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

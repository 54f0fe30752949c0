import fc from "fast-check";
import { expect, test } from "vitest";
import { readSeenClient } from "../../grammar/seen-client.js";

test.each([
  ["10.1.2.3=10.244.1.7:8080@2h", "10.244.1.7:8080", 7200],
  ["10.1.2.3=10.244.1.7@1d2h3m4s", "10.244.1.7", 93784],
  ["fd00::1=[fd00::7]:80@90s", "[fd00::7]:80", 90],
  ["[fd00::1]=fd00:0::7@0s", "fd00::7", 0],
])("%s", (text, endpoint, secondsAgo) => {
  expect(readSeenClient(text)).toMatchObject({ ok: true, seen: { endpoint, secondsAgo } });
});

test("any text is read or refused at a place of it", () => {
  const piece = fc.constantFrom(
    "10.1.2.3",
    "fd00::1",
    "[fd00::1]",
    "=",
    "@",
    ":",
    "80",
    "2h",
    "__proto__",
    " ",
    "\n",
  );
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.array(piece).map((all) => all.join("")),
      ),
      (text) => {
        const read = readSeenClient(text);
        if (!read.ok) {
          expect(read.offset).toBeGreaterThanOrEqual(0);
          expect(read.offset).toBeLessThanOrEqual(text.length);
          expect(read.expected).not.toEqual([]);
        }
      },
    ),
  );
});

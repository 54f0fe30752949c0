// Label selectors as kubectl's -l takes them.
import fc from "fast-check";
import { expect, test } from "vitest";
import { readLabelSelector, selectsLabels } from "../../grammar/label-selector.js";

const labels = new Map([
  ["app", "web"],
  ["app.kubernetes.io/name", "shop"],
  ["empty", ""],
]);

test.each([
  ["", true],
  ["app=web", true],
  ["app==web", true],
  ["app = web , empty=", true],
  ["app=db", false],
  ["app!=db", true],
  ["missing!=db", true],
  ["app", true],
  ["!app", false],
  ["!missing", true],
  ["app in (db, web)", true],
  ["app notin (db,web)", false],
  ["missing notin (db)", true],
  ["app.kubernetes.io/name=shop,app", true],
  ["app,missing", false],
  ["in in (x)", false],
])("%s", (text, selects) => {
  const read = readLabelSelector(text);
  expect(read.ok && selectsLabels(read.value, labels)).toBe(selects);
  expect(read.ok).toBe(true);
});

test.each([
  ["app in web", 7],
  ["=web", 0],
  ["app=we b", 7],
  ["app=web,", 8],
  ["app=-x", 4],
  ["app in (a", 9],
])("%s is refused", (text, offset) => {
  expect(readLabelSelector(text)).toMatchObject({ ok: false, offset });
});

test("any text", () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      const read = readLabelSelector(text);
      if (!read.ok) expect(read.offset).toBeLessThanOrEqual(text.length);
    }),
  );
});

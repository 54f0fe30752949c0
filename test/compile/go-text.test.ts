// Fractions as Go prints them. The expected texts were printed by Go's fmt.Sprintf("%0.10f", 1.0/n).
import { expect, test } from "vitest";
import { goFixed } from "../../src/compile/common/go-text.js";

test.each([
  [2, "0.5000000000"],
  [3, "0.3333333333"],
  [6, "0.1666666667"],
  [1024, "0.0009765625"],
  [2047, "0.0004885198"],
  // Halfway between two texts: Go takes the even one, toFixed the upper.
  [2048, "0.0004882812"],
  [2049, "0.0004880429"],
  // Halfway on paper, though not as a double.
  [10240, "0.0000976563"],
  [51200, "0.0000195313"],
])("1/%i is %s", (n, text) => {
  expect(goFixed(1 / n, 10)).toBe(text);
});

test("halfway goes to the even digit, in either direction", () => {
  expect([0.125, 0.375, 0.625, 0.875].map((fraction) => goFixed(fraction, 2))).toEqual([
    "0.12",
    "0.38",
    "0.62",
    "0.88",
  ]);
});

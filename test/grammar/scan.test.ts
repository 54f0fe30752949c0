// Numbers as strtoul and strtod read them from the beginning of a text.
import { describe, expect, test } from "vitest";
import { LONG_MAX, scanInt, scanLong, scanReal } from "../../grammar/scan.js";

describe("scanLong", () => {
  test.each<[string, 0 | 10 | 16, bigint, number]>([
    ["80x", 10, 80n, 2],
    [" +080", 10, 80n, 5],
    ["-1", 10, LONG_MAX, 2],
    ["", 10, 0n, 0],
    ["x", 10, 0n, 0],
    ["0x1f", 10, 0n, 1],
    ["0x1fz", 0, 31n, 4],
    ["0x", 0, 0n, 1],
    ["017", 0, 15n, 3],
    ["08", 0, 0n, 1],
    ["fF:", 16, 255n, 2],
    ["0xg", 16, 0n, 1],
    ["18446744073709551615", 10, LONG_MAX, 20],
    ["18446744073709551616", 10, LONG_MAX, 20],
    ["99999999999999999999999999999999", 10, LONG_MAX, 32],
    ["0000000000000000000000000000000009", 10, 9n, 34],
    ["-18446744073709551615", 10, 1n, 21],
  ])("%s in base %i", (text, base, value, end) => {
    expect(scanLong(text, 0, base)).toEqual({ value, end });
  });

  test("begins where it is told", () => {
    expect(scanLong("12:34", 3, 10)).toEqual({ value: 34n, end: 5 });
    expect(scanInt("12:4294967297", 3)).toEqual({ value: 1, end: 13 });
  });
});

test.each<[string, number, number]>([
  ["250ms", 250, 3],
  [".25s", 0.25, 3],
  ["1e3ms", 1000, 3],
  ["1e", 1, 1],
  ["0x.8", 0.5, 4],
  ["0xFF.0p1", 510, 8],
  [" -2.", -2, 4],
])("scanReal %s", (text, value, end) => {
  expect(scanReal(text)).toEqual({ value, end });
});

test("scanReal needs a digit", () => {
  for (const text of ["", "x", ".", "-", "e5"]) expect(scanReal(text)).toBeUndefined();
});

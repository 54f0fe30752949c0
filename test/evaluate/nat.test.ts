// The kernel's choice among a range of addresses, with values that a real kernel gave.
import { expect, test } from "vitest";
import { readAddress } from "../../grammar/address.js";
import { natHash } from "../../src/evaluate/nat.js";

test.each([
  ["198.51.100.1", "10.96.0.1", 0xc574dae6],
  ["198.51.100.2", "10.96.0.1", 0x2535679c],
  ["198.51.100.1", undefined, 0xde430d1f],
  ["10.244.1.20", "8.8.8.8", 0xe1219a54],
])("%s to %s", (source, destination, hash) => {
  expect(
    natHash(readAddress(source) ?? 0, destination === undefined ? undefined : readAddress(destination)),
  ).toBe(hash);
});

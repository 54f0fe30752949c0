/** The hashes of sh, dh and mh. None has a secret: the same client gets the same slot on every machine. */
import type { Address } from "../address.js";

/** An address as 32 bits: IPv6 as the xor of its four words. */
export function fold(address: Address): number {
  if (typeof address === "number") return address;
  const halves = address ^ (address >> 64n);
  return Number((halves ^ (halves >> 32n)) & 0xffffffffn);
}

/** 2^32 less the golden ratio's share of it (`GOLDEN_RATIO_32`). */
const GOLDEN_RATIO = 0x61c88647;

/** The top 8 bits of the golden-ratio hash (`hash_32`, Linux 4.13 and newer). */
export function goldenHash(value: number): number {
  return Math.imul(value, GOLDEN_RATIO) >>> 24;
}

const BITS = 64;
const word = (value: bigint): bigint => BigInt.asUintN(BITS, value);
const rotate = (value: bigint, by: bigint): bigint => word(value << by) | (value >> (64n - by));

/**
 * SipHash-1-3 of the four bytes of a 32-bit number (lowest first) under the key (key, key), lower half: `hsiphash` of
 * 64-bit kernels. 32-bit ones use another function.
 */
export function sipHash(value: number, key: bigint): number {
  // The constants spell "somepseudorandomlygeneratedbytes" (Aumasson and Bernstein, SipHash).
  let v0 = 0x736f6d6570736575n ^ key;
  let v1 = 0x646f72616e646f6dn ^ key;
  let v2 = 0x6c7967656e657261n ^ key;
  let v3 = 0x7465646279746573n ^ key;
  const round = (): void => {
    v0 = word(v0 + v1);
    v1 = rotate(v1, 13n) ^ v0;
    v0 = rotate(v0, 32n);
    v2 = word(v2 + v3);
    v3 = rotate(v3, 16n) ^ v2;
    v0 = word(v0 + v3);
    v3 = rotate(v3, 21n) ^ v0;
    v2 = word(v2 + v1);
    v1 = rotate(v1, 17n) ^ v2;
    v2 = rotate(v2, 32n);
  };
  // The last block: the length in the top byte, the bytes below.
  const block = (4n << 56n) | BigInt(value >>> 0);
  v3 ^= block;
  round();
  v0 ^= block;
  v2 ^= 0xffn;
  round();
  round();
  round();
  return Number((v0 ^ v1 ^ v2 ^ v3) & 0xffffffffn);
}

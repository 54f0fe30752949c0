import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  inNetwork,
  prefixLength,
  prefixMask,
  printAddress,
  printNetwork,
  readAddress,
  readIPv4,
  readNetwork,
} from "../../grammar/address.js";

const ipv4 = fc.integer({ min: 0, max: 0xffffffff });
const ipv6 = fc.oneof(
  fc.bigInt({ min: 0n, max: (1n << 128n) - 1n }),
  // Groups of zeros are what the compressed form is about.
  fc
    .array(fc.constantFrom(0, 0, 0, 1, 0xffff, 0xab), { minLength: 8, maxLength: 8 })
    .map((groups) => groups.reduce((value, group) => (value << 16n) | BigInt(group), 0n)),
);

describe("addresses", () => {
  test("print and read back", () => {
    fc.assert(
      fc.property(fc.oneof(ipv4, ipv6), (address) => {
        expect(readAddress(printAddress(address))).toBe(address);
      }),
    );
  });

  test.each([
    ["::", "::"],
    ["0:0:0:0:0:0:0:1", "::1"],
    ["FD00:0:0:1:0:0:0:A", "fd00:0:0:1::a"],
    ["fd00:1:2:3:4:5:0:7", "fd00:1:2:3:4:5:0:7"],
    ["2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"],
    ["::ffff:10.0.0.1", "::ffff:10.0.0.1"],
    ["::10.0.0.1", "::10.0.0.1"],
    ["::5", "::5"],
    ["::1:0", "::0.1.0.0"],
  ])("%s is printed %s, as inet_ntop does", (typed, printed) => {
    const address = readAddress(typed);
    expect(address === undefined ? undefined : printAddress(address)).toBe(printed);
  });

  test.each([
    "",
    "1.2.3",
    "1.2.3.4.5",
    "256.1.1.1",
    "01.2.3.4",
    "1.2.3.4 ",
    "1..2.3",
    ":",
    ":::",
    "1::2::3",
    "12345::",
    "1:2:3:4:5:6:7",
    "1:2:3:4:5:6:7:8:9",
    "1:2:3:4:5:6:7::8",
    "::1.2.3",
    "fe80::1%eth0",
    "g::",
  ])("%j is no address", (text) => {
    expect(readAddress(text)).toBeUndefined();
  });

  test("no octal, no short forms", () => {
    expect(readIPv4("010.1.2.3")).toBeUndefined();
    expect(readIPv4("10.1")).toBeUndefined();
  });
});

describe("networks", () => {
  test("lengths and masks are inverse", () => {
    for (let length = 0; length <= 32; length++)
      expect(prefixLength(prefixMask(length, "ipv4"))).toBe(length);
    for (let length = 0; length <= 128; length++)
      expect(prefixLength(prefixMask(length, "ipv6"))).toBe(length);
  });

  test("masks with holes have no length", () => {
    expect(prefixLength(0xff00ff00)).toBeUndefined();
    expect(printNetwork({ address: 0x0a000001, mask: 0xff0000ff })).toBe("10.0.0.1/255.0.0.255");
  });

  test("host bits are cleared, and the address lies in its network", () => {
    fc.assert(
      fc.property(ipv4, fc.integer({ min: 0, max: 32 }), (address, length) => {
        const network = readNetwork(`${printAddress(address)}/${length}`);
        expect(network && inNetwork(address, network)).toBe(true);
        expect(network && printNetwork(network).endsWith(`/${length}`)).toBe(true);
      }),
    );
  });
});

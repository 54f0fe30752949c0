import { createHash } from "node:crypto";
import fc from "fast-check";
import { expect, test } from "vitest";
import { chainHash, endpointChain, serviceChain, servicePortName } from "../../src/cluster/names.js";

test.each([
  ["default", "kubernetes", "https", "TCP", "NPX46M4PTMTKRN6Y"],
  ["kube-system", "kube-dns", "dns", "UDP", "TCOU7JCQXEZGVUNU"],
  ["kube-system", "kube-dns", "dns-tcp", "TCP", "ERIFXISQEP7F7OF4"],
  ["kube-system", "kube-dns", "metrics", "TCP", "JD5MR3NA4I4DYORP"],
  ["default", "web", "", "TCP", "LOLE4ISW44XBNF3G"],
])("chains of %s/%s:%s %s", (namespace, name, port, protocol, hash) => {
  const portName = servicePortName(namespace, name, port);
  for (const prefix of ["KUBE-SVC-", "KUBE-SVL-", "KUBE-EXT-", "KUBE-FW-", "KUBE-XLB-"] as const) {
    expect(serviceChain(prefix, portName, protocol)).toBe(prefix + hash);
  }
});

test.each([
  ["ns1/svc1:p80", "10.180.0.1:80", "KUBE-SEP-SXIVWICOYRO3J4NJ"],
  ["default/web", "10.244.2.25:8080", "KUBE-SEP-OHQ2UHUND6E52OQZ"],
  ["default/web", "[fd00:10:244::5]:8080", "KUBE-SEP-QGQYRWUG4RCCAQNM"],
])("endpoint chain of %s %s", (portName, endpoint, chain) => {
  expect(endpointChain(portName, "tcp", endpoint)).toBe(chain);
});

test("the hash is the beginning of the SHA-256 in base 32, five bits a letter", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme" }), (text) => {
      const bits = [...createHash("sha256").update(text, "utf8").digest()]
        .map((byte) => byte.toString(2).padStart(8, "0"))
        .join("");
      const letters = bits.match(/.{5}/g)?.slice(0, 16) as string[];
      const expected = letters
        .map((five) => "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"[Number.parseInt(five, 2)])
        .join("");
      expect(chainHash(text)).toBe(expected);
    }),
  );
});

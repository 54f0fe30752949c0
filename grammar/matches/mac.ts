import { defineMatch } from "../description.js";
import { INGRESS } from "../hooks.js";
import { listedOption } from "../listing.js";
import { allOf } from "../meaning.js";
import { macKind } from "../values.js";

/** xt_mac: the sender's address in the Ethernet header. */
export const mac = defineMatch({
  name: "mac",
  summary: "the sender's MAC address",
  hooks: INGRESS,
  options: { source: { name: "--mac-source", value: macKind, negatable: true, required: true } },
  meaning({ source }) {
    const words = [macKind.print(source?.value ?? [], "ipv4")];
    // What did not come in an Ethernet frame is neither from that address nor from another.
    const condition = source?.negated
      ? allOf([
          { kind: "oneOf", field: "sourceMac", words: ["+"] },
          { kind: "not", of: { kind: "oneOf", field: "sourceMac", words } },
        ])
      : ({ kind: "oneOf", field: "sourceMac", words } as const);
    return { condition };
  },
  listed: [listedOption("MAC", "--mac-source", "[0-9A-Fa-f:]{17}")],
  examples: [
    { typed: "-m mac ! --mac-source 1:2:3:aA:bb:cc", saved: "-m mac ! --mac-source 01:02:03:aa:bb:cc" },
    { typed: "-m mac --mac-source aa:bb:cc:dd:ee", refused: true },
    { typed: "-m mac", refused: true },
  ],
});

import { INGRESS } from "../hooks.js";
import { defineUnmodelledMatch } from "../unmodelled.js";
import { macKind } from "../values.js";

/** xt_mac: the sender's address in the Ethernet header. */
export const mac = defineUnmodelledMatch({
  name: "mac",
  summary: "the sender's MAC address",
  hooks: INGRESS,
  options: { source: { name: "--mac-source", value: macKind, negatable: true, required: true } },
  unmodelled: { hangsOn: "the sender's MAC address" },
  examples: [
    { typed: "-m mac ! --mac-source 1:2:3:aA:bb:cc", saved: "-m mac ! --mac-source 01:02:03:aa:bb:cc" },
    { typed: "-m mac --mac-source aa:bb:cc:dd:ee", refused: true },
    { typed: "-m mac", refused: true },
  ],
});

import { defineTarget } from "../description.js";
import { listedLater, listedOption } from "../listing.js";
import { addressKind, cutNameKind } from "../values.js";

/** xt_TEE. */
export const TEE = defineTarget({
  name: "TEE",

  summary: "sends a copy of the packet elsewhere and goes on",

  options: {
    gateway: { name: "--gateway", value: addressKind, required: true },
    out: {
      name: "--oif",
      value: cutNameKind("an interface name of at most 15 characters", 15),
      hidden: (name) => name === "",
    },
  },

  meaning: () => ({ kind: "note", what: "TEE" }),
  listed: [listedOption("TEE gw:", "--gateway"), ...listedLater(listedOption("oif=", "--oif"))],
  examples: [
    { typed: "-j TEE --gateway 1.1.1.1 --oif eth0", table: "mangle" },
    { typed: "-j TEE --gateway dead::beef", family: "ipv6" },
    { typed: "-j TEE --gateway 10.1", saved: "-j TEE --gateway 10.0.0.1" },
    { typed: "-j TEE", refused: true },
  ],
});

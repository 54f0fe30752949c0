import { defineMatch } from "../description.js";
import { INGRESS } from "../hooks.js";
import { listedName } from "../listing.js";
import { hidden } from "../meaning.js";

/** ip6t_eui64: the host part of the source address was made from the sender's MAC address. */
export const eui64 = defineMatch({
  name: "eui64",
  summary: "the source address was made from the sender's MAC address",
  families: ["ipv6"],
  hooks: INGRESS,
  options: {},
  meaning: () => ({
    condition: hidden(
      "the source address ends in the sender's MAC address (EUI-64)",
      "the source address does not end in the sender's MAC address (EUI-64)",
    ),
  }),
  listed: [listedName("eui64")],
  examples: [
    { typed: "-m eui64", family: "ipv6" },
    { typed: "-m eui64 --x", family: "ipv6", refused: true },
  ],
});

import { INGRESS } from "../hooks.js";
import { defineUnmodelledMatch } from "../unmodelled.js";

/** ip6t_eui64: the host part of the source address was made from the sender's MAC address. */
export const eui64 = defineUnmodelledMatch({
  name: "eui64",
  summary: "the source address was made from the sender's MAC address",
  families: ["ipv6"],
  hooks: INGRESS,
  options: {},
  unmodelled: { hangsOn: "the sender's MAC address" },
  examples: [
    { typed: "-m eui64", family: "ipv6" },
    { typed: "-m eui64 --x", family: "ipv6", refused: true },
  ],
});

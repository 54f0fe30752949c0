import { defineTarget } from "../description.js";

/** A verdict of the kernel itself: queue 0. */
export const QUEUE = defineTarget({
  name: "QUEUE",

  summary: "hands the packet to a process of the node, which decides; the form before NFQUEUE",

  flavour: "legacy",
  options: {},

  meaning: () => ({ kind: "verdict", verdict: "queue" }),
  examples: [{ typed: "-j QUEUE" }],
});

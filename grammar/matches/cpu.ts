import { defineUnmodelledMatch } from "../unmodelled.js";
import { numberKind } from "../values.js";

/** xt_cpu: which processor handles the packet. */
export const cpu = defineUnmodelledMatch({
  name: "cpu",
  summary: "which processor handles the packet",
  options: { cpu: { name: "--cpu", value: numberKind(0, 0xffffffff), negatable: true, required: true } },
  unmodelled: { hangsOn: "the processor that handles the packet" },
  examples: [
    { typed: "-m cpu ! --cpu 0x2", saved: "-m cpu ! --cpu 2" },
    { typed: "-m cpu", refused: true },
  ],
});

import { tosKind } from "../tos.js";
import { defineUnmodelledMatch } from "../unmodelled.js";

/** xt_dscp's older form: the whole TOS byte (IPv6: the traffic class). */
export const tos = defineUnmodelledMatch({
  name: "tos",
  summary: "the packet's type of service",
  options: { tos: { name: "--tos", value: tosKind, negatable: true, required: true } },
  unmodelled: { hangsOn: "the packet's type of service" },
  examples: [
    { typed: "-m tos --tos 16", saved: "-m tos --tos 0x10/0xff" },
    { typed: "-m tos ! --tos Normal-Service", saved: "-m tos ! --tos 0x00/0x3f" },
    { typed: "-m tos --tos 0x04/0xfc" },
    { typed: "-m tos --tos 256", refused: true },
    { typed: "-m tos", refused: true },
  ],
});

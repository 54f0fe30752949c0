import { defineMatch } from "../description.js";
import { listedOption } from "../listing.js";
import { ALWAYS, allOf, type Condition, negatedIf } from "../meaning.js";
import { tosKind } from "../tos.js";

/** xt_dscp's older form: the whole TOS byte (IPv6: the traffic class). */
export const tos = defineMatch({
  name: "tos",
  summary: "the packet's type of service",
  options: { tos: { name: "--tos", value: tosKind, negatable: true, required: true } },
  meaning({ tos: asked }) {
    const { value, mask } = asked?.value ?? { value: 0, mask: 0 };
    return {
      condition: negatedIf(
        asked?.negated ?? false,
        allOf([part("dscp", value >> 2, mask >> 2), part("ecn", value & 3, mask & 3)]),
      ),
    };
  },
  listed: [listedOption("tos match", "--tos")],
  examples: [
    { typed: "-m tos --tos 16", saved: "-m tos --tos 0x10/0xff" },
    { typed: "-m tos ! --tos Normal-Service", saved: "-m tos ! --tos 0x00/0x3f" },
    { typed: "-m tos --tos 0x04/0xfc" },
    { typed: "-m tos --tos 256", refused: true },
    { typed: "-m tos", refused: true },
  ],
});

function part(field: "dscp" | "ecn", value: number, mask: number): Condition {
  return value === 0 && mask === 0 ? ALWAYS : { kind: "masked", field, value, mask };
}

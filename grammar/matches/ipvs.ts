import { defineMatch, flag } from "../description.js";
import { listedFlag, listedOption } from "../listing.js";
import { hidden, negatedIf, type ServedQuestion } from "../meaning.js";
import { printedText } from "../print.js";
import { bareNetworkKind, oneOfKind, resolvedPortKind, speltProtocolKind } from "../values.js";

const OPTIONS = {
  protocol: { name: "--vproto", value: { ...speltProtocolKind, print: String }, negatable: true },
  ipvs: flag("--ipvs", { negatable: true }),
  address: { name: "--vaddr", value: bareNetworkKind, negatable: true },
  port: { name: "--vport", value: resolvedPortKind, negatable: true },
  direction: { name: "--vdir", value: oneOfKind(["ORIGINAL", "REPLY"], { anyCase: true }) },
  method: {
    name: "--vmethod",
    value: oneOfKind(["GATE", "IPIP", "MASQ"], { anyCase: true }),
    negatable: true,
  },
  control: { name: "--vportctl", value: resolvedPortKind, negatable: true },
} as const;

/** xt_ipvs: the packet belongs to a connection of IPVS. All options but `--ipvs` imply it. */
export const ipvs = defineMatch({
  name: "ipvs",
  summary: "the packet belongs to a connection that IPVS handles",
  tracksConnections: true,
  options: OPTIONS,
  complete(given) {
    const count = Object.keys(given).length;
    if (count === 0) return { refused: "at least one option must be given" };
    return given.ipvs?.negated && count > 1 ? { refused: "`! --ipvs` stands alone" } : given;
  },
  meaning(given, { family }) {
    const { ipvs: belongs, ...parts } = given;
    const { protocol, port, address, method, direction, control } = parts;
    const asks: ServedQuestion["parts"] = [
      ...(protocol
        ? [{ field: "protocol", number: protocol.value, negated: protocol.negated } as const]
        : []),
      ...(port ? [{ field: "port", number: port.value, negated: port.negated } as const] : []),
      ...(address ? [{ field: "address", network: address.value, negated: address.negated } as const] : []),
      ...(method ? [{ field: "method", word: method.value, negated: method.negated } as const] : []),
      ...(direction ? [{ field: "direction", word: direction.value } as const] : []),
    ];
    const asked = printedText(OPTIONS, parts, family);
    const what = `a connection that IPVS handles${asked && ` and that fits ${asked}`}`;
    return {
      condition: negatedIf(belongs?.negated ?? false, {
        ...hidden(`the packet belongs to ${what}`, `the packet does not belong to ${what}`),
        // Which connection controls which is not modelled.
        ...(control === undefined ? { served: { parts: asks } } : {}),
      }),
    };
  },
  listed: [
    listedFlag("ipvs", "--ipvs"),
    ...["vproto", "vaddr", "vport", "vdir", "vmethod", "vportctl"].map((name) =>
      listedOption(`${name} `, `--${name}`),
    ),
  ],
  examples: [
    { typed: "-m ipvs ! --ipvs" },
    {
      typed:
        "-m ipvs ! --vproto tcp ! --vaddr 1.2.3.4/8 --vport http --vdir original ! --vmethod masq --vportctl 21",
      saved:
        "-m ipvs ! --vproto 6 ! --vaddr 1.2.3.4/8 --vport 80 --vdir ORIGINAL ! --vmethod MASQ --vportctl 21",
    },
    { typed: "-m ipvs ! --ipvs --vport 80", refused: true },
    { typed: "-m ipvs", refused: true },
  ],
});

import { PROTOCOL } from "../../../grammar/protocols.js";
import { destinationNat } from "../../state/connections.js";
import type { Check } from "../finding.js";
import { bounded, counted, groupedBy, printEnd } from "../look.js";
import { askedEnd, knownEnds, sightingOf } from "./flows.js";

export const notTranslated: Check = {
  code: "LF3036",
  severity: "error",
  sureness: "sure",
  find(context) {
    const connections = context.state.connections ?? [];
    const udp = connections.filter(({ protocol }) => protocol === PROTOCOL.udp);
    if (udp.length === 0) return [];
    const ends =
      context.views.length === 0 ? new Map<string, { readonly name: string }>() : knownEnds(context);
    // Without rules, an end is a Service's when another connection to it was translated.
    const translated = new Set(udp.filter((one) => destinationNat(one) !== undefined).map(askedEnd));
    const plain = udp.filter((one) => {
      const end = askedEnd(one);
      return destinationNat(one) === undefined && (ends.has(end) || translated.has(end));
    });
    return [...groupedBy(plain, askedEnd)].flatMap(([end, own]) => {
      const [first] = own;
      if (first === undefined) return [];
      const { destination, ports } = first.original;
      return [
        {
          message: `${counted(own.length, "UDP connection")} to ${ends.get(end)?.name ?? printEnd(destination, ports?.destination)} ${own.length === 1 ? "is" : "are"} not translated: ${own.length === 1 ? "its" : "their"} packets reach no pod`,
          ...(ends.has(end) ? {} : { sureness: "likely" as const }),
          ...bounded(own, (one) =>
            sightingOf(`from ${printEnd(one.original.source, one.original.ports?.source)}`, one),
          ),
        },
      ];
    });
  },
};

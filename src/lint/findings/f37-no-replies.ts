import { protocolName } from "../../../grammar/protocols.js";
import { destinationNat, hasSeenReply } from "../../state/connections.js";
import type { Check } from "../finding.js";
import { bounded, groupedBy, listed, printEnd } from "../look.js";
import { servedEnd, sightingOf } from "./flows.js";

/** One connection without an answer is nothing out of the ordinary. */
const CONNECTIONS_MIN = 3;

export const noReplies: Check = {
  code: "LF3037",
  severity: "warning",
  sureness: "likely",
  find: ({ state }) =>
    [...groupedBy(state.connections ?? [], servedEnd).values()].flatMap((own) => {
      const [first] = own;
      const to = first === undefined ? undefined : destinationNat(first)?.to;
      if (first === undefined || to === undefined) return [];
      if (own.length < CONNECTIONS_MIN || own.some(hasSeenReply)) return [];
      return [
        {
          message: `${printEnd(to.address, to.port)}/${protocolName(first.protocol)} has answered none of its ${own.length} connections (to ${listed(own.map(({ original }) => printEnd(original.destination, original.ports?.destination)))})`,
          ...bounded(own, (one) =>
            sightingOf(`from ${printEnd(one.original.source, one.original.ports?.source)}`, one),
          ),
        },
      ];
    }),
};

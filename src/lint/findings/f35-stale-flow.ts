import { PROTOCOL, protocolName } from "../../../grammar/protocols.js";
import { destinationNat } from "../../state/connections.js";
import type { Check } from "../finding.js";
import { bounded, counted, groupedBy, printEnd } from "../look.js";
import { askedEnd, knownEnds, servedEnd, sightingOf } from "./flows.js";

export const staleFlow: Check = {
  code: "LF3035",
  severity: "error",
  sureness: "sure",
  find(context) {
    const connections = context.state.connections ?? [];
    if (connections.length === 0 || context.views.length === 0) return [];
    const ends = knownEnds(context);
    const stale = connections.flatMap((connection) => {
      const end = ends.get(askedEnd(connection));
      const served = servedEnd(connection);
      if (end === undefined || served === undefined || end.endpoints.has(served)) return [];
      return [{ connection, name: end.name, hasNone: end.endpoints.size === 0 }];
    });
    const groups = groupedBy(stale, ({ connection, name }) => `${name} ${servedEnd(connection)}`);
    return [...groups.values()].flatMap((own) => {
      const [first] = own;
      const to = first === undefined ? undefined : destinationNat(first.connection)?.to;
      if (first === undefined || to === undefined) return [];
      const words = `${printEnd(to.address, to.port)}/${protocolName(first.connection.protocol)}`;
      return [
        {
          message: `${counted(own.length, "connection")} to ${first.name} ${own.length === 1 ? "goes" : "go"} to ${words}, which is none of its endpoints${first.hasNone ? ": it has none, and the rule that refuses connections comes behind the translation" : ""}`,
          // Those of TCP are let go on to an endpoint that is on its way out.
          ...(first.connection.protocol === PROTOCOL.tcp ? { severity: "warning" as const } : {}),
          ...bounded(own, ({ connection }) =>
            sightingOf(
              `from ${printEnd(connection.original.source, connection.original.ports?.source)}`,
              connection,
            ),
          ),
        },
      ];
    });
  },
};

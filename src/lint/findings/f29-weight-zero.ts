import type { Check } from "../finding.js";
import { bounded, printEnd } from "../look.js";
import { serverName } from "./servers.js";

export const weightZero: Check = {
  code: "LF3029",
  severity: "warning",
  sureness: "sure",
  find: ({ state }) =>
    (state.virtualServers?.services ?? []).flatMap(({ key, destinations }) => {
      const resting = destinations.filter(({ weight }) => weight === 0);
      if (resting.length === 0) return [];
      const isAll = resting.length === destinations.length;
      return [
        {
          message: `${serverName(key)}: ${resting.length} of ${destinations.length} real servers ${resting.length === 1 ? "has" : "have"} weight 0${isAll ? ": no new connection is taken" : ""}`,
          ...(isAll ? { severity: "error" as const } : {}),
          ...bounded(resting, ({ address, port }) => ({ words: printEnd(address, port) })),
        },
      ];
    }),
};

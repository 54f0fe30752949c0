import type { Check } from "../finding.js";
import { serverName } from "./servers.js";

export const noRealServers: Check = {
  code: "LF3030",
  severity: "warning",
  sureness: "sure",
  find: ({ state }) =>
    (state.virtualServers?.services ?? []).flatMap(({ key, destinations }) =>
      destinations.length > 0 ? [] : [{ message: `${serverName(key)} has no real server`, seen: [] }],
    ),
};

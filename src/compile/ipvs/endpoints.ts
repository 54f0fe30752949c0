/** The real servers of a virtual server: which endpoints they are, and how they replace those that were there. */
import { printAddress, readAddress } from "../../../grammar/address.js";
import { PROTOCOL } from "../../../grammar/protocols.js";
import type { Destination } from "../../state/virtual-servers.js";
import type { EndpointInfo } from "../common/endpoints.js";
import type { ServicePortInfo } from "../common/services.js";

/** The only weight that kube-proxy gives. */
const WEIGHT = 1;

/**
 * The endpoints for traffic of a policy. Without a local one, policy Local falls back to those of the cluster, so that
 * pods of the node still reach the Service; clients from outside then get answers that they cannot use.
 */
export function endpointsFor({ chosen }: ServicePortInfo, local: boolean): readonly EndpointInfo[] {
  return local && chosen.local.length > 0 ? chosen.local : chosen.cluster;
}

/** One real server for each endpoint, in the order in which they are added. */
export function realServers(endpoints: readonly EndpointInfo[]): readonly Destination[] {
  const byName = new Map<string, Destination>();
  for (const { ip, port } of endpoints) {
    const address = readAddress(ip);
    if (address === undefined) continue;
    const server = fresh({ address, port });
    byName.set(nameOf(server), server);
  }
  return [...byName.values()];
}

function fresh({ address, port }: Pick<Destination, "address" | "port">): Destination {
  return { address, port, forwarding: { kind: "masquerade" }, weight: WEIGHT };
}

function nameOf({ address, port }: Destination): string {
  return `${printAddress(address)} ${port}`;
}

/**
 * The real servers after a sync, of a virtual server that had `before`. In its `first` sync kube-proxy puts weights right
 * that are not 1. A server that is not wanted any more goes at once, or with weight 0 once its TCP connections are over.
 */
export function serversAfterSync(
  before: readonly Destination[],
  wanted: readonly Destination[],
  protocol: number,
  first: boolean,
): readonly Destination[] {
  const byName = new Map(wanted.map((server) => [nameOf(server), server]));
  const resets = first && before.some(({ weight }) => weight !== undefined && weight !== WEIGHT);
  const kept = before.flatMap((server): readonly Destination[] => {
    if (byName.has(nameOf(server))) {
      // After the first sync, weight 0 is that of a server on its way out, which is added anew.
      if (!first && server.weight === 0) return [];
      byName.delete(nameOf(server));
      return [resets ? { ...server, ...fresh(server) } : server];
    }
    return isBusy(server, protocol) ? [{ ...server, ...fresh(server), weight: 0 }] : [];
  });
  return [...kept, ...byName.values()];
}

/** It has connections that are waited for; a dump without counters tells of none. */
function isBusy({ activeConnections = 0, inactiveConnections = 0 }: Destination, protocol: number): boolean {
  return protocol === PROTOCOL.tcp && activeConnections + inactiveConnections > 0;
}

/** Connections of now, by the endpoint of a service port that they went to. */
import { type Connection, destinationNat } from "../state/connections.js";
import type { ServiceEndpoint, ServicePort } from "./service-model.js";

export interface OpenConnections {
  /** In the order of the service port's endpoints; those without an address are left out. */
  readonly byEndpoint: readonly { readonly endpoint: ServiceEndpoint; readonly count: number }[];
  /** To addresses that are none of its endpoints. */
  readonly elsewhere: number;
}

/** Undefined: none is to this service port, or connections were not given. */
export function openConnectionsOf(
  { protocol, entrances, endpoints }: ServicePort,
  connections: readonly Connection[] = [],
): OpenConnections | undefined {
  const ends = entrances.filter(({ port }) => port !== undefined);
  const counts = new Map<string, number>();
  for (const connection of connections) {
    const { destination, ports } = connection.original;
    const to = destinationNat(connection)?.to;
    if (to === undefined || (protocol !== undefined && connection.protocol !== protocol)) continue;
    const isMeant = ends.some(
      ({ address, port }) =>
        port === ports?.destination && (address === undefined || address === destination),
    );
    if (!isMeant) continue;
    const key = `${to.address} ${to.port}`;
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  if (counts.size === 0) return undefined;
  const byEndpoint = endpoints.flatMap((endpoint) => {
    const { address, port } = endpoint;
    if (address === undefined) return [];
    const keys = [...counts.keys()].filter((key) =>
      port === undefined ? key.startsWith(`${address} `) : key === `${address} ${port}`,
    );
    const count = keys.reduce((sum, key) => sum + (counts.get(key) ?? 0), 0);
    for (const key of keys) counts.delete(key);
    return [{ endpoint, count }];
  });
  return { byEndpoint, elsewhere: [...counts.values()].reduce((sum, count) => sum + count, 0) };
}

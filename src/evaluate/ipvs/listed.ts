/** What `ipvsadm -Lcn` shows, in the table: connections, templates of persistent services, and by them the counts. */
import { PROTOCOL } from "../../../grammar/protocols.js";
import type { FirstPacket } from "../../state/ipvs-events.js";
import type { VirtualConnection } from "../../state/virtual-servers.js";
import { isCounted, serviceFor, templateName, tupleOf } from "./open.js";
import { type IpvsTable, loadName, loadOf, type Service, serverName } from "./table.js";
import { type IpvsTcpState, isActive } from "./tcp-states.js";

/** A listed connection, and the virtual server that has it. */
export interface Listed {
  readonly service: Service;
  readonly packet: FirstPacket;
  readonly connection: VirtualConnection;
}

/** Templates have no source port. */
function isTemplate({ source, state }: VirtualConnection): boolean {
  return source.port === 0 && (state === "NONE" || state === "ASSURED");
}

/**
 * Puts the entries into a table that was just made; counts follow from them unless a listing has told them. The answer is
 * those that are connections. Entries whose virtual server or real server is gone are left out, as are those of firewall
 * marks, since an entry does not show the mark.
 */
export function enterListed(table: IpvsTable, connections: readonly VirtualConnection[]): readonly Listed[] {
  const all = connections.flatMap((connection): readonly Listed[] => {
    const { protocol, source, virtual, server } = connection;
    const packet: FirstPacket = {
      protocol,
      source: source.address,
      sourcePort: source.port,
      destination: virtual.address,
      destinationPort: virtual.port,
    };
    const service = serviceFor(table, packet);
    const isThere = service?.servers.some(({ name }) => name === serverName(server));
    return service === undefined || !isThere ? [] : [{ service, packet, connection }];
  });
  const untold = new Set([...table.services.values()].filter((one) => !isCounted(table, one)));
  for (const service of untold)
    for (const { name } of service.servers)
      table.loads.set(loadName(service, name), { active: 0, inactive: 0, overloaded: false });
  for (const { service, packet, connection } of all.filter((one) => isTemplate(one.connection))) {
    const name = templateName(service, packet);
    if (name === undefined) continue;
    table.templates.set(name, {
      service: service.name,
      holders: [{ server: serverName(connection.server), weight: 1n }],
      deadline: table.now + connection.secondsLeft,
      timeoutSeconds: service.scheduling?.persistence?.timeoutSeconds ?? 0,
      connections: 0,
    });
  }
  const own = all.filter((one) => !isTemplate(one.connection));
  for (const one of own) enterOne(table, one, untold.has(one.service));
  return own;
}

function enterOne(table: IpvsTable, { service, packet, connection }: Listed, counts: boolean): void {
  const { protocol, state } = connection;
  const server = serverName(connection.server);
  const active = protocol === PROTOCOL.tcp ? isActive(state as IpvsTcpState) : state === "ESTABLISHED";
  const name = templateName(service, packet);
  const template = name === undefined ? undefined : table.templates.get(name);
  if (name !== undefined && template !== undefined)
    table.templates.set(name, { ...template, connections: template.connections + 1 });
  table.connections.set(tupleOf(packet), {
    service: service.name,
    protocol,
    holders: [{ server, weight: 1n }],
    active,
    template: template === undefined ? undefined : name,
    until: undefined,
  });
  if (!counts) return;
  const load = loadOf(table, service, server);
  const more = active ? { active: load.active + 1 } : { inactive: load.inactive + 1 };
  table.loads.set(loadName(service, server), { ...load, ...more });
}

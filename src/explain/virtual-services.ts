/**
 * Service ports of kube-proxy's IPVS mode: one for each virtual server, since nothing tells which belong together but
 * names that are known from elsewhere.
 */
import { type Family, printAddress } from "../../grammar/address.js";
import type { RealServer } from "../../grammar/schedulers/description.js";
import { ipvsScheduler } from "../../grammar/schedulers.js";
import { enterListed } from "../evaluate/ipvs/listed.js";
import { isCounted, scheduled } from "../evaluate/ipvs/open.js";
import { type IpvsTable, ipvsTable, schedulerOf, serviceName } from "../evaluate/ipvs/table.js";
import type { NodeState } from "../state/nodestate.js";
import { familyOfService, type VirtualServer } from "../state/virtual-servers.js";
import {
  type Around,
  aroundServers,
  askAround,
  kindOfServer,
  reachesItself,
  sourcesLetIn,
} from "./around-servers.js";
import {
  addressKey,
  ENTRANCE_KINDS,
  type Fraction,
  type KnownNames,
  nodePortKey,
  type Outcome,
  type ServiceEndpoint,
  type ServicePort,
} from "./service-model.js";

/** The virtual servers of a node; those for firewall marks are none of kube-proxy's. */
export function virtualServicePorts(state: NodeState, known: KnownNames): readonly ServicePort[] {
  const { virtualServers } = state;
  if (virtualServers === undefined) return [];
  const table = ipvsTable(virtualServers, { sorted: true });
  if (virtualServers.connections !== undefined) enterListed(table, virtualServers.connections);
  const arounds = new Map<Family, Around>();
  const aroundOf = (family: Family): Around => {
    const around = arounds.get(family) ?? aroundServers(state, family);
    arounds.set(family, around);
    return around;
  };
  return joined(
    virtualServers.services.flatMap(
      (server) => describe(server, table, known, aroundOf(familyOfService(server.key))) ?? [],
    ),
  );
}

/** Virtual servers of one name that share alike as one service port. */
function joined(services: readonly ServicePort[]): readonly ServicePort[] {
  const groups = new Map<string, ServicePort[]>();
  for (const [index, one] of services.entries()) {
    const { name, family, protocol, scheduler, affinitySeconds } = one;
    const key = JSON.stringify(
      name === undefined ? index : [name, family, protocol, scheduler, affinitySeconds],
    );
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [one]);
    else group.push(one);
  }
  return [...groups.values()].flatMap((group): readonly ServicePort[] => {
    const sorted = group.toSorted((left, right) => rankOf(left) - rankOf(right));
    const [first] = sorted;
    if (first === undefined) return [];
    const endpoints = new Map<string, ServiceEndpoint>();
    for (const one of sorted.flatMap((own) => own.endpoints)) {
      const key = `${one.address} ${one.port} ${one.weight}`;
      if (!endpoints.has(key)) endpoints.set(key, one);
    }
    const externalPolicy = sorted.find((one) => one.externalPolicy !== undefined)?.externalPolicy;
    return [
      {
        ...first,
        entrances: sorted.flatMap(({ entrances }) => entrances),
        endpoints: [...endpoints.values()],
        ...(externalPolicy === undefined ? {} : { externalPolicy }),
      },
    ];
  });
}

function rankOf({ entrances }: ServicePort): number {
  return ENTRANCE_KINDS.indexOf(entrances[0]?.kind ?? "unknown");
}

function describe(
  server: VirtualServer,
  table: IpvsTable,
  known: KnownNames,
  around: Around,
): ServicePort | undefined {
  const { key, scheduling } = server;
  if (key.kind === "mark") return undefined;
  const { address, port, protocol } = key;
  const { kind, external } = kindOfServer(server, around.state.sets);
  const name =
    known.byAddress.get(addressKey(address, port, protocol)) ??
    (kind === "node port" ? known.byNodePort?.get(nodePortKey(port, protocol)) : undefined);
  const { outcomes, assuming } = sharesOf(server, port);
  const seconds = scheduling?.persistence?.timeoutSeconds;
  const letIn = sourcesLetIn(server, around);
  const endpoints = server.destinations.map((one): ServiceEndpoint => {
    const endpoint = { address: one.address, port: one.port || port };
    return {
      ...endpoint,
      ...(one.weight === undefined ? {} : { weight: one.weight }),
      ...(reachesItself(endpoint, protocol, around) ? { selfMasqueraded: true } : {}),
    };
  });
  return {
    family: familyOfService(key),
    ...(name === undefined ? {} : { name }),
    nameProven: false,
    protocol,
    chains: [],
    entrances: [
      {
        kind,
        address,
        port,
        rules: [],
        ...askAround(server, outcomes, around),
        ...(letIn === undefined ? {} : { letIn }),
      },
    ],
    endpoints,
    ...(seconds === undefined ? {} : { affinitySeconds: seconds }),
    ...(external === undefined ? {} : { externalPolicy: external }),
    counted: [],
    ...(scheduling === undefined ? {} : { scheduler: scheduling.scheduler }),
    sharing: { assuming, next: nextOf(server, port, table) },
    lacks: around.lacks,
  };
}

/** The real servers among which the next connection goes, as far as a listing's counts tell. */
function nextOf({ key }: VirtualServer, port: number, table: IpvsTable): readonly ServiceEndpoint[] {
  const service = table.services.get(serviceName(key));
  const scheduler = service && schedulerOf(service);
  if (service === undefined || scheduler?.counts !== true || !isCounted(table, service)) return [];
  const { ways } = scheduled(table, service, undefined);
  const chosen = service.servers.filter(({ name }) => ways.some(({ server }) => server === name));
  // All of them: the counts tell nothing.
  if (chosen.length === service.servers.filter(({ weight }) => weight > 0).length) return [];
  return chosen.map((one) => ({ address: one.address, port: one.port || port }));
}

/** A virtual server without a real server that is open refuses: the kernel answers with port unreachable. */
const REFUSED = { kind: "reject", masqueraded: false, with: "port unreachable" } as const;

/** Shares of all clients in the long run. */
function sharesOf(
  { destinations, scheduling }: VirtualServer,
  port: number,
): { readonly outcomes: readonly Outcome[]; readonly assuming: readonly string[] } {
  const servers = destinations.map((one): RealServer => {
    const weight = one.weight ?? 1;
    const own = one.port || port;
    return {
      name: `${printAddress(one.address)}:${own}`,
      address: one.address,
      port: own,
      weight,
      lastWeight: weight,
    };
  });
  const open = servers.filter(({ weight }) => weight > 0);
  if (open.length === 0)
    return { outcomes: [{ ...REFUSED, share: { numerator: 1n, denominator: 1n } }], assuming: [] };
  const scheduler = ipvsScheduler(scheduling?.scheduler ?? "");
  const run = scheduler?.inTheLongRun({ servers, flags: scheduling?.flags ?? [] }, undefined);
  const ways = run?.ways ?? [];
  const total = ways.reduce((sum, { weight }) => sum + weight, 0);
  const shareOf = (server: RealServer | undefined): { readonly share?: Fraction } => {
    if (run === undefined) return {};
    const weight = ways.reduce((sum, way) => (way.server === server ? sum + way.weight : sum), 0);
    return { share: reduced(BigInt(weight), BigInt(total)) };
  };
  const outcomes = open.map(
    (server): Outcome => ({
      kind: "endpoint",
      ...shareOf(server),
      endpoint: { address: server.address, port: server.port, weight: server.weight },
      masqueraded: false,
    }),
  );
  // With hashing, a real server of weight 0 keeps its clients: they are refused.
  const isRefusing = ways.some(({ server }) => server === undefined);
  return {
    outcomes: isRefusing ? [...outcomes, { ...REFUSED, ...shareOf(undefined) }] : outcomes,
    assuming: run?.assuming ?? [],
  };
}

function reduced(numerator: bigint, denominator: bigint): Fraction {
  let [left, right] = [numerator, denominator];
  while (right > 0n) [left, right] = [right, left % right];
  return { numerator: numerator / left, denominator: denominator / left };
}

/** Virtual servers: those that the service ports ask for, and the node's table after a sync. */
import {
  type Address,
  ALL_ONES,
  familyOf,
  inNetwork,
  printAddress,
  readNetwork,
} from "../../../grammar/address.js";
import {
  type ConnectionTimeouts,
  familyOfService,
  type Scheduling,
  type ServiceKey,
  type VirtualServer,
  type VirtualServers,
} from "../../state/virtual-servers.js";
import type { Context } from "../common/context.js";
import type { EndpointInfo } from "../common/endpoints.js";
import { realServers, serversAfterSync } from "./endpoints.js";

export interface WantedServer {
  readonly protocol: number;
  readonly address: Address;
  readonly port: number;
  /** Undefined without ClientIP affinity. */
  readonly affinitySeconds: number | undefined;
  readonly endpoints: readonly EndpointInfo[];
}

/** Seconds that the kernel waits unless it is told otherwise (net/netfilter/ipvs: 15 min, 2 min, 5 min). */
const KERNEL_TIMEOUTS: ConnectionTimeouts = { tcp: 900, tcpFin: 120, udp: 300 };

/** The IPVS table after a sync. Of several wanted servers of one address and port, the last counts. */
export function tableAfterSync(
  before: VirtualServers | undefined,
  wanted: readonly WantedServer[],
  context: Context,
  first: boolean,
): VirtualServers {
  const table = new Map((before?.services ?? []).map((server) => [nameOf(server.key), server]));
  const active = new Set<string>();
  for (const one of wanted) {
    const { protocol, address, port } = one;
    const key: ServiceKey = { kind: "address", protocol, address, port };
    const name = nameOf(key);
    const there = table.get(name);
    const servers = realServers(one.endpoints);
    table.set(name, {
      key,
      scheduling: updated(there?.scheduling, schedulingOf(one, context)),
      destinations: serversAfterSync(there?.destinations ?? [], servers, protocol, first),
    });
    active.add(name);
  }
  const services = [...table].flatMap(([name, server]) =>
    active.has(name) || isKept(server, context) ? [server] : [],
  );
  const timeouts = { ...(before === undefined ? KERNEL_TIMEOUTS : before.timeouts), ...asked(context) };
  return { services, ...(Object.keys(timeouts).length === 0 ? {} : { timeouts }) };
}

function nameOf(key: ServiceKey): string {
  return key.kind === "mark"
    ? `mark ${key.mark} ${key.family}`
    : `${key.protocol} ${printAddress(key.address)} ${key.port}`;
}

function schedulingOf({ affinitySeconds, address }: WantedServer, { proxy, behaviour }: Context): Scheduling {
  const { scheduler } = proxy.ipvs;
  return {
    scheduler,
    flags: scheduler === "mh" && behaviour.mhBySourcePort ? ["mh-port"] : [],
    ...(affinitySeconds === undefined
      ? {}
      : { persistence: { timeoutSeconds: affinitySeconds, mask: ALL_ONES[familyOf(address)] } }),
    onePacket: false,
  };
}

/** What kube-proxy does not compare (the mask of persistence, its engine) stays as long as the rest is right. */
function updated(there: Scheduling | undefined, wanted: Scheduling): Scheduling {
  const compared = ({ scheduler, flags, persistence, onePacket }: Scheduling) =>
    JSON.stringify([scheduler, flags, persistence?.timeoutSeconds ?? 0, onePacket]);
  return there !== undefined && compared(there) === compared(wanted) ? there : wanted;
}

/**
 * Whether kube-proxy leaves a virtual server that it has not made: those in excludeCIDRs, those of the other family, and
 * those of firewall marks, which it cannot name when it asks the kernel to delete them.
 */
function isKept({ key }: VirtualServer, { family, proxy }: Context): boolean {
  if (key.kind === "mark" || familyOfService(key) !== family) return true;
  return proxy.ipvs.excludeCIDRs.some((cidr) => {
    const network = readNetwork(cidr);
    return network !== undefined && familyOf(network.address) === family && inNetwork(key.address, network);
  });
}

/** Timeouts of the configuration; 0 leaves the kernel's. */
function asked({ proxy }: Context): Partial<ConnectionTimeouts> {
  return Object.fromEntries(Object.entries(proxy.ipvs.timeouts).filter(([, seconds]) => seconds > 0));
}

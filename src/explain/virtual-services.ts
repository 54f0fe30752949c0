/** Service ports of kube-proxy's IPVS mode: one for each virtual server, since nothing tells which belong together. */
import { printAddress } from "../../grammar/address.js";
import type { RealServer } from "../../grammar/schedulers/description.js";
import { ipvsScheduler } from "../../grammar/schedulers.js";
import type { NodeState } from "../state/nodestate.js";
import { familyOfService, type VirtualServer } from "../state/virtual-servers.js";
import {
  addressKey,
  type Clients,
  type KnownNames,
  type Outcome,
  type ServicePort,
} from "./service-model.js";

/** The virtual servers of a node; those for firewall marks are none of kube-proxy's. */
export function virtualServicePorts(
  { virtualServers }: NodeState,
  known: KnownNames,
): readonly ServicePort[] {
  return (virtualServers?.services ?? []).flatMap((server) => describe(server, known) ?? []);
}

function describe(server: VirtualServer, known: KnownNames): ServicePort | undefined {
  const { key, scheduling } = server;
  if (key.kind === "mark") return undefined;
  const { address, port, protocol } = key;
  const name = known.byAddress.get(addressKey(address, port, protocol));
  const endpoints = server.destinations.map((one) => ({ address: one.address, port: one.port || port }));
  const clients: Clients = { who: [], sources: [], outcomes: outcomesOf(server, port) };
  const seconds = scheduling?.persistence?.timeoutSeconds;
  return {
    family: familyOfService(key),
    ...(name === undefined ? {} : { name }),
    nameProven: false,
    protocol,
    chains: [],
    entrances: [{ kind: "virtual server", address, port, rules: [], clients: [clients] }],
    endpoints,
    ...(seconds === undefined ? {} : { affinitySeconds: seconds }),
    counted: [],
    ...(scheduling === undefined ? {} : { scheduler: scheduling.scheduler }),
  };
}

/** Schedulers whose shares hang on neither the client nor on connections. */
const BY_WEIGHT: readonly string[] = ["rr", "wrr"];

/** A virtual server without a real server that is open refuses: the kernel answers with port unreachable. */
function outcomesOf({ destinations, scheduling }: VirtualServer, port: number): readonly Outcome[] {
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
    return [
      {
        kind: "reject",
        share: { numerator: 1n, denominator: 1n },
        masqueraded: false,
        with: "port unreachable",
      },
    ];
  const scheduler = BY_WEIGHT.includes(scheduling?.scheduler ?? "")
    ? ipvsScheduler(scheduling?.scheduler ?? "")
    : undefined;
  const [first] = open;
  // These two do not look at the client.
  const client = { source: first?.address ?? 0, sourcePort: 0, destination: first?.address ?? 0 };
  const ways = scheduler?.inTheLongRun({ servers, flags: [] }, client).ways;
  const total = ways?.reduce((sum, { weight }) => sum + weight, 0) ?? 0;
  return open.map((server): Outcome => {
    const weight = ways?.find((way) => way.server === server)?.weight;
    return {
      kind: "endpoint",
      ...(weight === undefined ? {} : { share: reduced(BigInt(weight), BigInt(total)) }),
      endpoint: { address: server.address, port: server.port },
      masqueraded: false,
    };
  });
}

function reduced(numerator: bigint, denominator: bigint): { numerator: bigint; denominator: bigint } {
  let [left, right] = [numerator, denominator];
  while (right > 0n) [left, right] = [right, left % right];
  return { numerator: numerator / left, denominator: denominator / left };
}

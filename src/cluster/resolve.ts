/** Packet questions → packets: names of Services and Nodes become addresses. */
import { type Address, type Family, familyOf, type Network, readAddress } from "../../grammar/address.js";
import type { Range } from "../../grammar/meaning.js";
import { headerFields, type Packet } from "../../grammar/packet.js";
import type { PacketQuestion, Place } from "../../grammar/packet-question.js";
import { PORT_PROTOCOLS, PROTOCOL, protocolName, protocolNumber } from "../../grammar/protocols.js";
import { networkRange } from "../../grammar/values.js";
import { nearest } from "../problems/nearest.js";
import type { ClusterModel, Service } from "./model.js";

export type Resolved =
  | { readonly ok: true; readonly packet: Packet }
  /** `of`: which end of the question is to blame; absent: the whole. */
  | {
      readonly ok: false;
      readonly message: string;
      readonly help?: string;
      readonly of?: "source" | "destination";
    };

interface Found {
  readonly address: Address;
  readonly port?: number;
  readonly protocol?: number;
}

/** A Service, as far as a packet to it needs one: of an object, or found in rules. */
export interface KnownService {
  readonly namespace: string;
  readonly name: string;
  readonly clusterIP: Address | undefined;
  /** `name` is empty for an unnamed port; `protocol` a number. */
  readonly ports: readonly { readonly name: string; readonly port: number; readonly protocol: number }[];
}

/** The packet that a question asks about. Objects are looked up in `model`, Services that are none of it in `others`. */
export function resolveQuestion(
  question: PacketQuestion,
  model: ClusterModel | undefined,
  others: readonly KnownService[] = [],
): Resolved {
  const destination =
    question.destination.kind === "service"
      ? findService(question.destination, model, others)
      : find(question.destination, model);
  if ("message" in destination) return { ok: false, of: "destination", ...destination };
  const family = familyOf(destination.address);
  const source =
    question.source === undefined
      ? undefined
      : question.source.kind === "service"
        ? findService(question.source, model, others)
        : find(question.source, model, family);
  if (source !== undefined && "message" in source) return { ok: false, of: "source", ...source };
  const { sources } = question;
  if ([source?.address, sources?.address].some((one) => one !== undefined && familyOf(one) !== family)) {
    return { ok: false, of: "source", message: "source and destination are of different families" };
  }
  const protocol = question.protocol ?? destination.protocol ?? PROTOCOL.tcp;
  const hasPorts = PORT_PROTOCOLS.includes(protocol);
  if (hasPorts && destination.port === undefined) {
    return {
      ok: false,
      of: "destination",
      message: `a ${protocolName(protocol)} packet needs a destination port`,
      help: "write it behind the address, for example 10.96.0.10:53/udp",
    };
  }
  if (!hasPorts && destination.port !== undefined) {
    return { ok: false, of: "destination", message: `${protocolName(protocol)} packets have no port` };
  }
  if (question.from === "pod") {
    return {
      ok: false,
      message: "`from pod` needs to know which pod",
      help: "write the pod's address as the source",
    };
  }
  const arrives = question.in ?? (question.from === "node" ? "local" : undefined);
  return {
    ok: true,
    packet: {
      family,
      protocol,
      destination: destination.address,
      ...(hasPorts && destination.port !== undefined ? { destinationPort: destination.port } : {}),
      ...(source === undefined ? {} : { source: source.address }),
      ...(sources === undefined ? {} : { sources: rangesOf(sources) }),
      ...(source?.port === undefined ? {} : { sourcePort: source.port }),
      ...(arrives === undefined ? {} : { in: arrives }),
      ...(question.state === undefined ? {} : { state: question.state }),
      ...headerFields(question),
    },
  };
}

function rangesOf(network: Network): readonly Range[] {
  const range = networkRange(network);
  return range === undefined ? [] : [range];
}

interface NotFound {
  readonly message: string;
  readonly help?: string;
}

/** `family` chooses among the addresses of an object that has several; without it the first counts. */
function find(
  place: Exclude<Place, { kind: "service" }>,
  model: ClusterModel | undefined,
  family?: Family,
): Found | NotFound {
  switch (place.kind) {
    case "address":
      return { address: place.address, ...(place.port === undefined ? {} : { port: place.port }) };
    case "node":
      return findNode(place, model, family);
    case "pod":
      return findPod(place, model, family);
  }
}

function findService(
  place: Place & { kind: "service" },
  model: ClusterModel | undefined,
  others: readonly KnownService[],
): Found | NotFound {
  const wanted = `${place.namespace}/${place.name}`;
  const object = model?.services.find(({ meta }) => `${meta.namespace}/${meta.name}` === wanted);
  const service =
    object === undefined
      ? others.find(({ namespace, name }) => `${namespace}/${name}` === wanted)
      : knownService(object);
  if (service === undefined)
    return notFound("Service", wanted, [
      ...(model?.services ?? []).map(({ meta }) => `${meta.namespace}/${meta.name}`),
      ...others.map(({ namespace, name }) => `${namespace}/${name}`),
    ]);
  const { clusterIP: address } = service;
  if (address === undefined) return { message: `Service ${wanted} has no cluster IP` };
  const port =
    place.port === undefined
      ? service.ports.length === 1
        ? service.ports[0]
        : undefined
      : service.ports.find(({ name, port }) => name === place.port || String(port) === place.port);
  if (port === undefined) {
    const ports = service.ports
      .map((one) => (one.name ? `${one.name} (${one.port})` : String(one.port)))
      .join(", ");
    return {
      message:
        place.port === undefined
          ? `which port of Service ${wanted}?`
          : `Service ${wanted} has no port ${place.port}`,
      help: `it has ${ports}`,
    };
  }
  return { address, port: port.port, protocol: port.protocol };
}

function knownService({ meta, clusterIP, ports }: Service): KnownService {
  return {
    namespace: meta.namespace,
    name: meta.name,
    clusterIP: readAddress(clusterIP),
    ports: ports.map(({ name, port, protocol }) => ({
      name,
      port,
      protocol: protocolNumber(protocol) ?? PROTOCOL.tcp,
    })),
  };
}

function findNode(
  place: Place & { kind: "node" },
  model: ClusterModel | undefined,
  family: Family | undefined,
): Found | NotFound {
  const nodes = model?.nodes ?? [];
  const node = nodes.find(({ meta }) => meta.name === place.name);
  if (node === undefined)
    return notFound(
      "Node",
      place.name,
      nodes.map(({ meta }) => meta.name),
    );
  const internal = node.addresses.flatMap(({ type, address }) => (type === "InternalIP" ? [address] : []));
  const address = firstAddress(internal, family);
  if (address === undefined) return { message: `Node ${place.name} has no InternalIP${ofFamily(family)}` };
  if (place.port !== undefined && !/^\d+$/.test(place.port)) return { message: "a node's port is a number" };
  return { address, ...(place.port === undefined ? {} : { port: Number(place.port) }) };
}

function findPod(
  place: Place & { kind: "pod" },
  model: ClusterModel | undefined,
  family: Family | undefined,
): Found | NotFound {
  const wanted = `${place.namespace}/${place.name}`;
  const pods = model?.pods ?? [];
  const pod = pods.find(({ meta }) => `${meta.namespace}/${meta.name}` === wanted);
  if (pod === undefined)
    return notFound(
      "Pod",
      wanted,
      pods.map(({ meta }) => `${meta.namespace}/${meta.name}`),
    );
  const address = firstAddress(pod.addresses, family);
  if (address === undefined) return { message: `Pod ${wanted} has no IP${ofFamily(family)}` };
  if (place.port === undefined) return { address };
  const named = pod.ports.find(({ name }) => name === place.port);
  if (named === undefined) {
    return /^\d+$/.test(place.port)
      ? { address, port: Number(place.port) }
      : { message: `Pod ${wanted} has no port ${place.port}` };
  }
  const protocol = protocolNumber(named.protocol);
  return { address, port: named.containerPort, ...(protocol === undefined ? {} : { protocol }) };
}

function firstAddress(texts: readonly string[], family: Family | undefined): Address | undefined {
  const addresses = texts.map(readAddress).filter((one): one is Address => one !== undefined);
  return family === undefined ? addresses[0] : addresses.find((one) => familyOf(one) === family);
}

function ofFamily(family: Family | undefined): string {
  return family === undefined ? "" : family === "ipv6" ? " of IPv6" : " of IPv4";
}

function notFound(kind: string, name: string, names: readonly string[]): NotFound {
  if (names.length === 0) return { message: `${kind} ${name}: no ${kind} objects were given` };
  const near = nearest(name, names);
  return {
    message: `there is no ${kind} ${name}`,
    help: near === undefined ? `there are ${names.slice(0, 5).join(", ")}` : `did you mean ${near}?`,
  };
}

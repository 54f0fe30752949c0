/** Service ports as JSON, for landfall/services@1 and landfall/explain@1. */
import { type Address, printAddress } from "../../grammar/address.js";
import { protocolName } from "../../grammar/protocols.js";
import type {
  Clients,
  Fraction,
  Outcome,
  RuleAt,
  ServiceEndpoint,
  ServicePort,
  ServicesFound,
} from "../explain/service-model.js";
import { notesOn, shareNumber, tallies } from "../explain/service-words.js";
import type { ServiceDocument, ServicesDocument } from "./schemas/services.js";
import { typeOf } from "./services-text.js";

export function servicesDocument(
  services: readonly ServicePort[],
  { assumed }: ServicesFound,
): ServicesDocument {
  return { schema: "landfall/services@1", services: services.map(serviceDocument), assumed: [...assumed] };
}

export function serviceDocument(service: ServicePort): ServiceDocument {
  const { entrances, endpoints, counted, protocol } = service;
  return {
    name: service.name ?? null,
    nameProven: service.nameProven,
    family: service.family,
    type: typeOf(service),
    protocol: protocol === undefined ? null : protocolName(protocol),
    chains: [...service.chains],
    entrances: entrances.map(({ kind, address, port, rules, chain, clients, ownClients, letIn }) => ({
      kind,
      address: addressText(address),
      port: port ?? null,
      chain: chain ?? null,
      rules: rules.map(ruleRecord),
      clients: clients.map(clientsRecord),
      ownClients: ownClients.map(clientsRecord),
      letIn: letIn === undefined ? null : letIn.map(({ set, sources }) => ({ set, sources: [...sources] })),
    })),
    endpoints: endpoints.map((endpoint) => ({
      ...endpointRecord(endpoint),
      line: endpoint.line ?? null,
      weight: endpoint.weight ?? null,
      selfMasqueraded: endpoint.selfMasqueraded ?? null,
    })),
    affinitySeconds: service.affinitySeconds ?? null,
    internalPolicy: service.internalPolicy ?? null,
    externalPolicy: service.externalPolicy ?? null,
    healthCheckNodePort: service.healthCheckNodePort ?? null,
    scheduler: service.scheduler ?? null,
    sharing:
      service.sharing === undefined
        ? null
        : { assuming: [...service.sharing.assuming], next: service.sharing.next.map(endpointRecord) },
    lacks: [...(service.lacks ?? [])],
    counted: counted.map((one) => ({
      chain: one.chain,
      total: `${one.total}`,
      endpoints: tallies(one, service).map(({ endpoint, connections, expected, chance }) => ({
        ...endpointRecord(endpoint),
        connections: `${connections}`,
        expected: shareRecord(expected),
        chance,
      })),
    })),
    notes: [...notesOn(service)],
  };
}

function clientsRecord({ who, sets = [], outcomes }: Clients) {
  return { who: [...who], sets: [...sets], outcomes: outcomes.map(outcomeRecord) };
}

function outcomeRecord({ kind, share, endpoint, masqueraded, with: how, lacks }: Outcome) {
  return {
    kind,
    share: share === undefined ? null : shareRecord(share),
    endpoint: endpoint === undefined ? null : endpointRecord(endpoint),
    masqueraded,
    with: how ?? null,
    lacks: lacks ?? null,
  };
}

function endpointRecord({ address, port, chain }: ServiceEndpoint) {
  return { address: addressText(address), port: port ?? null, chain: chain ?? null };
}

function shareRecord(share: Fraction) {
  return { numerator: `${share.numerator}`, denominator: `${share.denominator}`, value: shareNumber(share) };
}

function ruleRecord({ table, chain, number, rule }: RuleAt) {
  return { table, chain, rule: number, line: rule.place?.line ?? null };
}

function addressText(address: Address | undefined): string | null {
  return address === undefined ? null : printAddress(address);
}

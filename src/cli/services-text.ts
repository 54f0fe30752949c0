/** Service ports as a table, as kubectl prints one. */
import { printAddress } from "../../grammar/address.js";
import { protocolName } from "../../grammar/protocols.js";
import type { Outcome, ServicePort } from "../explain/service-model.js";
import {
  alikeClients,
  endpointOutcomes,
  endpointWords,
  isEven,
  mainClients,
  nameOf,
  notesOn,
  refusalWords,
  shareWords,
  tallies,
  tallyWords,
} from "../explain/service-words.js";
import { clean, type Style } from "./style.js";
import { table } from "./table.js";

export interface ServicesTextOptions {
  readonly style: Style;
  readonly exact: boolean;
  /** All endpoints, chains, lines and counters. */
  readonly wide: boolean;
}

const HEAD: readonly string[] = [
  "NAME",
  "TYPE",
  "CLUSTER-IP",
  "EXTERNAL-IP",
  "PORT(S)",
  "ENDPOINTS",
  "AFFINITY",
  "POLICY",
];

/** The names of the columns, and a row for each service port. */
export function servicesTable(
  services: readonly ServicePort[],
  options: ServicesTextOptions,
): { readonly head: readonly string[]; readonly rows: readonly (readonly string[])[] } {
  const { style, wide } = options;
  const head = [...HEAD, ...(wide ? ["CLIENTS", "CHAINS", "LINES", "COUNTED"] : []), "NOTE"];
  const rows = services.map((service) => [
    clean(nameOf(service)),
    typeOf(service),
    addressesOf(service, ["cluster IP", "virtual server"]),
    addressesOf(service, ["external IP", "load balancer IP", "external address"]),
    portsOf(service),
    endpointsCell(service, options),
    affinityOf(service),
    policyOf(service),
    ...(wide
      ? [
          clientsCell(service, options),
          service.chains.join(",") || "-",
          linesOf(service),
          countedCell(service, options),
        ]
      : []),
    notesCell(service, style),
  ]);
  return { head, rows };
}

export function servicesText(services: readonly ServicePort[], options: ServicesTextOptions): string {
  const { head, rows } = servicesTable(services, options);
  const [first = "", ...lines] = table(head, rows, options.style);
  return `${[options.style.paint("dim", first), ...lines].join("\n")}\n`;
}

/** What kubectl would call it, as far as its addresses tell. */
export function typeOf({ entrances }: ServicePort): string {
  const has = (...kinds: readonly string[]) => entrances.some(({ kind }) => kinds.includes(kind));
  if (has("load balancer IP")) return "LoadBalancer";
  if (has("node port")) return "NodePort";
  return has("cluster IP", "external IP", "external address") ? "ClusterIP" : "-";
}

function addressesOf({ entrances }: ServicePort, kinds: readonly string[]): string {
  const found = entrances.flatMap(({ kind, address }) =>
    kinds.includes(kind) && address !== undefined ? [printAddress(address)] : [],
  );
  return [...new Set(found)].join(",") || "<none>";
}

/** `80:30080/TCP`, as kubectl prints ports. */
function portsOf({ entrances, protocol }: ServicePort): string {
  const own = entrances.find(({ kind, port }) => kind !== "node port" && port !== undefined)?.port;
  const nodePort = entrances.find(({ kind }) => kind === "node port")?.port;
  const behind = protocol === undefined ? "" : `/${protocolName(protocol).toUpperCase()}`;
  if (own === undefined && nodePort === undefined) return `?${behind}`;
  return `${own ?? "?"}${nodePort === undefined ? "" : `:${nodePort}`}${behind}`;
}

/** Endpoints beyond these are only counted, unless wide. */
const ENDPOINTS_MAX = 3;

function endpointsCell(service: ServicePort, { wide, exact }: ServicesTextOptions): string {
  const main = mainClients(service);
  const reached = main === undefined ? [] : endpointOutcomes(main);
  if (reached.length === 0) {
    const named = service.endpoints.map(endpointWords);
    return named.length === 0 ? "<none>" : shortened(named, wide).join(", ");
  }
  return endpointsText(main?.outcomes ?? [], { max: wide ? Number.POSITIVE_INFINITY : ENDPOINTS_MAX, exact });
}

/** Who fares how, at entrances where not all fare alike. */
function clientsCell({ entrances }: ServicePort, { exact }: ServicesTextOptions): string {
  const cells = entrances.flatMap((entrance) => {
    const groups = alikeClients(entrance);
    if (groups.length < 2) return [];
    return groups.map(({ who, outcomes }) => {
      const refused = outcomes.filter(({ kind }) => kind !== "endpoint").map(refusalWords);
      const lands = [endpointsText(outcomes, { max: ENDPOINTS_MAX, exact }), ...refused].filter(Boolean);
      return `${entrance.kind} ${clean(who)}: ${lands.join(", ")}`;
    });
  });
  return cells.join("; ") || "all alike";
}

/** `33.3 % each: a, b, c`, or each with a share of its own. */
function endpointsText(
  outcomes: readonly Outcome[],
  { max, exact }: { max: number; exact: boolean },
): string {
  const reached = outcomes.filter(({ kind }) => kind === "endpoint");
  const words = ({ endpoint }: Outcome) => (endpoint === undefined ? "?" : clean(endpointWords(endpoint)));
  const more = reached.length > max ? `, and ${reached.length - max} more` : "";
  const shown = reached.slice(0, max);
  const isShared = !exact && reached.length > 1 && isEven(outcomes);
  if (isShared) return `${shareWords(reached[0]?.share, false)} each: ${shown.map(words).join(", ")}${more}`;
  return `${shown.map((one) => `${shareWords(one.share, exact)} ${words(one)}`).join(", ")}${more}`;
}

function shortened(words: readonly string[], wide: boolean): readonly string[] {
  return wide || words.length <= ENDPOINTS_MAX
    ? words
    : [...words.slice(0, ENDPOINTS_MAX), `and ${words.length - ENDPOINTS_MAX} more`];
}

function affinityOf({ affinitySeconds }: ServicePort): string {
  return affinitySeconds === undefined ? "None" : `ClientIP ${affinitySeconds}s`;
}

/** `Cluster`, or which of the two is Local. */
function policyOf({ internalPolicy, externalPolicy, scheduler }: ServicePort): string {
  if (scheduler !== undefined) return scheduler;
  const known = [internalPolicy, externalPolicy].filter((one) => one !== undefined);
  if (known.length === 0) return "?";
  if (known.every((one) => one === known[0])) return known[0] ?? "";
  return internalPolicy === "Local" ? "Local inside" : "Local outside";
}

function linesOf({ entrances }: ServicePort): string {
  const lines = entrances.flatMap(({ rules }) => rules.flatMap(({ rule }) => rule.place?.line ?? []));
  return [...new Set(lines)].join(",") || "-";
}

function countedCell(service: ServicePort, { exact }: ServicesTextOptions): string {
  const words = service.counted.flatMap((counted) =>
    tallies(counted, service).map((tally) => `${endpointWords(tally.endpoint)} ${tallyWords(tally, exact)}`),
  );
  return words.join("; ") || "-";
}

function notesCell(service: ServicePort, style: Style): string {
  const notes = notesOn(service).map((note) => clean(note));
  return notes.length === 0 ? "" : style.paint("yellow", notes.join("; "));
}

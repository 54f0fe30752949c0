/** A service port in words: what it is reached by, who picks, who loses the source, and what is wrong with it. */
import { type Address, printAddress, withPort } from "../../grammar/address.js";
import { protocolName } from "../../grammar/protocols.js";
import { fullName } from "../cluster/ipvs-names.js";
import type {
  Clients,
  Counted,
  Entrance,
  Fraction,
  Outcome,
  ServiceEndpoint,
  ServicePort,
  ServicesFound,
} from "./service-model.js";

/** `10.244.1.14:8080`; the chain where the text lacks the address. */
export function endpointWords({ address, port, chain }: ServiceEndpoint): string {
  return address === undefined ? (chain ?? "?") : endWords(address, port);
}

export function endWords(address: Address, port: number | undefined): string {
  const text = printAddress(address);
  return port === undefined ? text : withPort(text, port);
}

/** `10.96.41.17:80/tcp`, `any local address:30080/tcp`. */
export function entranceWords({ address, port }: Entrance, { protocol }: ServicePort): string {
  const behind = protocol === undefined ? "" : `/${protocolName(protocol)}`;
  if (address === undefined && port === undefined) return "not in this text";
  return `${address === undefined ? `any local address:${port}` : endWords(address, port)}${behind}`;
}

/** What a service port is called; by its chain where it has no name. */
export function nameOf({ name, chains, entrances }: ServicePort): string {
  const [first] = entrances;
  if (name !== undefined) return name;
  if (chains[0] !== undefined) return chains[0];
  return first?.address === undefined ? "?" : endWords(first.address, first.port);
}

/** `33.3 %`, or the fraction. */
export function shareWords(share: Fraction | undefined, exact: boolean): string {
  if (share === undefined) return "?";
  const { numerator, denominator } = share;
  if (exact) return denominator === 1n ? `${numerator}` : `${numerator}/${denominator}`;
  if (numerator === denominator) return "100 %";
  const percent = shareNumber(share) * 100;
  return percent < 0.001 ? "< 0.001 %" : `${Number(percent.toPrecision(3))} %`;
}

/** The nearest double. */
export function shareNumber({ numerator, denominator }: Fraction): number {
  // Both may have thousands of bits; sixty-odd of the quotient are enough.
  return Number((numerator << 64n) / denominator) / 2 ** 64;
}

/** Whether all shares are one over their number, but for what 31 bits, or the five digits of old kube-proxies, cannot hold. */
export function isEven(outcomes: readonly Outcome[]): boolean {
  return outcomes.every(
    ({ share }) => share !== undefined && Math.abs(shareNumber(share) - 1 / outcomes.length) < 1e-5,
  );
}

/** The endpoints that a part of the clients reach, and with what share. */
export function endpointOutcomes({ outcomes }: Clients): readonly Outcome[] {
  return outcomes.filter(({ kind }) => kind === "endpoint");
}

/** The clients that tell of a service port at large: of the first entrance at which anybody reaches an endpoint. */
export function mainClients({ entrances }: ServicePort): Clients | undefined {
  const all = entrances.flatMap(({ clients }) => clients);
  return all.find((one) => endpointOutcomes(one).length > 0) ?? all[0];
}

/** What becomes of packets that reach no endpoint. */
export function refusalWords({ kind, with: how, lacks }: Outcome): string {
  switch (kind) {
    case "endpoint":
      return "";
    case "reject":
      return `refused at once${how === undefined ? "" : ` (${how})`}`;
    case "drop":
      return "dropped without an answer";
    case "passed":
      return "not translated: no rule sends them to an endpoint";
    case "unknown":
      return lacks === undefined ? "not known: rules are missing here" : `not known: ${lacks} is not here`;
  }
}

/** "if the source is in 10.244.0.0/16", or "always". */
function whoWords({ who }: Clients): string {
  return who.length === 0 ? "always" : `if ${who.join(", and ")}`;
}

export interface SourceWords {
  readonly kept: readonly string[];
  readonly lost: readonly string[];
}

/**
 * When the endpoint sees the client's own address, and when one of the node; of IPVS with the sets by which rules know the
 * packet, and nothing where rules or sets are not here.
 */
export function sourceWords({ entrances, endpoints, family, lacks }: ServicePort): SourceWords {
  const kept = new Set<string>();
  const lost = new Set<string>();
  for (const { kind, clients } of entrances) {
    const isTold = (one: Clients) => lacks === undefined || one.sets !== undefined;
    const reaching = clients.filter((one) => isTold(one) && endpointOutcomes(one).length > 0);
    const isLost = (one: Clients) => endpointOutcomes(one).some(({ masqueraded }) => masqueraded);
    const losing = reaching.filter(isLost).length;
    const alike = reaching.length === clients.length && (losing === 0 || losing === clients.length);
    for (const one of reaching) {
      const words = alike ? "always" : whoWords(one);
      const at = kind === "unknown" ? "" : words === "always" ? `${kind}: ` : `${kind} `;
      // What led here may have marked the packet.
      if (kind !== "unknown" || isLost(one)) (isLost(one) ? lost : kept).add(`${at}${words}${bySets(one)}`);
    }
  }
  if (endpoints.some(({ selfMasqueraded }) => selfMasqueraded))
    lost.add(
      `an endpoint that reaches itself${lacks === undefined ? "" : ` (${fullName("LOOP-BACK", family)})`}`,
    );
  return { kept: [...kept], lost: [...lost] };
}

function bySets({ sets = [] }: Clients): string {
  return sets.length === 0 ? "" : ` (${sets.join(", ")})`;
}

/** Clients of one entrance that land alike, whatever source the endpoint sees. */
export interface AlikeClients {
  /** "from outside", "if the source is in 10.244.0.0/16, and from the node itself"; empty: all. */
  readonly who: string;
  readonly outcomes: readonly Outcome[];
}

/** Who fares how at an entrance: from outside, from pods, as a process of the node. */
export function alikeClients({ clients, ownClients }: Entrance): readonly AlikeClients[] {
  const groups = new Map<string, { outside: Clients[]; own: Clients[]; outcomes: readonly Outcome[] }>();
  for (const [place, all] of [
    ["outside", clients],
    ["own", ownClients],
  ] as const) {
    for (const one of all) {
      const key = one.outcomes.map(outcomeKey).sort().join("\n");
      const group = groups.get(key) ?? { outside: [], own: [], outcomes: one.outcomes };
      groups.set(key, group);
      group[place].push(one);
    }
  }
  return [...groups.values()].map(({ outside, own, outcomes }) => {
    if (groups.size === 1) return { who: "", outcomes };
    const conditions = outside.map(whoWords);
    const isOutside = outside.length === clients.length;
    // A condition that holds for a process of the node as well needs no second mention.
    const others = own.filter((one) => isOutside || !conditions.includes(whoWords(one)));
    const parts = [
      ...(outside.length === 0 ? [] : [isOutside ? "from outside" : conditions.join(", or ")]),
      ...(others.length === 0
        ? []
        : own.length === ownClients.length
          ? ["from the node itself"]
          : others.map((one) => `from the node itself ${whoWords(one)}`)),
    ];
    return { who: parts.join(", and "), outcomes };
  });
}

function outcomeKey({ kind, share, endpoint, with: how, lacks }: Outcome): string {
  const to = endpoint === undefined ? "" : endpointWords(endpoint);
  return [kind, share?.numerator, share?.denominator, to, how, lacks].join(" ");
}

/** What is out of the ordinary, in short sentences, the gravest first. */
export function notesOn(service: ServicePort): readonly string[] {
  const notes = new Set<string>();
  const { entrances, endpoints, counted } = service;
  const groups = entrances.flatMap((entrance) =>
    alikeClients(entrance).map((group) => ({ entrance, ...group })),
  );
  const refused = groups.flatMap(({ entrance, who, outcomes }) =>
    outcomes.filter(({ kind }) => kind !== "endpoint").map((outcome) => ({ entrance, who, outcome })),
  );
  const reachedBy = ({ outcomes }: { readonly outcomes: readonly Outcome[] }) =>
    outcomes.filter(({ kind }) => kind === "endpoint").length;
  const isAll = groups.every((group) => reachedBy(group) === 0);
  const alike = new Set(refused.map(({ outcome }) => refusalWords(outcome))).size === 1;
  if (isAll && alike && refused[0] !== undefined) {
    const { outcome } = refused[0];
    const why = outcome.kind === "reject" && endpoints.length === 0 ? "no endpoints: " : "";
    notes.add(`${why}${refusalWords(outcome)}`);
  } else
    for (const { entrance, who, outcome } of refused) {
      const part =
        outcome.share === undefined || outcome.share.numerator === outcome.share.denominator
          ? ""
          : `${shareWords(outcome.share, false)} `;
      notes.add(behind(who, `${placeWords(entrance)}${part}${refusalWords(outcome)}`));
    }
  const main = mainClients(service);
  const reached = main === undefined ? [] : endpointOutcomes(main);
  if (main !== undefined && !isEven(main.outcomes) && reached.length > 1 && service.scheduler === undefined)
    notes.add("uneven shares");
  const most = Math.max(0, ...groups.map(reachedBy));
  for (const { entrance, who, outcomes } of groups) {
    const count = reachedBy({ outcomes });
    if (count > 0 && count < most)
      notes.add(behind(who, `${placeWords(entrance)}${count} of ${most} endpoints`));
  }
  const lonely = endpoints.filter(({ selfMasqueraded }) => selfMasqueraded === false);
  if (lonely.length > 0) {
    const first = lonely[0] === undefined ? "" : endpointWords(lonely[0]);
    notes.add(
      `${first}${lonely.length > 1 ? ` and ${lonely.length - 1} more` : ""} cannot reach itself by the Service`,
    );
  }
  if (entrances.length === 0) notes.add("its chains have no rules here");
  const closed = closedServers(service).length;
  if (closed > 0)
    notes.add(`${closed} of ${endpoints.length} real servers have weight 0: no new connections`);
  for (const one of counted) for (const words of surprisesIn(one, service)) notes.add(words);
  return [...notes];
}

/** Whether an answer took rules for granted that are not here, or leaves open what becomes of packets. */
export function isUncertain(services: readonly ServicePort[], { assumed }: ServicesFound): boolean {
  return (
    assumed.length > 0 ||
    services.some(({ entrances }) =>
      entrances.some(({ clients }) =>
        clients.some(({ outcomes }) =>
          outcomes.some(({ kind, share }) => kind === "unknown" || share === undefined),
        ),
      ),
    )
  );
}

function behind(who: string, words: string): string {
  return who === "" ? words : `${words} ${who}`;
}

function placeWords({ kind }: Entrance): string {
  return kind === "unknown" ? "" : `${kind}: `;
}

/** Shares by endpoint chain of the clients that reach just these chains; empty: none do. */
export function sharesVia(service: ServicePort, chains: readonly string[]): ReadonlyMap<string, Fraction> {
  const wanted = new Set(chains);
  for (const { clients } of service.entrances) {
    for (const one of clients) {
      const via = new Map(
        one.outcomes.flatMap(({ endpoint, share }) =>
          endpoint?.chain === undefined || share === undefined ? [] : [[endpoint.chain, share] as const],
        ),
      );
      if (via.size === wanted.size && [...via.keys()].every((chain) => wanted.has(chain))) return via;
    }
  }
  return new Map();
}

/** Real servers of IPVS that get no new connections. */
export function closedServers({ endpoints, entrances, scheduler }: ServicePort): readonly ServiceEndpoint[] {
  if (scheduler === undefined) return [];
  const open = new Set(
    entrances.flatMap(({ clients }) =>
      clients.flatMap((one) =>
        endpointOutcomes(one).map(({ endpoint }) => endpoint && endpointWords(endpoint)),
      ),
    ),
  );
  return endpoints.filter((endpoint) => !open.has(endpointWords(endpoint)));
}

/** Below this probability chance alone is no good explanation. */
const UNLIKELY = 0.001;

/** Connections that an endpoint got, against what the rules give it. */
export interface Tally {
  readonly endpoint: ServiceEndpoint;
  readonly connections: bigint;
  readonly total: bigint;
  readonly expected: Fraction;
  /** The probability of a count at least so far off if the rules shared as they do now; null with affinity. */
  readonly chance: number | null;
}

/** Counts of a chain by endpoint; a client that comes again is no draw of its own, so affinity says nothing of chance. */
export function tallies({ total, endpoints }: Counted, service: ServicePort): readonly Tally[] {
  const shares = sharesVia(
    service,
    endpoints.flatMap(({ endpoint }) => endpoint.chain ?? []),
  );
  if (total === 0n) return [];
  return endpoints.flatMap(({ endpoint, connections }) => {
    const expected = shares.get(endpoint.chain ?? "");
    if (expected === undefined) return [];
    const chance =
      service.affinitySeconds === undefined
        ? binomialChance(Number(connections), Number(total), shareNumber(expected))
        : null;
    return [{ endpoint, connections, total, expected, chance }];
  });
}

/** "12 % of 1,204 connections, expected 33.3 %: unlikely by chance". */
export function tallyWords({ connections, total, expected, chance }: Tally, exact: boolean): string {
  const got = exact
    ? `${connections} of ${grouped(total)} connections`
    : `${shareWords({ numerator: connections, denominator: total }, false)} of ${grouped(total)} connections`;
  const judged = chance === null ? "" : chance < UNLIKELY ? ": unlikely by chance" : ": likely by chance";
  return `${got}, expected ${shareWords(expected, exact)}${judged}`;
}

function surprisesIn(counted: Counted, service: ServicePort): readonly string[] {
  return tallies(counted, service)
    .filter(({ chance }) => chance !== null && chance < UNLIKELY)
    .map((tally) => `${endpointWords(tally.endpoint)} got ${tallyWords(tally, false)}`);
}

function grouped(count: bigint): string {
  return `${count}`.replace(/\B(?=(?:\d{3})+$)/g, ",");
}

/** Counts up to this are summed exactly. */
const EXACT_MAX = 5000;

/** Two-sided: the probability that `n` draws with chance `p` give a count at least as far from the mean as `k`. */
export function binomialChance(k: number, n: number, p: number): number {
  if (n === 0) return 1;
  if (p <= 0 || p >= 1) return k === n * p ? 1 : 0;
  const mean = n * p;
  const off = Math.abs(k - mean);
  if (n > EXACT_MAX) return Math.min(1, 2 * upperNormal(Math.max(0, off - 0.5) / Math.sqrt(n * p * (1 - p))));
  // Logarithms, since single terms are far below what a double holds.
  let log = n * Math.log1p(-p);
  let sum = 0;
  for (let i = 0; i <= n; i++) {
    if (Math.abs(i - mean) >= off - 1e-9) sum += Math.exp(log);
    log += Math.log(n - i) - Math.log(i + 1) + Math.log(p) - Math.log1p(-p);
  }
  return Math.min(1, sum);
}

/** The upper tail of the normal distribution (Abramowitz and Stegun 26.2.17, error below 1e-7). */
function upperNormal(z: number): number {
  const t = 1 / (1 + 0.2316419 * z);
  const polynomial =
    t * (0.31938153 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))));
  return (Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI)) * polynomial;
}

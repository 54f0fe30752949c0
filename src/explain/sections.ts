/**
 * Explanations as sections of plain words: services, chains, rules and whole rulesets. What they are drawn as (text,
 * Markdown) is decided elsewhere; words from inputs are not made safe here.
 */
import { type Family, printAddress } from "../../grammar/address.js";
import { meaningOf } from "../state/meaning.js";
import type { NodeState } from "../state/nodestate.js";
import { type Chain, chainOf, type Rule, type Ruleset, rulesOf } from "../state/rules.js";
import { printRule } from "../text/save.js";
import { isAssumed } from "./complete.js";
import { hostPortsIn, sandboxOf, shortId } from "./host-ports.js";
import { openConnectionsOf } from "./open-connections.js";
import { jumpsTo, overviewOf } from "./overview.js";
import { ownerOf } from "./owners.js";
import { versionWords } from "./proxy-version.js";
import type { Entrance, RuleAt, ServicePort } from "./service-model.js";
import { commentOf, ENDPOINT_CHAIN, namedIn, withoutColon } from "./service-names.js";
import {
  closedServers,
  endpointOutcomes,
  endpointWords,
  entranceWords,
  isEven,
  mainClients,
  nameOf,
  notesOn,
  refusalWords,
  sharesVia,
  shareWords,
  sourceWords,
  tallies,
  tallyWords,
} from "./service-words.js";
import { conditionsInWords, effectInWords, remembersInWords, ruleWords } from "./words.js";

/** A heading with lines and rows below it; rows are cells, with names of the columns or without. */
export interface Section {
  readonly heading?: string;
  readonly lines?: readonly string[];
  readonly head?: readonly string[];
  readonly rows?: readonly (readonly string[])[];
  /** Facts, each with rows of its own. */
  readonly facts?: readonly Fact[];
}

export interface Fact {
  readonly label: string;
  readonly rows: readonly (readonly string[])[];
}

export interface SectionOptions {
  /** Shares as fractions. */
  readonly exact: boolean;
}

/** Rows beyond these are only counted. */
const ROWS_MAX = 40;

/** A service port: where it is reached, who picks the endpoint, who sees whose address, and what is wrong. */
export function serviceSection(service: ServicePort, { exact }: SectionOptions, state: NodeState): Section {
  const facts: Fact[] = [];
  const add = (label: string, rows: readonly (readonly string[])[]): void => {
    const more = rows.length > ROWS_MAX ? [[`… and ${rows.length - ROWS_MAX} more`]] : [];
    if (rows.length > 0) facts.push({ label, rows: [...rows.slice(0, ROWS_MAX), ...more] });
  };
  add("reached by", reachedRows(service));
  for (const { label, rows } of chosenRows(service, exact, state)) add(label, rows);
  add("chosen by", scheduledRows(service, exact));
  add("let in", letInRows(service));
  add("together", togetherRows(service, exact, state));
  const { kept, lost } = sourceWords(service);
  if (kept.length > 0) add("source kept", [[kept.join(" · ")]]);
  if (lost.length > 0) add("source lost", [[lost.join(" · ")]]);
  if (service.affinitySeconds !== undefined)
    add("affinity", [
      [`a client goes back to its endpoint for ${service.affinitySeconds} s after its last new connection`],
    ]);
  const policies = policyWords(service);
  if (policies !== "") add("policy", [[policies]]);
  if (service.healthCheckNodePort !== undefined)
    add("health check", [[`node port ${service.healthCheckNodePort}`]]);
  add("open now", openRows(service, state));
  add(
    "not known",
    (service.lacks ?? []).map((one) => [one]),
  );
  for (const counted of service.counted) {
    add(
      "counted",
      tallies(counted, service).map((tally) => [endpointWords(tally.endpoint), tallyWords(tally, exact)]),
    );
  }
  const endpoints = endpointsWords(service);
  add(
    "note",
    notesOn(service)
      // What the heading says already is not said twice.
      .filter((note) => !note.includes(" connections, expected ") && !endpoints.endsWith(note))
      .map((note) => [note]),
  );
  return { heading: `${nameOf(service)}  →  ${endpoints}`, facts };
}

/** Connections by endpoint: few clients that keep theirs open leave endpoints idle, however even the draws are. */
function openRows(service: ServicePort, { connections }: NodeState): readonly (readonly string[])[] {
  const open = openConnectionsOf(service, connections);
  if (open === undefined) return [];
  return [
    ...open.byEndpoint.map(({ endpoint, count }) => [endpointWords(endpoint), countOf(count, "connection")]),
    ...(open.elsewhere === 0 ? [] : [["none of its endpoints", countOf(open.elsewhere, "connection")]]),
  ];
}

/** What the scheduler of IPVS gives each real server. */
function scheduledRows(service: ServicePort, exact: boolean): readonly (readonly string[])[] {
  const main = mainClients(service);
  if (service.scheduler === undefined || main === undefined) return [];
  const { next = [], assuming = [] } = service.sharing ?? {};
  return [
    ...endpointOutcomes(main).map(({ endpoint, share }) => [
      service.scheduler ?? "",
      `→ ${endpoint === undefined ? "?" : endpointWords(endpoint)}`,
      share === undefined ? "not known: no such scheduler is known here" : shareWords(share, exact),
      endpoint?.weight === undefined ? "" : `weight ${endpoint.weight}`,
    ]),
    ...closedServers(service).map(({ weight, ...endpoint }) => [
      "never",
      `→ ${endpointWords(endpoint)}`,
      "",
      weight === undefined ? "" : `weight ${weight}`,
    ]),
    ...(next.length === 0
      ? []
      : [["next", `→ ${next.map(endpointWords).join(" or ")}`, "by the connections that each has now"]]),
    ...assuming.map((one) => [`shares of all clients in the long run: ${one}`]),
  ];
}

/** Whom the firewall of a load balancer's address lets in. */
function letInRows(service: ServicePort): readonly (readonly string[])[] {
  return service.entrances.flatMap((entrance): readonly (readonly string[])[] => {
    if (entrance.letIn === undefined) return [];
    const place = entranceWords(entrance, service);
    if (entrance.letIn.length === 0) return [[place, "no source", "in no set of sources"]];
    return entrance.letIn.map(({ set, sources }) => {
      const more = sources.length > ROWS_MAX ? ` and ${sources.length - ROWS_MAX} more` : "";
      return [place, `${sources.slice(0, ROWS_MAX).join(", ")}${more}`, set];
    });
  });
}

/** What the draws come to: chances that follow one another look uneven, and are not. */
function togetherRows(
  service: ServicePort,
  exact: boolean,
  state: NodeState,
): readonly (readonly string[])[] {
  const main = mainClients(service);
  const reached = main === undefined ? [] : endpointOutcomes(main);
  const [first] = reached;
  if (main === undefined || first === undefined || service.scheduler !== undefined) return [];
  if (main.outcomes.some(({ kind }) => kind === "unknown")) return partlyKnownRows(service, state);
  if (reached.length < 2) return [];
  const shares =
    isEven(main.outcomes) && !exact
      ? `each endpoint gets ${shareWords(first.share, false)} of new connections: a rule draws among those that are left`
      : "shares as given, of new connections; each rule draws among those that are left";
  return [[shares], ["drawn once for each connection: what is sent over one that stays open goes one way"]];
}

/** Of a chain that lacks rules: what kube-proxy's first draw tells of how many there are. */
function partlyKnownRows(service: ServicePort, { rulesets }: NodeState): readonly (readonly string[])[] {
  const chain = service.chains.map((name) => chainOf(rulesets[service.family], "nat", name));
  const [draw] = chain
    .flatMap((one) => (one === undefined ? [] : rulesOf(one).filter(goesToEndpoint)))
    .flatMap((rule) => meaningOf(rule, service.family).matches)
    .flatMap(({ condition }) => (condition.kind === "chance" ? [condition.threshold] : []));
  if (draw === undefined || draw === 0) return [];
  const count = Math.round(ALL_DRAWS / draw);
  // Five digits in old versions.
  if (count < 2 || Math.abs(draw / ALL_DRAWS - 1 / count) > 1e-5) return [];
  const share = shareWords({ numerator: 1n, denominator: BigInt(count) }, false);
  return [
    [
      `kube-proxy writes 1 in ${count} where ${count} endpoints are left, and a larger part of the rest for each that follows: if this is the first, each gets ${share}`,
    ],
  ];
}

/** xt_statistic draws 31 bits. */
const ALL_DRAWS = 2 ** 31;

function endpointsWords(service: ServicePort): string {
  const main = mainClients(service);
  const reached = main === undefined ? [] : endpointOutcomes(main);
  const count = reached.length || service.endpoints.length;
  if (count === 0) {
    const outcome = main?.outcomes[0];
    if (outcome?.kind === "unknown") return `endpoints ${refusalWords(outcome)}`;
    if (outcome !== undefined) return `no endpoints: ${refusalWords(outcome)}`;
    return service.entrances.length === 0 ? "no rules here" : "too many ways through these rules to tell";
  }
  const many = `${count} endpoint${count === 1 ? "" : "s"}`;
  if (reached.length === 0 && service.scheduler !== undefined)
    return count === 1
      ? `${many}, which takes no new connections`
      : `${many}, none of which takes new connections`;
  if (reached.length === 0) return `${many}, and no rule here leads to ${count === 1 ? "it" : "them"}`;
  if (main?.outcomes.some(({ kind }) => kind === "unknown")) return `${many}, and rules are missing`;
  if (count === 1) return many;
  if (service.scheduler !== undefined) return `${many}, picked by ${service.scheduler} (IPVS)`;
  const shares = isEven(main?.outcomes ?? []) ? "even shares" : "uneven shares";
  return `${many}, picked at random, ${shares}`;
}

function reachedRows(service: ServicePort): readonly (readonly string[])[] {
  return service.entrances
    .filter(({ kind }) => kind !== "unknown")
    .map((entrance) => [entranceWords(entrance, service), entrance.kind, linesWords(entrance)]);
}

function linesWords({ rules }: Entrance): string {
  const lines = [...new Set(rules.flatMap(({ rule }) => lineOf(rule) ?? []))].sort((a, b) => a - b);
  return lines.length === 0 ? "" : `line${lines.length > 1 ? "s" : ""} ${lines.join(", ")}`;
}

/** The line of the input that a rule stood on. */
export function lineOf(rule: Rule): number | undefined {
  return isAssumed(rule) ? undefined : rule.place?.line;
}

/** The rules of each chain that picks endpoints, with what part of the connections each takes. */
function chosenRows(service: ServicePort, exact: boolean, { rulesets }: NodeState): readonly Fact[] {
  const ruleset = rulesets[service.family];
  const names = new Map(service.endpoints.map((endpoint) => [endpoint.chain, endpointWords(endpoint)]));
  const picking = service.chains.flatMap((name) => {
    const chain = chainOf(ruleset, "nat", name);
    const rules = chain === undefined ? [] : rulesOf(chain).filter(goesToEndpoint);
    return rules.length === 0 ? [] : [{ name, rules }];
  });
  return picking.map(({ name, rules }) => {
    const shares = sharesVia(service, rules.flatMap(targetOf));
    let drawn = false;
    const cells = rules.map((rule): readonly string[] => {
      const { matches } = meaningOf(rule, service.family);
      const draws = matches.some(({ condition }) => condition.kind === "chance");
      const recalls = matches.some(({ condition }) => condition.kind === "remembered");
      const asks = conditionsInWords(rule, service.family);
      const words = recalls
        ? "seen there before"
        : draws
          ? `${asks}${drawn ? " of the rest" : ""}`
          : asks || (drawn ? "the rest" : "always");
      drawn ||= draws;
      const to = targetOf(rule)[0] ?? "";
      const share = recalls ? undefined : shares.get(to);
      return [
        lineWords(rule),
        words,
        `→ ${names.get(to) ?? to}`,
        share === undefined ? "" : shareWords(share, exact),
      ];
    });
    return { label: picking.length > 1 ? `by ${name}` : "chosen by", rows: cells };
  });
}

function goesToEndpoint(rule: Rule): boolean {
  return targetOf(rule).some((to) => ENDPOINT_CHAIN.test(to));
}

function targetOf({ target }: Rule): readonly string[] {
  return target?.kind === "chain" ? [target.chain] : [];
}

function lineWords(rule: Rule): string {
  const line = lineOf(rule);
  return line === undefined ? "" : `line ${line}`;
}

function policyWords({ internalPolicy, externalPolicy }: ServicePort): string {
  return [
    ...(internalPolicy === "Local" ? ["internalTrafficPolicy Local: only endpoints on this node"] : []),
    ...(externalPolicy === "Local"
      ? ["externalTrafficPolicy Local: clients from outside get only endpoints on this node"]
      : []),
  ].join(" · ");
}

/** A chain: who leads there, and its rules in words, in the order in which packets meet them. */
export function chainSections(ruleset: Ruleset, table: string, name: string): readonly Section[] {
  const chain = chainOf(ruleset, table, name);
  const rules = chain === undefined ? [] : rulesOf(chain);
  const users = jumpsTo(ruleset, table, name);
  const owner = ownerOf(name);
  const lines = [
    `table ${table}, ${rules.length} rule${rules.length === 1 ? "" : "s"}${owner === undefined ? "" : `, of ${owner}`}`,
    ...(chain?.policy === undefined ? [] : [`packets that no rule decides: ${chain.policy}`]),
    ...(chain?.policy === undefined && users.length === 0 ? ["no rule that is here leads to it"] : []),
  ];
  const own = rules.map((rule, index) => ({ table, chain: name, number: index + 1, rule }));
  return [
    { heading: name, lines },
    ...(users.length === 0 ? [] : [{ heading: "led to by", rows: ruleRows(users, ruleset.family) }]),
    ...(rules.length === 0
      ? []
      : [{ heading: "rules, in the order in which packets meet them", rows: ruleRows(own, ruleset.family) }]),
  ];
}

/** Rules with their coordinates, in words. */
export function ruleRows(rules: readonly RuleAt[], family: Family): readonly (readonly string[])[] {
  const counted = rules.some(({ rule }) => rule.counters !== undefined);
  const rows = rules
    .slice(0, ROWS_MAX)
    .map((at) => [
      placeWords(at),
      ruleWords(at.rule, family) || "counts only",
      ...(counted ? [packetsOf(at.rule)] : []),
      lineWords(at.rule),
    ]);
  const more = rules.length > ROWS_MAX ? [[`… and ${rules.length - ROWS_MAX} more`]] : [];
  return [...rows, ...more];
}

function packetsOf({ counters }: Rule): string {
  return counters === undefined ? "" : `${counters.packets} packets`;
}

/** `nat:KUBE-SERVICES:rule:1`, as the kernel's TRACE names rules. */
function placeWords({ table, chain, number }: RuleAt): string {
  return `${table}:${chain}:rule:${number}`;
}

/** One rule: what it asks, what it does, and what that means for the packet. */
export function ruleSection(at: RuleAt, { family }: Ruleset): Section {
  const { rule } = at;
  const asks = conditionsInWords(rule, family);
  const owner = ownerOf(at.chain);
  return {
    heading: placeWords(at),
    lines: [printRule(rule, at.chain, family)],
    facts: [
      { label: "asks", rows: [[asks === "" ? "nothing: it is for all packets" : asks]] },
      { label: "does", rows: [[doesInWords(rule, family)]] },
      { label: "next", rows: [[goesOnInWords(rule, family)]] },
      ...(owner === undefined ? [] : [{ label: "whose", rows: [[whoseWords(owner, rule)]] }]),
      ...(rule.counters === undefined
        ? []
        : [{ label: "counted", rows: [[`${rule.counters.packets} packets`]] }]),
    ],
  };
}

/** The program, and for what it made the rule. */
function whoseWords(owner: string, rule: Rule): string {
  const sandbox = sandboxOf(rule);
  return sandbox === undefined
    ? owner
    : `${owner}, for pod sandbox ${shortId(sandbox)}: only portmap takes it away, when that pod's network is taken down`;
}

function doesInWords(rule: Rule, family: Family): string {
  const { effect } = meaningOf(rule, family);
  const leads = effect.kind === "jump" || effect.kind === "goto";
  const words = effectInWords(rule, family);
  const all = [
    ...remembersInWords(rule, family),
    ...(words === "" ? [] : [leads ? `sends the packet through ${words}` : words]),
  ];
  return all.length === 0 ? "nothing: it only counts" : all.join(", ");
}

/** What comes after the rule. */
function goesOnInWords(rule: Rule, family: Family): string {
  const { effect } = meaningOf(rule, family);
  switch (effect.kind) {
    case "verdict":
      return effect.verdict === "accept"
        ? "no other rule of this table is asked at this hook"
        : effect.verdict === "drop"
          ? "the packet is gone, and the sender gets no answer"
          : "a program of the node decides";
    case "reject":
      return "the packet is gone, and the sender is told so";
    case "return":
      return "the rule after the jump that led here; in a built-in chain the policy";
    case "jump":
      return "the rules of that chain, then the next rule here unless one of them decides";
    case "goto":
      return "the rules of that chain, then those after the jump that led here";
    case "rewrite":
    case "netmap":
    case "masquerade":
    case "redirect":
      return "no other rule of nat is asked at this hook; the answer's way is translated back";
    default:
      return "the next rule";
  }
}

/** Whether no table was given whole. */
export function isFragment({ tables }: Ruleset): boolean {
  return [...tables.values()].every(({ fragment }) => fragment === true);
}

function countOf(count: number, word: string): string {
  return `${count} ${word}${count === 1 ? "" : "s"}`;
}

/** A whole ruleset at a glance. */
export function overviewSections(ruleset: Ruleset): readonly Section[] {
  const { family, tables, owners, proxyVersions, policies, refusals } = overviewOf(ruleset);
  const versions = proxyVersions === undefined ? "" : versionWords(proxyVersions);
  return [
    {
      heading: `${family === "ipv4" ? "IPv4" : "IPv6"} rules`,
      rows: tables.map(({ name, chains, rules, isFragment }) => [
        name,
        countOf(chains, "chain"),
        countOf(rules, "rule"),
        isFragment ? "only some of its lines" : "",
      ]),
    },
    ...(owners.length === 0
      ? []
      : [
          {
            heading: "whose rules",
            rows: owners.map(({ name, chains, rules }) => [
              name ?? "others",
              chains === 0 ? "" : countOf(chains, "chain"),
              countOf(rules, "rule"),
              name === "kube-proxy" && versions !== "" ? `as version ${versions} writes them` : "",
            ]),
          },
        ]),
    ...(policies.length === 0
      ? []
      : [
          {
            heading: "policies that refuse what no rule accepts",
            rows: policies.map(({ table, chain, policy, packets }) => [
              `${table}:${chain}`,
              policy,
              packets === undefined ? "" : `${packets} packets met it`,
            ]),
          },
        ]),
    ...(refusals.length === 0
      ? []
      : [{ heading: "rules that drop or reject", rows: ruleRows(refusals, family) }]),
  ];
}

/** The host ports of pods; none without any. */
export function hostPortSections(ruleset: Ruleset): readonly Section[] {
  const ports = hostPortsIn(ruleset);
  if (ports.length === 0) return [];
  const rows = ports
    .slice(0, ROWS_MAX)
    .map(({ at, port, address, to, sandbox, takenBy }) => [
      `${address === undefined ? "any local address" : printAddress(address)}:${port}`,
      `→ ${to ?? `${targetOf(at.rule).join("")}, which is not here`}`,
      sandbox === undefined ? "" : `pod sandbox ${shortId(sandbox)}`,
      lineWords(at.rule),
      takenBy === undefined
        ? ""
        : `never asked: ${lineWords(takenBy.at.rule) || placeWords(takenBy.at)} takes the port`,
    ]);
  const more = ports.length > ROWS_MAX ? [[`… and ${ports.length - ROWS_MAX} more`]] : [];
  return [
    {
      heading: "host ports of pods (the CNI plugin portmap makes them when a pod starts)",
      rows: [...rows, ...more],
    },
  ];
}

/** What is left when a dump was searched for the word random: draws of endpoints, which say nothing of source ports. */
export function drawSections(ruleset: Ruleset): readonly Section[] {
  const rules = [...ruleset.tables.values()].flatMap(({ chains }) => [...chains.values()].flatMap(rulesOf));
  const draws = ({ matches }: Rule) => matches.some(({ name }) => name === "statistic");
  // One service's chain alone is another question.
  const chains = new Set(
    [...ruleset.tables.values()].flatMap((table) =>
      [...table.chains.values()].filter((chain) => rulesOf(chain).length > 0),
    ),
  );
  if (chains.size < 2 || !rules.every(draws)) return [];
  return [
    {
      lines: [
        "`--mode random` of these rules draws an endpoint for each new connection. It is not --random or --random-fully of SNAT and MASQUERADE, which draw source ports: no such rule is here",
      ],
    },
  ];
}

/** Whether a rule marks what another one of its chain leads to a service port: that tells who loses the source. */
function marksFor(services: readonly ServicePort[], rule: Rule, chain: Chain): boolean {
  if (targetOf(rule)[0] !== "KUBE-MARK-MASQ") return false;
  const named = namedIn(commentOf(rule) ?? "")?.name;
  return (
    named !== undefined &&
    services.some(
      ({ name, entrances }) =>
        name === withoutColon(named) &&
        entrances.some(({ rules }) => rules.some((at) => at.chain === chain.name)),
    )
  );
}

/** Rules of a fragment that tell of no service port, in words. */
export function otherRules(ruleset: Ruleset, services: readonly ServicePort[]): readonly RuleAt[] {
  const told = new Set<Rule>(
    services.flatMap(({ entrances }) => entrances.flatMap(({ rules }) => rules.map(({ rule }) => rule))),
  );
  const chains = new Set(
    services.flatMap(({ chains: own, endpoints }) => [
      ...own,
      ...endpoints.flatMap(({ chain }) => chain ?? []),
    ]),
  );
  return [...ruleset.tables.values()].flatMap((table) =>
    [...table.chains.values()]
      .filter(({ name }: Chain) => !(table.name === "nat" && chains.has(name)))
      .flatMap((chain) =>
        rulesOf(chain).flatMap((rule, index): readonly RuleAt[] =>
          told.has(rule) || marksFor(services, rule, chain)
            ? []
            : [{ table: table.name, chain: chain.name, number: index + 1, rule }],
        ),
      ),
  );
}

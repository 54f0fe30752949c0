/** What becomes of packets to a service port: the evaluator is asked about kube-proxy's rules alone (proxy-view.ts). */
import { type Address, ALL_ONES, type Family, familyOf, readAddress } from "../../grammar/address.js";
import type { Packet } from "../../grammar/packet.js";
import { evaluate } from "../evaluate/evaluate.js";
import type { Landing, Step } from "../evaluate/outcome.js";
import { lowestTerms } from "../evaluate/share.js";
import type { Network } from "../state/network.js";
import { chainOf, type Ruleset, rulesOf } from "../state/rules.js";
import { isAssumed, missingChainOf } from "./complete.js";
import type { EndpointRule, EntryEnd } from "./find-services.js";
import { type End, selfRuleOf, translationOf } from "./proxy-view.js";
import type { Clients, Entrance, Outcome, ServiceEndpoint } from "./service-model.js";
import { ENDPOINT_CHAIN } from "./service-names.js";

/** What the questions about one service port share. */
export interface Asking {
  readonly ruleset: Ruleset;
  readonly network: Network | undefined;
  readonly protocol: number;
  /** Found so far, by address and port. */
  readonly endpoints: Map<string, ServiceEndpoint>;
}

/** Addresses for documentation (RFC 5737, RFC 3849), for a node whose own are not known. */
const STAND_IN: Readonly<Record<Family, Address>> = {
  ipv4: readAddress("192.0.2.1") ?? 0,
  ipv6: readAddress("2001:db8::1") ?? 0n,
};

/** Addresses of the node, as far as they are known. */
function nodeAddresses({ network, ruleset }: Asking): readonly Address[] {
  return (network?.interfaces ?? [])
    .flatMap(({ addresses }) => addresses.map(({ address }) => address))
    .filter((address) => familyOf(address) === ruleset.family && !isLoopback(address));
}

function isLoopback(address: Address): boolean {
  return typeof address === "number" ? address >>> 24 === 127 : address === 1n;
}

/** The end as a packet is sent to it. */
export function inView({ address, port }: EntryEnd, asking: Asking): End {
  return { address: address ?? nodeAddresses(asking)[0] ?? STAND_IN[asking.ruleset.family], port };
}

/** What becomes of packets to an end, by kinds of client. */
export function ask(end: EntryEnd, view: Ruleset, asking: Asking): Pick<Entrance, "clients" | "ownClients"> {
  const known = nodeAddresses(asking);
  const addresses = known.length > 0 ? known : [STAND_IN[asking.ruleset.family]];
  // With a stand-in for its own, what rules ask of a source would be answered for the stand-in.
  const isDecided = known.length > 0 || end.address !== undefined;
  return {
    clients: askFrom({}, end, view, networkOf(addresses, asking), asking),
    ownClients: isDecided ? askFrom({ in: "local" }, end, view, networkOf(known, asking), asking) : [],
  };
}

function networkOf(addresses: readonly Address[], { ruleset: { family } }: Asking): Network | undefined {
  if (addresses.length === 0) return undefined;
  const own = addresses.map((address) => ({ address, subnet: { address, mask: ALL_ONES[family] } }));
  return { interfaces: [{ name: "", addresses: own }], sysctls: new Map() };
}

function askFrom(
  from: Pick<Packet, "in">,
  end: EntryEnd,
  view: Ruleset,
  network: Network | undefined,
  asking: Asking,
): readonly Clients[] {
  const { family } = asking.ruleset;
  const { address: destination = STAND_IN[family] } = inView(end, asking);
  const packet = { ...from, family, protocol: end.protocol, destination, destinationPort: end.port };
  const state = { rulesets: { [family]: view }, ...(network === undefined ? {} : { network }) };
  return evaluate(state, packet, { fresh: true }).cases.map(({ assuming, open, landings }) => ({
    who: assuming.map(({ words }) => words),
    sources: open.source,
    outcomes: landings.map((landing) => outcomeOf(landing, asking)),
  }));
}

function outcomeOf(landing: Landing, asking: Asking): Outcome {
  const share = lowestTerms(landing.share);
  const { masqueraded } = landing;
  switch (landing.verdict) {
    case "forward":
    case "local": {
      const step = translationIn(landing);
      const whole = asking.ruleset.tables.get("nat")?.fragment !== true;
      if (step === undefined) return { kind: whole ? "passed" : "unknown", share, masqueraded };
      const lacks = missingChainOf(step);
      if (lacks !== undefined && !ENDPOINT_CHAIN.test(lacks))
        return { kind: "unknown", share, masqueraded, lacks };
      return { kind: "endpoint", share, endpoint: endpointAt(step, landing, asking), masqueraded };
    }
    case "reject":
      return { kind: "reject", share, masqueraded, ...(landing.with === null ? {} : { with: landing.with }) };
    default:
      return { kind: "drop", share, masqueraded };
  }
}

/** The rule that sent the packet elsewhere. */
function translationIn(landing: Landing): Step | undefined {
  for (let step = landing.lastStep; step !== undefined; step = step.previous) {
    if (step.rule !== undefined && translationOf(step.rule, step.headers.family) !== undefined) return step;
  }
  return undefined;
}

function endpointAt(
  { chain: name, rule }: Step,
  { dst, dport }: Landing,
  { ruleset, endpoints }: Asking,
): ServiceEndpoint {
  const key = `${dst} ${dport} ${name}`;
  let endpoint = endpoints.get(key);
  if (endpoint === undefined) {
    const chain = chainOf(ruleset, "nat", name);
    endpoint =
      rule === undefined || dst === null || chain === undefined || missingChainOf({ chain: name, rule })
        ? { chain: name }
        : endpointOf({ chain, rule, address: dst, port: dport ?? undefined }, ruleset.family);
    endpoints.set(key, endpoint);
  }
  return endpoint;
}

/** The endpoint that a rule sends packets to. */
export function endpointOf({ chain, rule, address, port }: EndpointRule, family: Family): ServiceEndpoint {
  return {
    address,
    ...(port === undefined ? {} : { port }),
    chain: chain.name,
    ...(rule.place === undefined || isAssumed(rule) ? {} : { line: rule.place.line }),
    selfMasqueraded: selfRuleOf(rulesOf(chain), family) !== undefined,
  };
}

/**
 * A node where iptables-legacy and iptables-nft both hold rules: a table's place in a hook has then two sets of chains, and
 * packets meet one after the other. Measured on Linux 6.18: at one priority, what was hooked last comes first. Legacy hooks
 * all chains of a table when the table is first used, and keeps them; nft hooks each chain when it is made, and anew when
 * `iptables-nft-restore` loads the whole table.
 */
import type { Flavour } from "../../grammar/description.js";
import type { Hook } from "../../grammar/meaning.js";
import { backEndOf } from "../state/back-end.js";
import { type Chain, chainOf, type Ruleset, rulesOf } from "../state/rules.js";
import { assume } from "./assume.js";
import type { EvaluationContext } from "./context.js";
import { worldKey } from "./merge.js";
import type { Share } from "./outcome.js";
import { isSameShare, plus } from "./share.js";
import { type Walked, walkHook } from "./walk.js";
import type { Assumed, Atom, World } from "./world.js";

/** Walks a table's chains at a hook, of both back ends where both have them; no result is `return`. */
export function walkTable(
  table: string,
  hook: Hook,
  world: World,
  context: EvaluationContext,
): readonly Walked[] {
  const { ruleset, otherRuleset } = context;
  if (otherRuleset === undefined) return walkHook({ ruleset, table, hook }, world, context);
  const both = [ruleset, otherRuleset].flatMap((one): readonly Held[] => {
    const chain = chainOf(one, table, hook);
    return one === undefined || chain === undefined ? [] : [{ ruleset: one, chain }];
  });
  const walkInTurn = (order: readonly Held[], from: World) => inTurn(order, table, hook, from, context);
  if (both.length < 2 || both.some(({ chain }) => letsAllPass(chain))) return walkInTurn(both, world);
  const isNft = ({ ruleset: one }: Held) => Number(backEndOf(one) === "nft");
  const nftLast = [...both].sort((one, other) => isNft(one) - isNft(other));
  const nftFirst = [...nftLast].reverse();
  const ways = assume(orderQuestion(table, hook), world, context).map(({ world: one, holds }) =>
    walkInTurn(holds ? nftFirst : nftLast, one),
  );
  const [left, right] = ways;
  if (left !== undefined && right !== undefined && isSame(left, right, world.assumed))
    return walkInTurn(nftFirst, world);
  return ways.flat();
}

/**
 * Walks the table security of one back end: legacy hooks it at 50, nft at 150, behind IPVS and nat, which come at about 100.
 * Rules of which nothing tells whose they are are taken to be legacy's.
 */
export function walkSecurity(
  backEnd: Flavour,
  hook: Hook,
  world: World,
  context: EvaluationContext,
): readonly Walked[] {
  const { ruleset, otherRuleset } = context;
  const own = [ruleset, otherRuleset].find(
    (one) => one !== undefined && (backEndOf(one) ?? "legacy") === backEnd,
  );
  if (own === undefined) return [{ end: "pass", world }];
  const whose = otherRuleset === undefined ? {} : { backEnd };
  return walkHook({ ruleset: own, table: "security", hook, ...whose }, world, context);
}

interface Held {
  readonly ruleset: Ruleset;
  readonly chain: Chain;
}

function letsAllPass(chain: Chain): boolean {
  return chain.policy === "ACCEPT" && rulesOf(chain).length === 0;
}

function orderQuestion(table: string, hook: Hook): Atom {
  const words = `chain ${hook} of nft's table ${table} was made after legacy's table ${table}, and so comes first`;
  return {
    kind: "question",
    key: words,
    words,
    wordsNot: `legacy's table ${table} was made after chain ${hook} of nft's table ${table}, and so comes first`,
  };
}

/** What the first lets pass goes on to the next; but of two nat tables none is asked after one has translated. */
function inTurn(
  order: readonly Held[],
  table: string,
  hook: Hook,
  start: World,
  context: EvaluationContext,
): readonly Walked[] {
  let walks: readonly Walked[] = [{ end: "pass", world: start }];
  for (const { ruleset } of order) {
    const place = { ruleset, table, hook, backEnd: backEndOf(ruleset) };
    walks = walks.flatMap((walked) =>
      walked.end === "pass" && !walked.translated ? walkHook(place, walked.world, context) : [walked],
    );
  }
  return walks;
}

/** Whether two lists of ends are one distribution, but for the answer to the first question behind `before`. */
function isSame(left: readonly Walked[], right: readonly Walked[], before: Assumed | undefined): boolean {
  const [one, other] = [shares(left, before), shares(right, before)];
  return (
    one.size === other.size &&
    [...one].every(([key, share]) => {
      const known = other.get(key);
      return known !== undefined && isSameShare(share, known);
    })
  );
}

function shares(walks: readonly Walked[], before: Assumed | undefined): ReadonlyMap<string, Share> {
  const all = new Map<string, Share>();
  for (const walked of walks) {
    const answers: string[] = [];
    for (let one = walked.world.assumed; one?.previous !== before && one !== undefined; one = one.previous)
      answers.push(`${one.holds} ${one.atom.key}`);
    const how = walked.end === "reject" ? walked.with : "";
    const key = [walked.end, how, worldKey(walked.world), ...answers.sort()].join("\n");
    const share = all.get(key);
    all.set(key, share === undefined ? walked.world.share : plus(share, walked.world.share));
  }
  return all;
}

import { PROTOCOL } from "../../../grammar/protocols.js";
import { meaningOf } from "../../state/meaning.js";
import { chainOf, rulesOf } from "../../state/rules.js";
import { type KnownParts, matches } from "../ask.js";
import type { RulesView } from "../context.js";
import type { Check } from "../finding.js";
import { effectOf, endpointsIn, isIn, podNetworks, seenRules, someWithin } from "../look.js";

/** Docker's own bridges, whose pods, if any, are not those of the cluster. */
const DOCKER_BRIDGES = /^(?:docker\d+|br-[0-9a-f]{12})$/;
const PODS_ASKED = 8;

export const forwardDrops: Check = {
  code: "LF3003",
  severity: "error",
  sureness: "sure",
  find: ({ views }) =>
    views.flatMap((view) => {
      const { ruleset, family } = view;
      const forward = chainOf(ruleset, "filter", "FORWARD");
      const filter = ruleset.tables.get("filter");
      if (forward?.policy !== "DROP" || filter?.fragment) return [];
      // Where no pod is known, rules for any address count.
      const known = podsOf(view);
      const ownRules = chainOf(ruleset, "filter", "KUBE-FORWARD");
      const isNode = ownRules !== undefined;
      // kube-proxy never leaves it empty: the text was cut off, also where nothing else tells.
      const isCut = filter?.cutOff !== undefined || (isNode && rulesOf(ownRules).length === 0);
      const pods = known.length === 0 && isNode ? [undefined] : known;
      const protocol = PROTOCOL.tcp;
      const isLost = pods.every(
        (destination) =>
          !mayBeAccepted(view, "FORWARD", {
            protocol,
            ...(destination === undefined ? {} : { destination }),
            mark: 0,
            connectionState: "NEW",
            notBy: DOCKER_BRIDGES,
          }),
      );
      if (pods.length === 0 || !isLost) return [];
      const accepting = view.rulesOf("filter", "FORWARD");
      return [
        {
          ...(isCut ? { sureness: "likely" as const } : {}),
          message: "the policy of FORWARD is DROP, and no rule accepts new connections to pods",
          ...seenRules(accepting, family),
        },
      ];
    }),
};

/** Addresses of pods: endpoints in the pods' network; where it is not known, endpoints of Services but the API server's. */
function podsOf(view: RulesView): readonly NonNullable<KnownParts["destination"]>[] {
  const networks = podNetworks(view);
  const own = endpointsIn(view).filter(({ address, name }) =>
    networks.length === 0
      ? name !== undefined && !name.startsWith("default/kubernetes")
      : networks.some(({ network }) => isIn(address, network)),
  );
  return own.slice(0, PODS_ASKED).map(({ address }) => address);
}

/** Whether some rule that such a packet may match accepts it, in this chain or in those that it leads to. */
function mayBeAccepted(view: RulesView, first: string, known: KnownParts): boolean {
  const { family } = view;
  // Where rules of filter set marks, what they set is not followed.
  const marks = view
    .rulesIn("filter")
    .some(({ rule }) => ["assign", "copy", "obscure", "several"].includes(effectOf(rule, family).kind));
  const { mark: _mark, ...withoutMark } = known;
  const parts = marks ? withoutMark : known;
  const seen = new Set<string>();
  const waiting = [first];
  for (let chain = waiting.pop(); chain !== undefined; chain = waiting.pop()) {
    if (seen.has(chain)) continue;
    seen.add(chain);
    for (const { rule } of view.rulesOf("filter", chain)) {
      if (matches(rule, family, parts) === "no") continue;
      const effect = effectOf(rule, family);
      const accepts = effect.kind === "verdict" && effect.verdict !== "drop";
      // A rule for what was translated, or for something that only hidden state tells, says nothing of plain packets to pods.
      if ((accepts && !isForTranslated(rule, family)) || effect.kind === "unmodelled") return true;
      if (rule.target?.kind === "chain") waiting.push(rule.target.chain);
    }
  }
  return false;
}

function isForTranslated(rule: Parameters<typeof meaningOf>[0], family: RulesView["family"]): boolean {
  return meaningOf(rule, family).matches.some(({ condition }) =>
    someWithin(
      condition,
      (part) => part.kind === "oneOf" && part.field === "connectionState" && part.words.includes("DNAT"),
    ),
  );
}

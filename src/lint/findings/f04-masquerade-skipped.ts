import type { Address } from "../../../grammar/address.js";
import { PROTOCOL } from "../../../grammar/protocols.js";
import { ownerOf } from "../../explain/owners.js";
import type { RuleAt } from "../../explain/service-model.js";
import { type KnownParts, matches } from "../ask.js";
import type { RulesView } from "../context.js";
import type { Check } from "../finding.js";
import { effectOf, endpointsIn, listed, seenRules, targetOf } from "../look.js";
import { masqueradeMark } from "./f06-other-mark.js";

const PODS_ASKED = 64;

/**
 * Two packets that kube-proxy has marked go through POSTROUTING for each endpoint: of the endpoint to itself, and of
 * a client outside to it. Where they end before KUBE-POSTROUTING, they are not masqueraded.
 */
export const masqueradeSkipped: Check = {
  code: "LF3004",
  severity: "error",
  sureness: "sure",
  find: ({ views }) =>
    views.flatMap((view) => {
      const { family } = view;
      const unknown = unknownBefore(view);
      if (unknown.length > 0) {
        return [
          {
            message: `${listed(unknown.map(({ rule }) => targetOf(rule) ?? ""))} is asked before KUBE-POSTROUTING and is not in the text: whether marked packets get past it is not known`,
            severity: "warning",
            sureness: "hint",
            ...seenRules([...unknown, ...view.callersOf("nat", "KUBE-POSTROUTING")], family),
          },
        ];
      }
      const mark = masqueradeMark(view);
      if (mark === undefined || view.callersOf("nat", "KUBE-POSTROUTING").length === 0) return [];
      const enders = new Set<RuleAt>();
      for (const { address } of endpointsIn(view).slice(0, PODS_ASKED)) {
        for (const source of [address, outside(address)]) {
          const known = { protocol: PROTOCOL.tcp, source, destination: address, mark };
          const end = walk(view, "POSTROUTING", known, new Map());
          if (typeof end === "object") enders.add(end);
        }
      }
      if (enders.size === 0) return [];
      return [
        {
          message: "marked packets leave POSTROUTING before KUBE-POSTROUTING: they are not masqueraded",
          ...seenRules([...enders], family),
        },
      ];
    }),
};

/** Jumps of POSTROUTING to chains of programs that masquerade, which the text lacks, before the one to KUBE-POSTROUTING. */
function unknownBefore(view: RulesView): readonly RuleAt[] {
  const rules = view.rulesOf("nat", "POSTROUTING");
  const own = rules.findIndex(({ rule }) => targetOf(rule) === "KUBE-POSTROUTING");
  return rules.slice(0, Math.max(own, 0)).filter(({ rule }) => {
    const to = targetOf(rule) ?? "";
    const isMissing = !view.isWhole("nat") && view.rulesOf("nat", to).length === 0;
    return isMissing && /^(?:flannel|ip-masq-agent)$/.test(ownerOf(to) ?? "");
  });
}

/** A client outside (RFC 5737, RFC 3849). */
function outside(address: Address): Address {
  return typeof address === "number" ? 0xcb007107 : 0x20010db8ffff0000_0000000000000007n;
}

type End = RuleAt | "reached" | "returned" | "open";

/**
 * The rule that ends the packet's way; `reached`: KUBE-POSTROUTING or a translation; `returned`; `open`: not known. `ends`
 * are those of chains that the packet has gone through; one that leads back to itself stays open.
 */
function walk(view: RulesView, chain: string, known: KnownParts, ends: Map<string, End>, depth = 0): End {
  const before = ends.get(chain);
  if (before !== undefined || depth > MAX_DEPTH) return before ?? "open";
  ends.set(chain, "open");
  const end = walkRules(view, chain, known, ends, depth);
  ends.set(chain, end);
  return end;
}

function walkRules(
  view: RulesView,
  chain: string,
  known: KnownParts,
  ends: Map<string, End>,
  depth: number,
): End {
  const { family } = view;
  for (const at of view.rulesOf("nat", chain)) {
    const reply = matches(at.rule, family, known);
    if (reply === "no") continue;
    const effect = effectOf(at.rule, family);
    switch (effect.kind) {
      case "jump":
      case "goto": {
        if (effect.chain === "KUBE-POSTROUTING") return "reached";
        const end = walk(view, effect.chain, known, ends, depth + 1);
        if (end === "returned") {
          if (effect.kind === "goto" && reply === "yes") return depth === 0 ? at : "returned";
          break;
        }
        if (reply === "open" && end !== "reached") return "open";
        return end;
      }
      case "return":
        if (reply === "open") return "open";
        return depth === 0 ? at : "returned";
      case "verdict":
        return reply === "yes" && effect.verdict === "accept" ? at : "open";
      case "rewrite":
      case "masquerade":
      case "netmap":
        return "reached";
      default:
        break;
    }
  }
  return depth === 0 ? "open" : "returned";
}

const MAX_DEPTH = 16;

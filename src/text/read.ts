/** Any text of a node → a part of the node's state, and the same as the program itself would print it. */
import type { Family } from "../../grammar/address.js";
import type { Flavour } from "../../grammar/description.js";
import { type Problem, placeInLine } from "../problems/problem.js";
import type { NodeState } from "../state/nodestate.js";
import { readConnections } from "./conntrack.js";
import { printConnections } from "./conntrack-print.js";
import { dumpsByBackEnd } from "./dumps.js";
import { byFamily } from "./family.js";
import { printInterfaces, readInterfaces } from "./ip-addr.js";
import { printRoutes, readRoutes } from "./ip-route.js";
import { printPolicyRules, readPolicyRules } from "./ip-rule.js";
import { printSets } from "./ipset/save.js";
import { readSets } from "./ipset.js";
import { printVirtualServers, readVirtualServers } from "./ipvsadm.js";
import { printVirtualConnections } from "./ipvsadm-connection.js";
import { printRecent, readRecent } from "./recent.js";
import { readRules } from "./rules.js";
import { printRuleset } from "./save.js";
import type { Segment, TextKind } from "./segments.js";
import { printSysctls, readSysctls } from "./sysctl.js";

/** What a segment holds. */
export interface NodeText {
  readonly kind: TextKind;
  readonly state: NodeState;
  readonly problems: readonly Problem[];
  /** The canonical text; empty for what cannot be read. */
  print(): string;
}

export interface NodeTextOptions {
  /** Of rules; default: told from the text. */
  readonly family?: Family;
  /** Whose iptables; default: legacy. */
  readonly flavour?: Flavour;
  /** Rules that cannot be read become remarks `# not read: …` in their place. */
  readonly keepUnread?: boolean;
}

/** Reads a segment that is not of documents: rules of two families are two texts. */
export function readNodeText(segment: Segment, options: NodeTextOptions = {}): readonly NodeText[] {
  const { kind, source } = segment;
  const text = (state: Omit<NodeState, "rulesets">, problems: readonly Problem[], print: () => string) => [
    { kind, state: { rulesets: {}, ...state }, problems, print },
  ];
  switch (kind) {
    case "rules": {
      const { flavour = "legacy", keepUnread = false } = options;
      const parts = dumpsByBackEnd(source).flatMap((dump) =>
        options.family === undefined ? byFamily(dump) : [{ source: dump, family: options.family }],
      );
      return parts.map(({ source: own, family }) => {
        const { ruleset, problems } = readRules(own, { family, flavour, keepUnread });
        const print = () => printRuleset(ruleset, flavour);
        return { kind, state: { rulesets: { [family]: ruleset } }, problems, print };
      });
    }
    case "sets": {
      const { sets, problems } = readSets(source);
      return text({ sets }, problems, () => printSets(sets));
    }
    case "virtual-servers": {
      const { problems, ...virtualServers } = readVirtualServers(source);
      return text(
        { virtualServers },
        problems,
        () =>
          printVirtualServers(virtualServers.services) +
          printVirtualConnections(virtualServers.connections ?? []),
      );
    }
    case "connections": {
      const { connections, form, problems } = readConnections(source);
      return text({ connections }, problems, () => printConnections(connections, { form }));
    }
    case "recent-lists": {
      const { lists, problems } = readRecent(source, listName(source.name));
      return text({ recentLists: lists }, problems, () => printRecent(lists));
    }
    case "interfaces": {
      const { interfaces, families, problems } = readInterfaces(source);
      const network = { interfaces, addressFamilies: families, sysctls: new Map() };
      return text({ network }, problems, () => printInterfaces(interfaces));
    }
    case "routes": {
      const { routes, families, problems } = readRoutes(source, options.family);
      const network = { routes, routeFamilies: families, sysctls: new Map() };
      return text({ network }, problems, () => printRoutes(routes));
    }
    case "routing-rules": {
      const { policyRules, problems } = readPolicyRules(source, options.family);
      return text({ network: { policyRules, sysctls: new Map() } }, problems, () =>
        printPolicyRules(policyRules),
      );
    }
    case "sysctls": {
      const { sysctls, problems } = readSysctls(source);
      return text({ network: { sysctls } }, problems, () => printSysctls(sysctls));
    }
    case "nft":
      return text({}, [advice(segment)], () => "");
    case "documents":
      return [];
  }
}

/** A file of /proc/net/xt_recent bears the name of its list. */
function listName(path: string): string | undefined {
  return /(?:^|\/)xt_recent\/([^/]+)$/.exec(path)?.[1];
}

function advice({ source }: Segment): Problem {
  const at = Math.max(0, source.text.search(/\S/));
  const line = source.text.slice(0, at).split("\n").length;
  const end = source.text.slice(at).search(/\r?\n|$/);
  return {
    code: "LF1031",
    severity: "error",
    message: "this looks like `nft list ruleset`",
    place: placeInLine(source, line, 1, Math.max(end, 1) + 1),
    help: "landfall reads iptables-save text; on this node run `iptables-nft-save` as root",
  };
}

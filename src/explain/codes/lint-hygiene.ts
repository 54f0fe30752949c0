/** LF4xxx: what is left over, old, or more than is needed. */
import type { Code } from "../../problems/codes.js";
import type { Explanation } from "./explanation.js";
import { linted, SEP, SEP2, SVC, tableOf } from "./lint-examples.js";

export const LINT_HYGIENE = {
  LF4007: {
    means: [
      "The same rule stands in a chain more than once, with the same conditions and the same target: the copies decide nothing.",
    ],
    matters: [
      "Every packet that comes this way is held against all copies: with thousands of them the node's processors are busy with nothing else.",
    ],
    example: linted(
      "LF4007",
      "-A FORWARD -d 10.244.0.0/16 -j ACCEPT\n-A FORWARD -d 10.244.0.0/16 -j ACCEPT\n",
    ),
    remedy: [
      "Find the program that appends without looking (`iptables -C` tells whether a rule is there), and delete the copies.",
      "Where an iptables with a broken -C is the cause, use another: k3s brings its own along (`--prefer-bundled-bin`). Nobody removes rules that an earlier release wrote in another form: delete them, or reboot the node.",
    ],
  },
  LF4009: {
    means: [
      "Chains hold rules, and no built-in chain leads to them; or kube-proxy's sets are there, and no rule asks them.",
    ],
    matters: [
      "They do nothing. They are left over from a version, a mode or a plugin that was changed, and mislead those who read the dump.",
      "`kube-proxy --cleanup` of some versions forgets chains of mode ipvs, such as KUBE-NODE-PORT of filter, and then fails to destroy the set that the chain's rule asks.",
    ],
    example: linted("LF4009", tableOf("nat", [`-A ${SVC} -j ${SEP}`], [SVC, SEP])),
    remedy: [
      "Let the program that made them clean up (`kube-proxy --cleanup`), or reboot the node.",
      "By hand: `iptables -t TABLE -F CHAIN`, then `-X CHAIN`, then `ipset destroy SET`.",
    ],
  },
  LF4014: {
    means: [
      "The probabilities were written with five digits, as kube-proxy did before 1.17: 0.33333 in place of 0.3333333333.",
    ],
    matters: ["Shares differ by some 0.001 %, which nobody notices. It tells how old the kube-proxy is."],
    example: linted("LF4014", `-A ${SVC} -m statistic --mode random --probability 0.33332999982 -j ${SEP}\n`),
    remedy: [
      "Nothing needs to be done for the shares; if kube-proxy is newer, the rules are left over from an older one.",
    ],
  },
  LF4019: {
    means: [
      "KUBE-MARK-DROP marks packets that KUBE-FIREWALL drops. kubelet makes it up to 1.26, and kube-proxy used it up to 1.24.",
    ],
    matters: [
      "Where rules go to it and it is not there, iptables-restore refuses the whole of kube-proxy's next sync.",
    ],
    example: linted("LF4019", "-A KUBE-MARK-DROP -j MARK --set-xmark 0x8000/0x8000\n"),
    remedy: [
      "If it is lacking, start kubelet of a version that fits kube-proxy, or make the chain: `iptables -t nat -N KUBE-MARK-DROP`.",
    ],
  },
  LF4021: {
    means: ["Rules of one dump have forms that no single version of kube-proxy writes."],
    matters: [
      "An upgrade has left rules over, or two kube-proxies run on the node and undo each other's work.",
    ],
    example: linted(
      "LF4021",
      `-A ${SVC} -m comment --comment "default/web:http -> 10.244.1.14:8080" -j ${SEP}\n-A ${SVC} -m comment --comment "default/web:http" -j ${SEP2}\n`,
    ),
    remedy: [
      "Look how many kube-proxies run: `ps -C kube-proxy`. Then clean up with `kube-proxy --cleanup`, or reboot the node.",
    ],
  },
  LF4039: {
    means: [
      "Some rules that masquerade draw the new port at random (--random-fully), others take the first free one.",
    ],
    matters: [
      "Two connections that begin at one moment may be given the same port by the others, and one of them loses its first packet (insert_failed of `conntrack -S`).",
    ],
    example: linted(
      "LF4039",
      "-A POSTROUTING -s 10.244.0.0/16 -j MASQUERADE\n-A KUBE-POSTROUTING -j MASQUERADE --random-fully\n",
    ),
    remedy: ["Use iptables 1.6.2 or newer in all images, and switch the other program's option on."],
  },
  LF4040: {
    means: [
      "Two programs that give pods their network, or masquerade for them, have rules here; or two versions of one have.",
    ],
    matters: [
      "What is left over of one may drop or masquerade the other's packets.",
      "Of two chains that masquerade, the first that matches decides: networks that the second one spares are masqueraded all the same, so that its settings seem to be ignored.",
    ],
    example: linted("LF4040", "-A WEAVE-NPC -j DROP\n-A FLANNEL-FWD -d 10.244.0.0/16 -j ACCEPT\n"),
    remedy: ["Remove what is left of the one that is not in use, by its own reset command or a reboot."],
  },
  LF4044: {
    means: ["The dump holds some tens of thousands of rules."],
    matters: [
      "iptables reads and writes whole tables: each sync takes seconds to minutes, and iptables-nft takes longer than iptables-legacy. A new connection walks KUBE-SERVICES from its beginning.",
    ],
    example: {
      prints:
        "warning[LF4044]: 164757 rules: a sync takes seconds to minutes, and a new connection may walk 9731 rules of KUBE-SERVICES\n",
    },
    remedy: [
      "Use mode nftables (kube-proxy 1.33 and later) or ipvs, or look which program makes so many rules.",
      "Until then a longer `iptables.minSyncPeriod` of kube-proxy makes syncs fewer, and kube-proxy 1.27 or newer writes only what has changed.",
    ],
  },
  LF4046: {
    means: [
      "The input holds the same tables more than once, saved by the same program, or rules that begin anew.",
    ],
    matters: [
      "They are of several nodes, of several network namespaces (each pod has its own), or of several times. Whole dumps were looked at one by one; lines without a header were taken for one node's, which they are not.",
    ],
    example: linted(
      "LF4046",
      ["node-a", "node-b"]
        .map((name) => `# Generated by iptables-save v1.8.9\n*filter\n-A INPUT -i ${name} -j DROP\nCOMMIT\n`)
        .join(""),
    ),
    remedy: ["Give one dump at a time."],
  },
} satisfies Partial<Record<Code, Explanation>>;

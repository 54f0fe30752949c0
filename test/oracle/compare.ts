/** What landfall says of a rule beside what the real iptables says of it. */
import { readRules } from "../../src/text/rules.js";
import { printRuleset } from "../../src/text/save.js";
import { type Answer, restoreText } from "./ask.js";
import type { RandomRule } from "./random-rules.js";

/** What landfall makes of the rule: the lines it prints, or the first error. */
function landfallOf(rule: RandomRule): {
  readonly saved: readonly string[] | undefined;
  readonly said: string;
} {
  const { family, flavour } = rule;
  const { ruleset, problems } = readRules({ name: "random", text: restoreText(rule) }, { family, flavour });
  const error = problems.find(({ severity }) => severity === "error");
  if (error !== undefined) return { saved: undefined, said: error.message };
  const lines = printRuleset(ruleset, flavour).split("\n");
  return { saved: lines.filter((line) => line.startsWith("-A ")), said: "" };
}

/** What differs, as text; undefined when nothing does, or when the real tool's answer hangs on the node. */
export function difference(rule: RandomRule, real: Answer): string | undefined {
  const own = landfallOf(rule);
  if (real.saved === undefined && own.saved === undefined) return undefined;
  // The tool did something else, such as to print its help.
  if (real.saved?.length === 0) return undefined;
  if (LEFT_OUT.some((pattern) => pattern.test(rule.rule))) return undefined;
  if (rule.flavour === "nft" && [NFT_TURNS, NFT_PREFIX].some((pattern) => pattern.test(rule.rule)))
    return undefined;
  if (real.saved !== undefined && own.saved !== undefined && real.saved.join("\n") === own.saved.join("\n"))
    return undefined;
  if (real.saved === undefined && hangsOnNode(rule, real.said)) return undefined;
  const shown = ({ saved, said }: Answer) => saved?.join("\n") ?? `refused: ${said}`;
  const { family, flavour, table, chain } = rule;
  return `${family} ${flavour} ${table}: -A ${chain} ${rule.rule}\n  real:     ${shown(real)}\n  landfall: ${shown(own)}`;
}

/** Extensions and options that name an object of the kernel, or of a file system, which an empty namespace has not. */
const NAMES_OBJECTS =
  /(?:-m|--match) (?:nfacct|rateest|osf)|(?:-j|--jump) SECMARK|--helper|--timeout|--algo|--pa\w*|--object-pinned|--led-trigger-id/;

/** A name with a blank: iptables-save prints it without quotes, and cannot read it back; landfall refuses it. */
const LEFT_OUT: readonly RegExp[] = [
  /(?:^|[ ])(?:-[io]|--physdev-in|--physdev-out) "[^"]*[\s"\\]/,
  /--(?:hashlimit-name|name|label|selctx|oif|rateest-name|nfacct-name|genre)[= ]"[^"]*[\s"\\]/,
  // iptables looks at the first letters of `src` and `dst` only.
  /foo \S*(?:src|dst)[^, ]/,
  // Numbers of several digits: what comes out hangs on what was in memory.
  /--weekdays[= ](?:-|0[xX]|\S*(?:,,|[0-9a-fxX]\d)|,)|--monthdays[= ](?:\S*,)?[^, ]{3}|--monthdays[= ]\S*-/,
  // Numbers that strtod reads and nobody writes, and what stands behind numbers.
  /--rateest-(?:interval|ewmalog|bps\d?)[= ]"?\s*(?:-|\+|0x|\d{5}\w*s)|--icmp(?:v6)?-type \S*[^\w/ -]/,
  /--hashlimit-burst[= ]\S*(?:\d{11}|\d\w*[A-Z])|--set-class[= ]0x:|--label[= ]\d{10}|--mac-source[= ](?:"|\S*[-+]|\S*:(?: |$))|--date\w*[= ](?:0|\S*-(?:0\d\d|\d{3}))|--probability[= ]0x|--chunk-types \S+ \S*,(?: |$)/,
  // The rest of a helper or a policy that --notrack has taken away.
  /--notrack.*--(?:timeout|helper)|--(?:timeout|helper).*--notrack/,
  // Blanks before an address, and names of hosts that hang on the node.
  /--to-\S*[= ](?:"|-|\S*x|\d\[|\S*-\S*\/)|-[sd] "|localhost/,
  // Upper case that only /etc/protocols knows, and a year with a bare dash behind it.
  /--proto[= ](?:ESP|AH)|--date\w*[= ]\S*-(?: |$)|--time\w+[= ]\S*:(?: |$)|--localtz.*--localtz/,
  // A quote inside a word, and a rate that is cut to 32 bits.
  /[^\s"]"(?:\s|$)(?=[^"]*$)|--hashlimit-burst[= ]\d{5,}mb/,
  // Both of an option and its opposite.
  /! --update-\w+.* --update-/,
  // Printed as a negative number, which is not read back.
  /--seconds[= ](?:2147483648|4294967295|0xffffffff)/,
];

/** nft turns a negated range of ports from 0 on around, and forgets a negated question about all ports or no flags. */
const NFT_TURNS = /! --(?:[sd]p\w*|source-p\w*|destination-p\w*)[= ](?:0\w*)?:|! --tcp-flags \S+ NONE/;
/** nft has room for longer prefixes. */
const NFT_PREFIX = /--nflog-p\w*[= ]"?[^"]{64}/;

/** A refusal that says nothing about the rule: the node lacks a module, or an object that the rule names. */
function hangsOnNode({ rule }: RandomRule, said: string): boolean {
  if (/failed to get bpf object|Set \S+ doesn't exist/.test(said)) return true;
  const byKernel = /: line \d+ failed|RULE_APPEND failed/.test(said);
  const missing = /missing kernel module|No such file or directory/.test(said);
  return byKernel && (missing || NAMES_OBJECTS.test(rule));
}

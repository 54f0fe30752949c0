/**
 * The commands with their arguments, flags and examples: what help and completion show, and what arguments are read by.
 * Commands are loaded when they are run, so that `--help` stays quick.
 */
import { Argument, Command, Option } from "commander";
import { HOOKS } from "../../grammar/meaning.js";
import { IGNORABLE, IGNORED_BY_DEFAULT } from "../diff/ignoring.js";
import { FINDING_SEVERITIES } from "../lint/finding.js";
import { CHECK_FORMS } from "./check-forms.js";
import type { Run } from "./explain-codes.js";
import {
  addressFlag,
  asOption,
  countFlag,
  familyOption,
  listFlag,
  oneOf,
  outputFlag,
  settingFlag,
  someOf,
  strictFlag,
  withCommonFlags,
  withServiceFlags,
} from "./flags.js";
import type { IO } from "./io.js";
import { LINT_FORMS } from "./lint-forms.js";
import { SHELLS } from "./shells.js";
import { clean } from "./style.js";
import { VERSION } from "./version.js";

/** What the commands need of the run they are for. */
export interface Running {
  readonly io: IO;
  /** Takes the exit code. */
  readonly finish: (code: number) => void;
  /** Runs another command line. */
  readonly run: Run;
}

/** The program as the user calls it: `name`. */
export function makeProgram(running: Running, name: string): Command {
  const { io } = running;
  const program = new Command(name)
    .description("Where does the packet land? Compile, read and evaluate the rules that kube-proxy programs.")
    .version(VERSION)
    .option("--debug", "show the stack of an internal error")
    .configureOutput({
      writeOut: (text) => io.stdout.write(asCalled(text, program)),
      writeErr: (text) => io.stderr.write(asCalled(clean(text, true), program)),
      // run() prints faults of usage, all in one shape.
      outputError: () => {},
      getOutHelpWidth: () => io.stdout.columns ?? HELP_COLUMNS,
      getErrHelpWidth: () => io.stderr.columns ?? HELP_COLUMNS,
    })
    .showSuggestionAfterError(false)
    .exitOverride();
  program.addHelpText(
    "before",
    `Examples:
  iptables-save | landfall trace - 10.1.2.3:4567 to 10.96.0.10:53/udp
  landfall compile objects.yaml kube-proxy.yaml -o save
  landfall fmt node-a.save
  landfall explain LF1007
`,
  );
  program.addHelpText(
    "after",
    `
Every flag has a variable, which counts where the flag is not given: LANDFALL_KUBE_PROXY=1.30, LANDFALL_STRICT=1.
Long answers go through LANDFALL_PAGER, else PAGER, else less.`,
  );
  defineCompile(program, running);
  defineTrace(program, running);
  defineCheck(program, running);
  defineSimulate(program, running);
  defineDiff(program, running);
  defineFmt(program, running);
  defineExplain(program, running);
  defineServices(program, running);
  defineLint(program, running);
  defineVersions(program, running);
  defineSchema(program, running);
  defineCompletion(program, running);
  return program;
}

/** Command lines in a text as the user calls landfall: as a plugin, `kubectl landfall trace …`. */
export function asCalled(text: string, program: Command): string {
  const names = program.commands.map((one) => one.name()).join("|");
  return text.replace(new RegExp(`(?<!kubectl )\\blandfall (?=(?:${names})\\b)`, "g"), `${program.name()} `);
}

/** Of help that no terminal shows. */
const HELP_COLUMNS = 100;

/** Of commands whose form depends on what is asked, and of whom. */
export function defaultForm(command: Command, { stdout }: IO): string | undefined {
  if (command.name() === "trace") return command.opts().packets === undefined ? "text" : "ndjson";
  if (command.name() === "simulate") return stdout.isTerminal ? "text" : "ndjson";
  return undefined;
}

/** Of what is compiled from objects. */
function modeOption(): Option {
  return oneOf(new Option("--mode <mode>", "of kube-proxy; default: that of its configuration"), [
    "iptables",
    "ipvs",
    "nftables",
  ]);
}

const NODE_FLAGS: readonly Option[] = [
  new Option("--node <name>", "which node; default: hostnameOverride, or the only Node"),
  new Option("--local-ip <address>", "an address of the node; may be repeated")
    .argParser(addressFlag)
    .default([], "none"),
  new Option(
    "--set <key=value>",
    "a fact that inputs do not hold: nfacct, kubelet (its chains are there), masquerade, route, a sysctl",
  )
    .argParser(settingFlag)
    .default(new Map(), "none"),
  new Option("--kube-proxy <version>", "whose rules to write, for example 1.30; default: the newest known"),
];

function defineCompile(program: Command, { io, finish }: Running): void {
  const command = program
    .command("compile")
    .summary("Services + EndpointSlices → the text that kube-proxy programs")
    .description("Write what kube-proxy (iptables or IPVS mode) programs for these objects, byte for byte.")
    .argument(
      "[files...]",
      "Kubernetes objects (Pods stand in for EndpointSlices), KubeProxyConfiguration, network documents; - is standard input",
    )
    .addOption(
      outputFlag(["save", "restore", "ipvsadm", "ipset", "addresses", "endpointslices", "json"], "save"),
    )
    .addOption(modeOption())
    .addOption(strictFlag())
    .addOption(familyOption("the cluster's first"))
    .option("--then <files...>", "the cluster after a change: compile the sync that follows")
    .option("--onto <dump>", "what the node has already: rules, ipsets, virtual servers; default: nothing")
    .option("--out <folder>", "write all texts of all families as files")
    .addHelpText(
      "before",
      `Examples:
  landfall compile objects.yaml kube-proxy.yaml -o restore --kube-proxy 1.30
  kubectl get svc,endpointslices,nodes -A -o json | landfall compile - --node node-1
  landfall compile objects.yaml --mode ipvs -o ipvsadm
  landfall compile services-and-pods.yaml -o endpointslices
`,
    );
  for (const option of NODE_FLAGS) command.addOption(option);
  withServiceFlags(command);
  withCommonFlags(command).action(async (files, flags) =>
    finish(await (await import("./commands/compile.js")).compile(files, flags, io)),
  );
}

function defineTrace(program: Command, { io, finish }: Running): void {
  const command = program
    .command("trace")
    .summary("where does this packet land, with what probability, and why")
    .description("Tell where a packet lands, from dumps, network documents and objects in any order.")
    .argument(
      "[words...]",
      "inputs, then the packet: SOURCE:PORT to DESTINATION:PORT/PROTOCOL [in IFACE] [mark M] …",
    )
    .addOption(outputFlag(["text", "json", "ndjson", "trace", "mermaid"], "text").default(undefined))
    .option("--packets <file>", "packets, one JSON object a line; - is standard input")
    .option("--packet-json <json>", "one packet as a JSON object")
    .addOption(asOption())
    .addOption(modeOption())
    .option("--fresh", "no connection is known and all recent lists are empty")
    .option(
      "--in-order",
      "ipvsadm -R has just read the virtual servers in this order: whose turn it is, is known",
    )
    .addOption(
      new Option(
        "--affinity <client=endpoint@age>",
        "a client was last seen on an endpoint so long ago: 10.1.2.3=10.244.1.30:8080@2h; may be repeated",
      ).argParser(listFlag),
    )
    .addOption(
      oneOf(
        new Option("--hook <hook>", "only the rules of this hook, with the packet as it is there"),
        HOOKS,
      ),
    )
    .option("--reply", "how the answer gets back, with the conntrack entry")
    .option("--step", "rule by rule: you say what the dice say")
    .option("--all-rules", "each landing with all rules on its way")
    .option("--expect <condition>", "exit 1 when the answer is not so, for example 'never dropped'")
    .option("--exact", "shares as fractions")
    .addOption(strictFlag())
    .addHelpText(
      "before",
      `Examples:
  iptables-save | landfall trace - 10.1.2.3:4567 to 10.96.0.10:53/udp
  landfall trace node-a.save network.yaml '10.244.9.8:41000 -> 10.96.41.17:80/tcp in cni0' -o json
  landfall trace objects.yaml 10.244.1.10 to svc/shop/web:http
  landfall trace node-a.save '10.1.2.3 -> 10.244.1.5:53/udp mark 0x4000' --hook POSTROUTING
  landfall trace node-a.save 10.1.2.3 to svc/default/cart:http --affinity 10.1.2.3=10.244.1.30:8080@2h
  ssh node-a 'iptables-save; ipset save; ipvsadm -Sn; ip addr; ip route' | landfall trace - 10.1.2.3 to 10.96.0.10:53/udp
`,
    );
  for (const option of NODE_FLAGS) command.addOption(option);
  withCommonFlags(command).action(async (words, flags) =>
    finish(await (await import("./commands/trace.js")).trace(words, flags, io)),
  );
}

function defineCheck(program: Command, { io, finish }: Running): void {
  const command = program
    .command("check")
    .summary("run a file of expectations, for CI")
    .description("Check what a file expects of packets, against dumps, network documents and objects.")
    .argument("[files...]", "inputs, beside those that the file names; - is standard input")
    .addOption(outputFlag(CHECK_FORMS, "text"))
    .addOption(asOption())
    .addOption(modeOption())
    .option("--fresh", "no connection is known and all recent lists are empty")
    .addOption(strictFlag())
    .addHelpText(
      "before",
      `Examples:
  landfall check -f expectations.yaml node-a.save
  iptables-save | landfall check -f expectations.yaml -o junit
`,
    );
  for (const option of NODE_FLAGS) command.addOption(option);
  withCommonFlags(command, "a file of expectations; may be repeated").action(async (files, flags) =>
    finish(await (await import("./commands/check.js")).check(files, flags, io)),
  );
}

function defineSimulate(program: Command, { io, finish }: Running): void {
  const command = program
    .command("simulate")
    .alias("sim")
    .summary("connections one after the other through IPVS: the real server of each")
    .description(
      "Replay connections on the virtual servers of a node, and tell which real server each gets, with what probability.",
    )
    .argument(
      "[files...]",
      "what ipvsadm -R takes, in the order in which the servers were added; sysctls; - is standard input",
    )
    .option("--connections <file>", "events, one a line, with tabs between columns; - is standard input")
    .addOption(outputFlag(["text", "ndjson"], "text").default(undefined))
    .option("--sorted", "ipvsadm -S has sorted the lines: in which order servers were added is not known")
    .addOption(asOption())
    .option("--exact", "shares as fractions")
    .addOption(strictFlag())
    .addHelpText(
      "before",
      `Examples:
  landfall simulate ipvsadm.txt --connections events.tsv
  landfall sim ipvsadm.txt --connections events.tsv -o ndjson

Events have the columns event, id, proto, src, sport, dst, dport:
  open   1  tcp  10.9.0.1  40000  10.96.0.10  80
  close  1
  ipvs   -e -t 10.96.0.10:80 -r 10.244.2.11:8080 -m -w 0
  wait   120
`,
    );
  withCommonFlags(command).action(async (files, flags) =>
    finish(await (await import("./commands/simulate.js")).simulate(files, flags, io)),
  );
}

function defineDiff(program: Command, { io, finish }: Running): void {
  const command = program
    .command("diff")
    .summary("what differs between two nodes' rules: behaviour, structure, text")
    .description(
      "Compare two dumps, the rules of two sets of objects, or of the same objects under two versions of kube-proxy.",
    )
    .argument(
      "[words...]",
      "two inputs, or what --kube-proxy A..B compiles; then names of services; - is standard input",
    )
    .addOption(outputFlag(["text", "json", "markdown"], "text"))
    .option("--behaviour", "only which packets fare differently")
    .option("--structure", "only which chains and rules differ, where it can matter")
    .option("--text", "only the lines that differ, in canonical text")
    .addOption(
      someOf(
        new Option(
          "--ignore <what>",
          "beside counters, what structure and text leave out of account: comments,order; none: not even counters",
        ),
        IGNORABLE,
      ).default([...IGNORED_BY_DEFAULT]),
    )
    .option("--for <service>", "only this service: svc/NAMESPACE/NAME; may be repeated", listFlag)
    .option("--mode <mode>", "of kube-proxy, or two: iptables..ipvs; default: that of its configuration")
    .addOption(
      new Option("--max-examples <count>", "differences in behaviour that are shown")
        .argParser(countFlag(0, "the count"))
        .default(20),
    )
    .addOption(asOption())
    .option("--exact", "shares as fractions")
    .addOption(strictFlag())
    .addHelpText(
      "before",
      `Examples:
  landfall diff node-a.save node-b.save
  landfall diff --kube-proxy 1.27..1.34 objects.yaml kube-proxy.yaml
  ssh node-a iptables-save | landfall diff - objects.yaml -f kube-proxy.yaml
  landfall diff node-a.save node-b.save --text --ignore comments,order,hash-names
  landfall diff node-a.save node-b.save --for svc/default/web
`,
    );
  for (const option of NODE_FLAGS) command.addOption(option);
  withServiceFlags(command);
  withCommonFlags(command, "an input that belongs to both sides; may be repeated").action(
    async (words, flags) => finish(await (await import("./commands/diff.js")).diff(words, flags, io)),
  );
}

function defineFmt(program: Command, { io, finish }: Running): void {
  const command = program
    .command("fmt")
    .summary("canonical text, as the real tools print it; all problems of an input")
    .description(
      "Print rules as iptables-save would after loading them, other texts of a node as their tools do, and say all that is wrong with a text.",
    )
    .argument(
      "[files...]",
      "what iptables-save, ipset save, ipvsadm -Sn, conntrack -L, ip addr, ip route print; several kinds may stand in one; folders, .gz and .tgz; - is standard input",
    )
    .addOption(familyOption("told from the text"))
    .addOption(
      oneOf(new Option("--flavour <flavour>", "whose iptables prints the rules"), ["legacy", "nft"]).default(
        "legacy",
      ),
    )
    .addOption(asOption())
    .option("--partial", "print what could be read, with `# not read: …` in the place of each bad line")
    .addHelpText("before", "Examples:\n  landfall fmt node-a.save\n  iptables-save | landfall fmt -\n");
  withCommonFlags(command).action(async (files, flags) =>
    finish(await (await import("./commands/fmt.js")).fmt(files, flags, io)),
  );
}

function defineExplain(program: Command, { io, finish, run }: Running): void {
  const command = program
    .command("explain")
    .summary("say in plain words what rules do, or what a problem code means")
    .description(
      "Tell in plain words what rules do: a dump, a fragment of one, a chain, a rule, a service; or what a problem code means.",
    )
    .argument(
      "[words...]",
      "inputs, and what to explain of them: CHAIN, TABLE:CHAIN:rule:N, NAMESPACE/NAME[:PORT]; or codes, for example LF1007",
    )
    .addOption(outputFlag(["text", "json", "markdown", "mermaid"], "text"))
    .addOption(asOption())
    .option("--exact", "shares as fractions")
    .addOption(strictFlag())
    .addHelpText(
      "before",
      `Examples:
  iptables-save | grep default/web | landfall explain
  landfall explain node-a.save default/web
  landfall explain node-a.save nat:KUBE-SERVICES -o markdown
  landfall explain LF1007
`,
    );
  withServiceFlags(command);
  withCommonFlags(command).action(async (words, flags) =>
    finish(await (await import("./commands/explain.js")).explain(words, flags, io, run)),
  );
}

function defineServices(program: Command, { io, finish }: Running): void {
  const command = program
    .command("services")
    .alias("svc")
    .summary("the Services in a node's rules, with endpoints and shares, as kubectl lists them")
    .description(
      "List the Services that are found in rules or in an IPVS table, and what becomes of packets to them.",
    )
    .argument(
      "[words...]",
      "inputs (also objects, for names), and names of Services: NAMESPACE/NAME[:PORT], NAME, an address, a chain",
    )
    .addOption(outputFlag(["text", "wide", "json", "name"], "text"))
    .addOption(asOption())
    .option("--exact", "shares as fractions")
    .addOption(strictFlag())
    .addHelpText(
      "before",
      `Examples:
  iptables-save -c | landfall services
  landfall services node-a.save -n kube-system -o wide
  ipvsadm -Sn | landfall services - objects.yaml
`,
    );
  withServiceFlags(command);
  withCommonFlags(command).action(async (words, flags) =>
    finish(await (await import("./commands/services.js")).services(words, flags, io)),
  );
}

function defineLint(program: Command, { io, finish }: Running): void {
  const command = program
    .command("lint")
    .summary("known faults and traps in a node's rules, sets, virtual servers and connections")
    .description("Look for known faults and traps in the texts of a node; exit 1 when there are any.")
    .argument(
      "[files...]",
      "what iptables-save, ipset save, ipvsadm -Sn, conntrack -L, ip addr print; - is standard input",
    )
    .addOption(outputFlag(LINT_FORMS, "text"))
    .addOption(asOption())
    .option(
      "--rule <findings>",
      "only these findings, by code or number: LF3003,F4; may be repeated",
      listFlag,
    )
    .option("--ignore <findings>", "not these findings", listFlag)
    .addOption(
      oneOf(
        new Option("--severity <severity>", "the least grave that is told; default: warning"),
        FINDING_SEVERITIES,
      ),
    )
    .option("--list", "what is looked for")
    .option("--baseline <file>", "what -o json wrote earlier: its findings are known, and not told again")
    .addOption(strictFlag())
    .addHelpText(
      "before",
      `Examples:
  (iptables-save -c; ipset save; ipvsadm -Sn; conntrack -L) | landfall lint
  landfall lint node-a.save --severity info --ignore F43
  landfall lint node-a.save -o sarif
  landfall lint --list
`,
    );
  withCommonFlags(command).action(async (words, flags) =>
    finish(await (await import("./commands/lint.js")).lint(words, flags, io)),
  );
}

function defineVersions(program: Command, { io, finish }: Running): void {
  const command = program
    .command("versions")
    .summary("what changed in the rules with which kube-proxy")
    .description("Print what changed in kube-proxy's rules with which version.")
    .addOption(outputFlag(["text", "json"], "text"))
    .addHelpText("before", "Examples:\n  landfall versions\n  landfall versions -o json\n");
  withCommonFlags(command).action(async (flags) =>
    finish(await (await import("./commands/versions.js")).versions(flags, io)),
  );
}

function defineSchema(program: Command, { io, finish }: Running): void {
  const command = program
    .command("schema")
    .summary("JSON Schema of what -o json prints")
    .description("Print the JSON Schema of a document that -o json prints.")
    .argument("[document]", "trace, compile …; without it, the names of all documents")
    .addHelpText(
      "before",
      "Examples:\n  landfall schema\n  landfall schema trace\n  landfall schema diagnostics\n",
    );
  withCommonFlags(command).action(async (document) =>
    finish(await (await import("./commands/schema.js")).schema(document, io)),
  );
}

function defineCompletion(program: Command, { io, finish }: Running): void {
  const command = program
    .command("completion")
    .summary("commands, flags and values completed by the shell")
    .description("Print what makes a shell complete landfall's commands, flags, values and file names.")
    .addArgument(oneOf(new Argument("<shell>", "whose"), SHELLS))
    .addHelpText(
      "before",
      `Examples:
  source <(landfall completion bash)
  landfall completion zsh > "\${fpath[1]}/_landfall"
  landfall completion fish > ~/.config/fish/completions/landfall.fish
  landfall completion powershell | Out-String | Invoke-Expression
`,
    );
  withCommonFlags(command).action(async (shell) =>
    finish(await (await import("./commands/completion.js")).completion(shell, program, io)),
  );
}

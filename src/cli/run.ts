/** Arguments → command → exit code. Commands are loaded when they are asked for, so that `--help` stays quick. */
import { Command, CommanderError, Option } from "commander";
import type { Code } from "../problems/codes.js";
import { TEXT_KINDS } from "../text/segments.js";
import { CHECK_FORMS } from "./check-forms.js";
import { addressFlag, familyFlag, kindFlag, outputFlag, settingFlag, withCommonFlags } from "./common.js";
import { EXIT, UsageError } from "./exit.js";
import type { IO } from "./io.js";
import { type ProblemOptions, printProblems } from "./print-problems.js";
import { clean } from "./style.js";
import { VERSION } from "./version.js";

/** Runs one command line (without `node` and the script). Never rejects. */
export async function run(args: readonly string[], io: IO): Promise<number> {
  let code: number = EXIT.done;
  const finish = (result: number): void => {
    code = result;
  };
  const program = makeProgram(io, finish);
  const debug = args.includes("--debug");
  let flags: ProblemOptions = {};
  program.hook("preAction", (_program, command) => {
    flags = command.opts();
  });
  const complain = (code: Code, message: string, help?: string): void =>
    printProblems([{ code, severity: "error", message, ...(help === undefined ? {} : { help }) }], io, flags);
  try {
    if (args.length === 0) {
      io.stderr.write(program.helpInformation());
      return EXIT.usage;
    }
    // An arrow of its own would be taken for a flag.
    const words = args.filter((word) => word !== "--debug").map((word) => (word === "->" ? "→" : word));
    await program.parseAsync([...words], { from: "user" });
    return code;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage;
    if (error instanceof UsageError) {
      const { code, message, hint } = error;
      if (code === undefined) {
        io.stderr.write(
          `error: ${clean(message)}\n${hint === undefined ? "" : `  = help: ${clean(hint)}\n`}`,
        );
      } else complain(code, message, hint);
      return EXIT.usage;
    }
    complain(
      "LF9001",
      `an internal error: ${error instanceof Error ? error.message : String(error)}`,
      "this is a fault of landfall; please report it with the input, or with --debug for the stack",
    );
    if (debug && error instanceof Error) io.stderr.write(`${error.stack}\n`);
    return EXIT.internal;
  }
}

function asOption(): Option {
  return new Option("--as <kind>", `what the inputs are: ${TEXT_KINDS.join(", ")}; default: told by content`)
    .argParser(kindFlag)
    .default(undefined);
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

function makeProgram(io: IO, finish: (code: number) => void): Command {
  const program = new Command("landfall")
    .description("Where does the packet land? Compile, read and evaluate the rules that kube-proxy programs.")
    .version(VERSION)
    .option("--debug", "show the stack of an internal error")
    .configureOutput({
      writeOut: (text) => io.stdout.write(text),
      writeErr: (text) => io.stderr.write(clean(text, true)),
    })
    .exitOverride();
  program.addHelpText(
    "after",
    `
Examples:
  iptables-save | landfall trace - 10.1.2.3:4567 to 10.96.0.10:53/udp
  landfall compile objects.yaml kube-proxy.yaml -o save
  landfall fmt node-a.save
  landfall explain LF1007
`,
  );

  const compile = program
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
    .addOption(
      new Option("--mode <mode>", "of kube-proxy; default: that of its configuration").choices([
        "iptables",
        "ipvs",
        "nftables",
      ]),
    )
    .addOption(new Option("--family <family>", "4 or 6; default: the cluster's first").argParser(familyFlag))
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
  for (const option of NODE_FLAGS) compile.addOption(option);
  withCommonFlags(compile).action(async (files, flags) =>
    finish(await (await import("./commands/compile.js")).compile(files, flags, io)),
  );

  const trace = program
    .command("trace")
    .summary("where does this packet land, with what probability, and why")
    .description("Tell where a packet lands, from dumps, network documents and objects in any order.")
    .argument(
      "[words...]",
      "inputs, then the packet: SOURCE:PORT to DESTINATION:PORT/PROTOCOL [in IFACE] [mark M] …",
    )
    .addOption(outputFlag(["text", "json", "ndjson", "trace"], "text").default(undefined))
    .option("--packets <file>", "packets, one JSON object a line; - is standard input")
    .option("--packet-json <json>", "one packet as a JSON object")
    .addOption(asOption())
    .option("--fresh", "no connection is known and all recent lists are empty")
    .option("--reply", "how the answer gets back, with the conntrack entry")
    .option("--step", "rule by rule: you say what the dice say")
    .option("--all-rules", "each landing with all rules on its way")
    .option("--expect <condition>", "exit 1 when the answer is not so, for example 'never dropped'")
    .option("--exact", "shares as fractions")
    .option("--strict", "exit 4 when the answer took anything for granted")
    .addHelpText(
      "before",
      `Examples:
  iptables-save | landfall trace - 10.1.2.3:4567 to 10.96.0.10:53/udp
  landfall trace node-a.save network.yaml '10.244.9.8:41000 -> 10.96.41.17:80/tcp in cni0' -o json
  landfall trace objects.yaml 10.244.1.10 to svc/shop/web:http
`,
    );
  for (const option of NODE_FLAGS) trace.addOption(option);
  withCommonFlags(trace).action(async (words, flags) =>
    finish(await (await import("./commands/trace.js")).trace(words, flags, io)),
  );

  const check = program
    .command("check")
    .summary("run a file of expectations, for CI")
    .description("Check what a file expects of packets, against dumps, network documents and objects.")
    .argument("[files...]", "inputs, beside those that the file names; - is standard input")
    .addOption(outputFlag(CHECK_FORMS, "text"))
    .addOption(asOption())
    .option("--fresh", "no connection is known and all recent lists are empty")
    .option("--strict", "exit 4 when an answer took anything for granted")
    .addHelpText(
      "before",
      `Examples:
  landfall check -f expectations.yaml node-a.save
  iptables-save | landfall check -f expectations.yaml -o junit
`,
    );
  for (const option of NODE_FLAGS) check.addOption(option);
  withCommonFlags(check, "a file of expectations; may be repeated").action(async (files, flags) =>
    finish(await (await import("./commands/check.js")).check(files, flags, io)),
  );

  const simulate = program
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
    .option("--strict", "exit 4 when the answer took anything for granted")
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
  withCommonFlags(simulate).action(async (files, flags) =>
    finish(await (await import("./commands/simulate.js")).simulate(files, flags, io)),
  );

  const diff = program
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
    .option("--mode <mode>", "of kube-proxy, or two: iptables..ipvs; default: that of its configuration")
    .option("-n, --namespace <namespace>", "only the behaviour of its services")
    .addOption(
      new Option("--max-examples <count>", "differences in behaviour that are shown")
        .argParser(Number)
        .default(20),
    )
    .addOption(asOption())
    .option("--exact", "shares as fractions")
    .addHelpText(
      "before",
      `Examples:
  landfall diff node-a.save node-b.save
  landfall diff --kube-proxy 1.27..1.34 objects.yaml kube-proxy.yaml
  ssh node-a iptables-save | landfall diff - objects.yaml -f kube-proxy.yaml
`,
    );
  for (const option of NODE_FLAGS) diff.addOption(option);
  withCommonFlags(diff, "an input that belongs to both sides; may be repeated").action(async (words, flags) =>
    finish(await (await import("./commands/diff.js")).diff(words, flags, io)),
  );

  const fmt = program
    .command("fmt")
    .summary("canonical text, as the real tools print it; all problems of an input")
    .description(
      "Print rules as iptables-save would after loading them, other texts of a node as their tools do, and say all that is wrong with a text.",
    )
    .argument(
      "[files...]",
      "what iptables-save, ipset save, ipvsadm -Sn, conntrack -L, ip addr, ip route print; several kinds may stand in one; folders, .gz and .tgz; - is standard input",
    )
    .addOption(new Option("--family <family>", "4 or 6; default: told from the text").argParser(familyFlag))
    .addOption(
      new Option("--flavour <flavour>", "whose iptables prints the rules")
        .choices(["legacy", "nft"])
        .default("legacy"),
    )
    .addOption(asOption())
    .option("--partial", "print what could be read, with `# not read: …` in the place of each bad line")
    .addHelpText("before", "Examples:\n  landfall fmt node-a.save\n  iptables-save | landfall fmt -\n");
  withCommonFlags(fmt).action(async (files, flags) =>
    finish(await (await import("./commands/fmt.js")).fmt(files, flags, io)),
  );

  const explain = program
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
    .option("-n, --namespace <name>", "only services of this namespace")
    .option("--exact", "shares as fractions")
    .addHelpText(
      "before",
      `Examples:
  iptables-save | grep default/web | landfall explain
  landfall explain node-a.save default/web
  landfall explain node-a.save nat:KUBE-SERVICES -o markdown
  landfall explain LF1007
`,
    );
  withCommonFlags(explain).action(async (words, flags) =>
    finish(await (await import("./commands/explain.js")).explain(words, flags, io, run)),
  );

  const services = program
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
    .option("-n, --namespace <name>", "only services of this namespace")
    .option("-A, --all-namespaces", "services of all namespaces, which is the default")
    .option("--exact", "shares as fractions")
    .addHelpText(
      "before",
      `Examples:
  iptables-save -c | landfall services
  landfall services node-a.save -n kube-system -o wide
  ipvsadm -Sn | landfall services - objects.yaml
`,
    );
  withCommonFlags(services).action(async (words, flags) =>
    finish(await (await import("./commands/services.js")).services(words, flags, io)),
  );

  const versions = program
    .command("versions")
    .summary("what changed in the rules with which kube-proxy")
    .description("Print what changed in kube-proxy's rules with which version.")
    .addOption(outputFlag(["text", "json"], "text"));
  withCommonFlags(versions).action(async (flags) =>
    finish(await (await import("./commands/versions.js")).versions(flags, io)),
  );

  const schema = program
    .command("schema")
    .summary("JSON Schema of what -o json prints")
    .description("Print the JSON Schema of a document that -o json prints.")
    .argument(
      "<document>",
      "compile, trace, simulate (a line of -o ndjson), check, expectations (files of check), explain, versions, or diagnostics (lines of --diagnostics json)",
    );
  withCommonFlags(schema).action(async (name) =>
    finish(await (await import("./commands/schema.js")).schema(name, io)),
  );
  return program;
}

/** Arguments → command → exit code. Commands are loaded when they are asked for, so that `--help` stays quick. */
import { Command, CommanderError, Option } from "commander";
import type { Code } from "../problems/codes.js";
import { TEXT_KINDS } from "../text/segments.js";
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
    .summary("Services + EndpointSlices → iptables text")
    .description("Write what kube-proxy (iptables mode) programs for these objects, byte for byte.")
    .argument(
      "[files...]",
      "Kubernetes objects (Pods stand in for EndpointSlices), KubeProxyConfiguration, network documents; - is standard input",
    )
    .addOption(outputFlag(["save", "restore", "endpointslices", "json"], "save"))
    .addOption(new Option("--family <family>", "4 or 6; default: the cluster's first").argParser(familyFlag))
    .option("--then <files...>", "the cluster after a change: compile the sync that follows")
    .option("--onto <dump>", "rules that the node has already; default: none")
    .option("--out <folder>", "write all texts of all families as files")
    .addHelpText(
      "before",
      `Examples:
  landfall compile objects.yaml kube-proxy.yaml -o restore --kube-proxy 1.30
  kubectl get svc,endpointslices,nodes -A -o json | landfall compile - --node node-1
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
    .addOption(outputFlag(["text", "json", "ndjson"], "text").default(undefined))
    .option("--packets <file>", "packets, one JSON object a line; - is standard input")
    .option("--packet-json <json>", "one packet as a JSON object")
    .addOption(asOption())
    .option("--fresh", "no connection is known and all recent lists are empty")
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
    .summary("what a problem code means, why it matters, and what to do")
    .description("Tell what a problem code means, why it matters, with an example, and what to do.")
    .argument("[codes...]", "codes as they stand in brackets in problems, for example LF1007")
    .addOption(outputFlag(["text", "json"], "text"))
    .addHelpText(
      "before",
      "Examples:\n  landfall explain LF1007\n  landfall explain lf1002 lf1021 -o json\n",
    );
  withCommonFlags(explain).action(async (words, flags) =>
    finish(await (await import("./commands/explain.js")).explain(words, flags, io, run)),
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
      "compile, trace, explain, versions, or diagnostics (lines of --diagnostics json)",
    );
  withCommonFlags(schema).action(async (name) =>
    finish(await (await import("./commands/schema.js")).schema(name, io)),
  );
  return program;
}

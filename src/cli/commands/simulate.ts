/** `landfall simulate`: connections one after the other through IPVS, and the real servers that each may get. */
import { protocolName } from "../../../grammar/protocols.js";
import { type Opened, replay } from "../../evaluate/ipvs/replay.js";
import { ipvsSettings, ipvsTable, serverName } from "../../evaluate/ipvs/table.js";
import { appendAll } from "../../problems/append.js";
import { hasErrors, type Problem } from "../../problems/problem.js";
import type { FirstPacket, IpvsEvent } from "../../state/ipvs-events.js";
import { readIpvsEvents } from "../../text/ipvs-events.js";
import type { TextKind } from "../../text/segments.js";
import { type CommonFlags, documentText, exitCode, inputNames, report, write } from "../common.js";
import { EXIT, UsageError } from "../exit.js";
import { readInputs, readSource, readState } from "../inputs.js";
import type { IO } from "../io.js";
import type { SimulateDocument } from "../schemas/simulate.js";
import { clean, type Style, styleFor } from "../style.js";
import { table } from "../table.js";
import { probability } from "../trace-json.js";
import { shareText } from "../trace-text.js";

export interface SimulateFlags extends CommonFlags {
  readonly as?: TextKind;
  readonly connections?: string;
  readonly output: "text" | "ndjson";
  readonly sorted?: boolean;
  readonly exact?: boolean;
  readonly strict?: boolean;
}

const USAGE = "landfall simulate ipvsadm.txt --connections events.tsv";

export async function simulate(named: readonly string[], flags: SimulateFlags, io: IO): Promise<number> {
  const { connections } = flags;
  if (connections === undefined) throw new UsageError("no file of connections was named", USAGE);
  if (connections === "-" && [...named, ...(flags.file ?? [])].length === 0)
    throw new UsageError("standard input cannot be both the virtual servers and the connections", USAGE);
  const read = await readInputs(inputNames(named, flags, io, USAGE), io, flags.as);
  const problems: Problem[] = [...read.problems];
  const { virtualServers, network } = readState(read, problems);
  if (virtualServers === undefined && !hasErrors(problems)) {
    problems.push({
      code: "LF1034",
      severity: "error",
      message: "no input holds virtual servers",
      help: "simulate reads the lines that ipvsadm -S prints and ipvsadm -R takes",
    });
  }
  const events: IpvsEvent[] = [];
  if (virtualServers !== undefined) {
    for (const source of await readSource(connections, io, problems)) {
      const one = readIpvsEvents(source, virtualServers);
      appendAll(events, one.events);
      appendAll(problems, one.problems);
    }
  }
  const failed = report(problems, io, flags);
  if (failed !== undefined || virtualServers === undefined) return failed ?? EXIT.unreadable;
  const start = ipvsTable(virtualServers, {
    settings: ipvsSettings(network?.sysctls),
    sorted: flags.sorted === true,
  });
  const assumed =
    flags.output === "text"
      ? writeText(replay(start, events), events, flags, io)
      : writeLines(replay(start, events), io);
  return exitCode(flags, { assumed });
}

/** Whether an answer took anything for granted. */
function writeLines(answers: Iterable<Opened>, io: IO): boolean {
  let assumed = false;
  for (const { id, servers, assuming } of answers) {
    const document: SimulateDocument = {
      id,
      servers: servers.map(({ address, share }) => ({ address, probability: probability(share) })),
      assuming: [...assuming],
    };
    write(io, documentText(document, "ndjson"));
    assumed ||= assuming.length > 0;
  }
  return assumed;
}

function writeText(
  answers: Iterable<Opened>,
  events: readonly IpvsEvent[],
  flags: SimulateFlags,
  io: IO,
): boolean {
  const style = styleFor(io.stdout, io.env, flags);
  const packets = events.flatMap((event) => (event.kind === "open" ? [event.packet] : []));
  const taken = new Set<string>();
  const rows: string[][] = [];
  for (const answer of answers) {
    const packet = packets[rows.length];
    rows.push([
      clean(answer.id),
      packet === undefined ? "" : packetText(packet),
      landsOn(answer, flags, style),
    ]);
    for (const one of answer.assuming) taken.add(one);
  }
  const lines = table(["ID", "CONNECTION", "LANDS ON"], rows, style);
  const notes = [...taken].map((one) => `${style.paint("yellow", "given that")} ${clean(one)}`);
  io.stdout.write([...lines, ...(notes.length === 0 ? [] : ["", ...notes]), ""].join("\n"));
  return taken.size > 0;
}

function packetText({ protocol, source, sourcePort, destination, destinationPort }: FirstPacket): string {
  const from = serverName({ address: source, port: sourcePort });
  const to = serverName({ address: destination, port: destinationPort });
  return `${from} → ${to}/${protocolName(protocol)}`;
}

function landsOn({ servers }: Opened, { exact = false }: SimulateFlags, style: Style): string {
  const colour = (address: string): string =>
    address === "refused" ? style.paint("red", address) : style.paint("green", address);
  const [first] = servers;
  if (servers.length === 1 && first !== undefined) return colour(first.address);
  return servers.map(({ address, share }) => `${shareText(share, exact)} ${colour(address)}`).join(" · ");
}

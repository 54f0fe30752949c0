/** `trace --step`: the way of a packet rule by rule, where the reader chooses what the dice say. */
import { printAddress } from "../../grammar/address.js";
import { PORT_PROTOCOLS, protocolName } from "../../grammar/protocols.js";
import type { Case, Headers, Landing, Share, Step } from "../evaluate/outcome.js";
import { isCertain, plus, toNumber } from "../evaluate/share.js";
import { ruleWords } from "../explain/words.js";
import { printRule } from "../text/save.js";
import type { IO } from "./io.js";
import { clean, type Style } from "./style.js";
import { stepPlace, stepsOf } from "./trace-json.js";

/** Ways that begin alike, as far as they do. */
interface Fork {
  /** Undefined at the start. */
  readonly step: Step | undefined;
  readonly share: Share;
  readonly next: readonly Fork[];
  /** A way ends here. */
  readonly landing: Landing | undefined;
}

/** Where the reader stands: of the ways that go on from a fork, the first `passed` were passed by. */
interface Stand {
  readonly fork: Fork;
  readonly passed: number;
}

export interface SteppingOptions {
  readonly style: Style;
  /** In words: what a landing is. */
  readonly landsOn: (landing: Landing) => string;
}

/** Asks until the packet has landed or the reader quits. Reads answers from standard input, one a line. */
export async function stepThrough({ landings }: Case, io: IO, options: SteppingOptions): Promise<void> {
  const history: Stand[] = [];
  let stand: Stand = { fork: forkOf(landings, 0, undefined), passed: 0 };
  for (;;) {
    const { fork, passed } = stand;
    const ahead = fork.next.slice(passed);
    const [first] = ahead;
    if (first === undefined) {
      io.stdout.write(
        `${clean(fork.landing === undefined ? "no way goes on" : options.landsOn(fork.landing))}\n`,
      );
      return;
    }
    showFork(first, fork, io, options);
    const open = ahead.map(({ share }) => share).reduce(plus);
    io.stdout.write(promptFor(first, open, ahead.length > 1));
    const answer = (await io.readLine())?.trim().toLowerCase();
    if (answer === undefined || answer === "q") {
      if (answer === undefined) io.stdout.write("\n");
      return;
    }
    if (answer === "y" || answer === "") {
      history.push(stand);
      stand = { fork: first, passed: 0 };
    } else if (answer === "n" && ahead.length > 1) {
      history.push(stand);
      stand = { fork, passed: passed + 1 };
    } else if (answer === "b") stand = history.pop() ?? stand;
    else if (answer === "s") io.stdout.write(`${stackOf(first)}\n`);
    else if (answer === "e") io.stdout.write(`${explanationOf(first)}\n`);
    else io.stdout.write("y, n, b, s, e or q\n");
  }
}

/** The ways of `landings` behind their first `depth` steps, which they share. */
function forkOf(landings: readonly Landing[], depth: number, step: Step | undefined): Fork {
  const groups = new Map<string, { readonly step: Step; readonly ways: Landing[] }>();
  let landing: Landing | undefined;
  for (const one of landings) {
    const next = stepsOf(one)[depth];
    if (next === undefined) landing = one;
    else {
      const key = stepPlace(next);
      const group = groups.get(key) ?? { step: next, ways: [] };
      group.ways.push(one);
      groups.set(key, group);
    }
  }
  return {
    step,
    share: landings.map(({ share }) => share).reduce(plus),
    next: [...groups.values()].map((group) => forkOf(group.ways, depth + 1, group.step)),
    landing,
  };
}

function showFork({ step }: Fork, { share }: Fork, io: IO, { style }: SteppingOptions): void {
  if (step === undefined) return;
  const rule =
    step.rule === undefined
      ? "the end of the chain"
      : printRule(step.rule, step.chain, step.headers.family).replace(/^-A \S+ ?/, "");
  io.stdout.write(`${style.paint("bold", clean(stepPlace(step)))}   ${clean(rule)}\n`);
  io.stdout.write(`packet ${clean(packetText(step.headers))}   so far ${percent(share)}\n`);
}

function packetText(headers: Headers): string {
  const { source, destination, sourcePort, destinationPort, protocol, mark } = headers;
  const port = (number: number | null | undefined) =>
    PORT_PROTOCOLS.includes(protocol) && typeof number === "number" ? `:${number}` : "";
  const end = (address: Headers["source"], number: number | null | undefined) => {
    if (address === null || address === undefined) return "?";
    const text = printAddress(address);
    return `${text.includes(":") && port(number) ? `[${text}]` : text}${port(number)}`;
  };
  return `${end(source, sourcePort)} → ${end(destination, destinationPort)}/${protocolName(protocol)}   mark 0x${mark.toString(16)}`;
}

function promptFor(first: Fork, open: Share, isFork: boolean): string {
  const part = toNumber(first.share) / toNumber(open);
  const take = isFork ? `[y] take it (${percentOf(part)})  [n] go on (${percentOf(1 - part)})` : "[y] go on";
  return `${take}  [b] back  [s] stack  [e] explain  [q] quit > `;
}

function percent(share: Share): string {
  return isCertain(share) ? "100 %" : percentOf(toNumber(share));
}

function percentOf(part: number): string {
  return `${Number((part * 100).toPrecision(3))} %`;
}

/** The chains that called each other up to here. */
function stackOf({ step }: Fork): string {
  const steps: Step[] = [];
  for (let one = step; one !== undefined && one.table === step?.table; one = one.previous) steps.unshift(one);
  const chains: string[] = [];
  for (const one of steps) {
    // Another hook of the same table begins anew.
    if (!chains.includes(one.chain)) chains.splice(0, chains.length, one.chain);
    const target = one === step ? undefined : one.rule?.target;
    if (one.kind === "return") chains.pop();
    else if (target?.kind === "chain") chains.splice(chains.length - (target.goto ? 1 : 0), 1, target.chain);
  }
  return clean(`${step?.table}: ${chains.join(" → ")}`);
}

function explanationOf({ step }: Fork): string {
  return step?.rule === undefined
    ? "no further rule of this chain matches"
    : clean(ruleWords(step.rule, step.headers.family));
}

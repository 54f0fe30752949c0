/**
 * One line of options → what ipvsadm would do: the lines of `ipvsadm -S`, and all that `ipvsadm -R` takes. Options are read
 * one after the other as ipvsadm 1.31 does it (with the popt library), since their order matters to it.
 */
import { type Address, ALL_ONES, type Family, familyOf, prefixMask } from "../../grammar/address.js";
import { PROTOCOL } from "../../grammar/protocols.js";
import { didYouMean } from "../problems/meant.js";
import { nearest } from "../problems/nearest.js";
import {
  DEFAULT_PERSISTENCE_SECONDS,
  DEFAULT_SCHEDULER,
  type Destination,
  type Forwarding,
  flagsOfScheduler,
  PERSISTENCE_ENGINES,
  SCHEDULERS,
  type SchedulerFlag,
  type Scheduling,
  type ServiceKey,
  schedulerFlag,
  type Tunnel,
  type VirtualServerChange,
} from "../state/virtual-servers.js";
import { readEndpoint, readLooseIPv4, readNumber } from "./ipvsadm-endpoint.js";
import {
  type Arguments,
  atOption,
  atValue,
  COMMANDS,
  type CommandName,
  type Fault,
  find,
  type Given,
  noValue,
  OPTIONS,
  parseOptions,
  type Slot,
} from "./ipvsadm-options.js";
import type { Words } from "./words.js";

export type Command =
  | (VirtualServerChange & {
      /** No scheduler was named. */
      readonly byDefault?: boolean;
    })
  | { readonly kind: "zero"; readonly key: ServiceKey | undefined }
  /** Lists, saves, helps, or is about the synchronization daemon: changes nothing here. */
  | { readonly kind: "none" };

export interface CommandRead {
  /** Absent when the line is refused. */
  readonly command?: Command;
  /** The service that the line is about, as far as it could be read. */
  readonly key?: ServiceKey;
  readonly faults: readonly Fault[];
}

const SERVICE_SLOTS: readonly Slot[] = [
  "service-address",
  "scheduler",
  "persistent",
  "netmask",
  "pe",
  "ops",
  "sched-flags",
];

const TUNNEL_SLOTS: readonly Slot[] = ["tun-type", "tun-port", "tun-nocsum", "tun-csum", "tun-remcsum"];

const SERVER_SLOTS: readonly Slot[] = [
  "service-address",
  "real-server",
  "forwarding-method",
  "weight",
  "u-threshold",
  "l-threshold",
  ...TUNNEL_SLOTS,
];

/** What each command takes. */
const TAKES: Readonly<Record<Exclude<CommandName, "none">, readonly Slot[]>> = {
  "add-service": SERVICE_SLOTS,
  "edit-service": SERVICE_SLOTS,
  "delete-service": ["service-address"],
  "add-server": SERVER_SLOTS,
  "edit-server": SERVER_SLOTS,
  "delete-server": ["service-address", "real-server"],
  zero: ["service-address"],
  clear: [],
  set: [],
};

const PROTOCOLS: ReadonlyMap<string, number> = new Map([
  ["-t", PROTOCOL.tcp],
  ["-u", PROTOCOL.udp],
  ["--sctp-service", PROTOCOL.sctp],
]);

/** The option that names a protocol's services. */
export function serviceOption(protocol: number): string {
  return [...PROTOCOLS].find(([, number]) => number === protocol)?.[0] ?? "--xxx-service";
}

type Outcome<T> = { readonly value: T } | { readonly fault: Fault };

const MARK_MAX = 0xffffffff;

const INT_MAX = 0x7fffffff;

/** 31 days, in seconds (ipvsadm 1.31). */
const TIMEOUT_MAX = 86400 * 31;

/** Whether the words, behind the program's name, begin with a command; `-At` has more options in one word. */
export function beginsWithCommand(word: string): boolean {
  return COMMANDS.has(word) || (/^-[A-Za-z][A-Za-z0-9]/.test(word) && COMMANDS.has(word.slice(0, 2)));
}

/** Reads the words of a line from word `first` on, which is the command. */
export function readCommand(words: Words, first: number): CommandRead {
  const word = words.words[first] ?? "";
  const start = words.starts[first] ?? 0;
  const equals = word.startsWith("--") ? word.indexOf("=") : -1;
  const spelled = COMMANDS.has(word) ? word : equals > 0 ? word.slice(0, equals) : word.slice(0, 2);
  const kind = COMMANDS.get(spelled);
  if (kind === undefined) return refused(unknownCommand(words, first));
  if (kind === "none") return { command: { kind }, faults: [] };
  const name = { spelled, kind, from: start, to: start + spelled.length };
  const { given, rest, fault } = parseOptions(words, first, spelled.length);
  const service = keyOf(given);
  const about = service !== undefined && "value" in service ? { key: service.value } : {};
  const read = fault === undefined ? meaningOf(name, given, rest, service) : { fault };
  return "fault" in read
    ? { ...about, faults: [read.fault] }
    : { ...about, command: read.value, faults: onlySaved(given) };
}

/** Forms that ipvsadm -S prints and -R refuses: they are read, since that is what the node has. */
function onlySaved(given: readonly Given[]): readonly Fault[] {
  const faults: Fault[] = [];
  for (const one of given) {
    if (one.form.name === "-f" && one.value?.startsWith("-") === true) {
      const message = "ipvsadm -S prints marks from 2^31 on as negative, and -R refuses them";
      const help = `write ${Number(one.value) + MARK_MAX + 1}`;
      faults.push({ ...atValue(one, "LF1006", message), severity: "warning", help });
    } else if (one.form.takes === "saved" && one.value === undefined) {
      const message = "ipvsadm -S prints a third flag of sh and mh as nothing, and -R refuses that";
      faults.push({ ...atOption(one, "LF1005", message), severity: "warning", help: "write -b flag-3" });
    }
  }
  return faults;
}

const refused = (fault: Fault): CommandRead => ({ faults: [fault] });

interface NamedCommand {
  readonly spelled: string;
  readonly kind: Exclude<CommandName, "none">;
  readonly from: number;
  readonly to: number;
}

function unknownCommand(words: Words, first: number): Fault {
  const word = words.words[first] ?? "";
  const later = words.words.findIndex((other, index) => index > first && COMMANDS.has(other));
  const at = { from: words.starts[first] ?? 0, to: words.ends[first] ?? 1 };
  if (OPTIONS.has(word.replace(/=.*/s, "")) && later > 0) {
    const help = `begin the line with ${words.words[later]}`;
    return { code: "LF1014", message: "the command must come before all options", ...at, help };
  }
  const near = nearest(word, COMMANDS.keys());
  return {
    code: "LF1014",
    message: `ipvsadm has no command ${word}`,
    ...at,
    ...didYouMean(near),
  };
}

/** The service that the options name; undefined when they name none. */
function keyOf(given: readonly Given[]): Outcome<ServiceKey> | undefined {
  const at = given.findIndex(({ form }) => form.slot === "service-address");
  const named = given[at];
  if (named === undefined) return undefined;
  const { form, value = "" } = named;
  const six = given.find((other) => other.form.name === "-6");
  if (form.name === "-f") {
    const number = readNumber(value, 1, MARK_MAX) ?? readNumber(value, -INT_MAX - 1, -1);
    if (number === undefined)
      return { fault: atValue(named, "LF1006", "a firewall mark is a decimal number from 1 to 4294967295") };
    if (six !== undefined && given.indexOf(six) < at)
      return { fault: { ...atOption(six, "LF1010", "-6 must come after -f"), help: "write -f MARK -6" } };
    return { value: { kind: "mark", mark: number >>> 0, family: six === undefined ? "ipv4" : "ipv6" } };
  }
  if (six !== undefined)
    return {
      fault: {
        ...atOption(six, "LF1010", "-6 goes with -f only"),
        help: "an address tells its family itself",
      },
    };
  const endpoint = readEndpoint(value, true);
  if ("wrong" in endpoint) {
    const { wrong, help } = endpoint;
    return { fault: { ...atValue(named, "LF1006", wrong), ...(help === undefined ? {} : { help }) } };
  }
  const { address, port = 0 } = endpoint;
  return { value: { kind: "address", protocol: PROTOCOLS.get(form.name) ?? 0, address, port } };
}

/** What the command does, with ipvsadm's own checks. */
function meaningOf(
  name: NamedCommand,
  given: readonly Given[],
  rest: Arguments["rest"],
  service: Outcome<ServiceKey> | undefined,
): Outcome<Command> {
  const fault = misplaced(name, given, rest);
  if (fault !== undefined) return { fault };
  const { kind } = name;
  if (kind === "clear") return { value: { kind } };
  if (kind === "set") return timeoutsOf(name, rest);
  if (service === undefined) {
    return kind === "zero"
      ? { value: { kind, key: undefined } }
      : {
          fault: {
            ...atOption(name, "LF1010", `${name.spelled} needs a virtual server`),
            help: "name it with -t, -u, --sctp-service or -f",
          },
        };
  }
  if ("fault" in service) return service;
  const key = service.value;
  if (kind === "zero" || kind === "delete-service") return { value: { kind, key } };
  if (kind === "add-service" || kind === "edit-service") return serviceCommand(kind, key, given);
  return serverCommand({ ...name, kind }, key, given);
}

/** Options given twice, options of other commands, and words that belong to none. */
function misplaced(name: NamedCommand, given: readonly Given[], rest: Arguments["rest"]): Fault | undefined {
  const seen = new Map<Slot, Given>();
  for (const one of given) {
    const { slot, name: spelled } = one.form;
    if (slot === undefined) continue;
    if (!TAKES[name.kind].includes(slot))
      return atOption(one, "LF1010", `${name.spelled} (${name.kind}) takes no ${spelled}`);
    const before = seen.get(slot);
    if (before !== undefined) {
      return before.form.name === spelled
        ? atOption(one, "LF1008", `${spelled} is given twice`)
        : atOption(one, "LF1008", `${spelled} and ${before.form.name} exclude each other`);
    }
    seen.set(slot, one);
  }
  const [word] = rest;
  return word === undefined || name.kind === "set"
    ? undefined
    : atOption(word, "LF1017", `${word.word} belongs to no option`);
}

function timeoutsOf(name: NamedCommand, rest: Arguments["rest"]): Outcome<Command> {
  if (rest.length < 3) {
    return {
      fault: {
        ...atOption(name, "LF1010", "--set needs three timeouts in seconds: tcp, tcpfin and udp"),
        help: "0 leaves one as it is",
      },
    };
  }
  const timeouts: { tcp?: number; tcpFin?: number; udp?: number } = {};
  for (const [index, one] of rest.entries()) {
    const field = (["tcp", "tcpFin", "udp"] as const)[index];
    if (field === undefined) return { fault: atOption(one, "LF1017", `${one.word} belongs to no option`) };
    const seconds = readNumber(one.word, 0, TIMEOUT_MAX);
    if (seconds === undefined)
      return { fault: atOption(one, "LF1006", `a timeout is a number of seconds from 0 to ${TIMEOUT_MAX}`) };
    if (seconds > 0) timeouts[field] = seconds;
  }
  return { value: { kind: "set", timeouts } };
}

function serviceCommand(
  kind: "add-service" | "edit-service",
  key: ServiceKey,
  given: readonly Given[],
): Outcome<Command> {
  const named = find(given, "scheduler");
  const scheduler = named?.value ?? DEFAULT_SCHEDULER;
  if (named !== undefined && !SCHEDULERS.includes(scheduler)) {
    const near = nearest(scheduler.toLowerCase(), SCHEDULERS);
    const fault = atValue(named, "LF1006", `the kernel has no scheduler ${scheduler}`);
    return {
      fault:
        near === undefined
          ? { ...fault, help: `it has ${SCHEDULERS.join(", ")}` }
          : { ...fault, ...didYouMean(near) },
    };
  }
  const flags = flagsOf(find(given, "sched-flags"), scheduler);
  if ("fault" in flags) return flags;
  const mask = maskOf(given, key);
  if ("fault" in mask) return mask;
  const persistent = find(given, "persistent");
  const timeoutSeconds =
    persistent?.value === undefined
      ? DEFAULT_PERSISTENCE_SECONDS
      : readNumber(persistent.value, 1, TIMEOUT_MAX);
  if (persistent !== undefined && timeoutSeconds === undefined) {
    const message = `a persistence timeout is a number of seconds from 1 to ${TIMEOUT_MAX}`;
    return { fault: atValue(persistent, "LF1006", message) };
  }
  const service = find(given, "service-address") as Given;
  if (key.kind === "address" && key.port === 0 && persistent === undefined) {
    const fault = atValue(service, "LF1010", "a virtual server without a port must be persistent");
    return { fault: { ...fault, help: "write address:port, or add -p for all ports" } };
  }
  const once = find(given, "ops");
  if (once !== undefined && key.kind === "address" && key.protocol !== PROTOCOL.udp)
    return { fault: atOption(once, "LF1010", "one-packet scheduling is only for UDP and for marks") };
  const engine = find(given, "pe");
  if (engine?.value !== undefined && !PERSISTENCE_ENGINES.includes(engine.value)) {
    const fault = atValue(engine, "LF1006", `the kernel has no persistence engine ${engine.value}`);
    return { fault: { ...fault, help: `it has ${PERSISTENCE_ENGINES.join(", ")}` } };
  }
  const scheduling: Scheduling = {
    scheduler,
    flags: flags.value,
    ...(persistent === undefined || timeoutSeconds === undefined
      ? {}
      : { persistence: { timeoutSeconds, mask: mask.value } }),
    ...(engine?.value === undefined ? {} : { persistenceEngine: engine.value }),
    onePacket: once !== undefined,
  };
  return { value: { kind, key, scheduling, byDefault: named === undefined } };
}

function flagsOf(given: Given | undefined, scheduler: string): Outcome<readonly SchedulerFlag[]> {
  if (given === undefined) return { value: [] };
  const { value = "", valueFrom } = given;
  // Only sh and mh have a flag without a name.
  if (given.value === undefined)
    return flagsOfScheduler(scheduler).includes("flag-1")
      ? { fault: noValue(given.form.name, given.from, given.to) }
      : { value: ["flag-3"] };
  const flags = new Set<SchedulerFlag>();
  let at = 0;
  for (const name of value.split(",")) {
    const from = valueFrom + at;
    at += name.length + 1;
    if (name === "") continue;
    const flag = schedulerFlag(scheduler, name);
    if (flag === undefined) {
      const owner = ["sh", "mh"].find((other) => schedulerFlag(other, name) !== undefined);
      const place = { from, to: from + name.length };
      const near = nearest(name, flagsOfScheduler(scheduler));
      return {
        fault:
          owner === undefined
            ? {
                ...atOption(place, "LF1006", `there is no scheduler flag ${name}`),
                ...(near === undefined
                  ? { help: `${scheduler} has ${flagsOfScheduler(scheduler).join(", ")}` }
                  : didYouMean(near)),
              }
            : atOption(place, "LF1010", `flag ${name} is one of scheduler ${owner}, not of ${scheduler}`),
      };
    }
    flags.add(flag);
  }
  // ipvsadm takes a list of nothing but commas badly: it ends without a word.
  if (flags.size === 0) return { fault: atValue(given, "LF1005", "-b needs a list of flags") };
  return { value: flagsOfScheduler(scheduler).filter((flag) => flags.has(flag)) };
}

/** The netmask of persistence. An IPv6 service that is named after it puts it back to 128. */
function maskOf(given: readonly Given[], key: ServiceKey): Outcome<Address> {
  const option = find(given, "netmask");
  const family: Family = key.kind === "mark" ? key.family : familyOf(key.address);
  if (option === undefined) return { value: ALL_ONES[family] };
  const { value = "" } = option;
  const told = given.findIndex(
    ({ form }) => form.name === "-6" || (key.kind === "address" && form.slot === "service-address"),
  );
  if (family === "ipv6" && told < given.indexOf(option)) {
    // atoi(3): what follows the digits is not looked at.
    const length = Number(/^[+-]?\d{1,9}/.exec(value)?.[0] ?? 0);
    return length >= 1 && length <= 128
      ? { value: prefixMask(length, "ipv6") }
      : {
          fault: atValue(option, "LF1006", "the netmask of an IPv6 service is a prefix length from 1 to 128"),
        };
  }
  const mask = readLooseIPv4(value);
  if (mask !== undefined) return { value: family === "ipv4" ? mask : ALL_ONES.ipv6 };
  const fault = atValue(option, "LF1006", `${value} is no netmask`);
  return { fault: { ...fault, help: "an IPv4 netmask is written like 255.255.255.0" } };
}

function serverCommand(
  name: NamedCommand & { readonly kind: "add-server" | "edit-server" | "delete-server" },
  key: ServiceKey,
  given: readonly Given[],
): Outcome<Command> {
  const real = find(given, "real-server");
  if (real === undefined)
    return {
      fault: {
        ...atOption(name, "LF1010", `${name.spelled} needs a real server`),
        help: "name it with -r address:port",
      },
    };
  // ipvsadm takes the service's port and protocol as known only when it was named before.
  const after = given.findIndex(({ form }) => form.slot === "service-address") < given.indexOf(real);
  const endpoint = readEndpoint(real.value ?? "", after);
  if ("wrong" in endpoint) {
    const { wrong, help } = endpoint;
    return { fault: { ...atValue(real, "LF1006", wrong), ...(help === undefined ? {} : { help }) } };
  }
  const { address } = endpoint;
  const servicePort = key.kind === "address" ? key.port : 0;
  const port = endpoint.port ?? (after ? servicePort : 0);
  if (name.kind === "delete-server") return { value: { kind: name.kind, key, address, port } };
  const forwarding = forwardingOf(given);
  if ("fault" in forwarding) return forwarding;
  const { kind } = forwarding.value;
  const family = key.kind === "mark" ? key.family : familyOf(key.address);
  if (familyOf(address) !== family && kind !== "tunnel")
    return { fault: atValue(real, "LF1010", "a real server of the other address family needs a tunnel: -i") };
  if (!isUnicast(address))
    return {
      fault: atValue(
        real,
        "LF1006",
        "a real server has an address of a host: not multicast, broadcast, link-local or zero",
      ),
    };
  const numbers: { weight?: number; "u-threshold"?: number; "l-threshold"?: number } = {};
  for (const slot of ["weight", "u-threshold", "l-threshold"] as const) {
    const option = find(given, slot);
    if (option === undefined) continue;
    const value = readNumber(option.value ?? "", 0, INT_MAX);
    if (value === undefined)
      return { fault: atValue(option, "LF1006", `a ${slot} is a number from 0 to ${INT_MAX}`) };
    numbers[slot] = value;
  }
  const { weight = 1, "u-threshold": upperThreshold = 0, "l-threshold": lowerThreshold = 0 } = numbers;
  const lower = find(given, "l-threshold");
  if (lower !== undefined && lowerThreshold > upperThreshold)
    return {
      fault: atValue(lower, "LF1010", "the lower threshold (-y) must not be above the upper one (-x)"),
    };
  // Packets that are not rewritten keep their port.
  const rewritten = kind === "masquerade" || key.kind === "mark";
  const destination: Destination = {
    address,
    port: rewritten ? port : servicePort,
    forwarding: forwarding.value,
    weight,
    upperThreshold,
    lowerThreshold,
  };
  return { value: { kind: name.kind, key, destination } };
}

/** What the kernel takes for an address of a host, as far as its routes are not needed to tell. */
function isUnicast(address: Address): boolean {
  if (typeof address === "number")
    return address !== 0 && address >>> 28 !== 0xe && address !== ALL_ONES.ipv4;
  // Mapped IPv4 addresses (::ffff:0:0/96) are none either.
  return (
    address !== 0n && address >> 32n !== 0xffffn && address >> 120n !== 0xffn && address >> 118n !== 0x3fan
  );
}

function forwardingOf(given: readonly Given[]): Outcome<Forwarding> {
  const tunnelOptions = given.filter(
    ({ form }) => form.slot !== undefined && TUNNEL_SLOTS.includes(form.slot),
  );
  const method = find(given, "forwarding-method")?.form.name ?? "-g";
  if (method === "-i") {
    const tunnel = tunnelOf(given, tunnelOptions);
    return "fault" in tunnel ? tunnel : { value: { kind: "tunnel", tunnel: tunnel.value } };
  }
  const [extra] = tunnelOptions;
  if (extra !== undefined)
    return { fault: atOption(extra, "LF1010", `${extra.form.name} goes with -i only`) };
  return { value: { kind: method === "-m" ? "masquerade" : "route" } };
}

/** What options each type of tunnel takes besides its name. */
const TUNNEL_TAKES: Readonly<Record<Tunnel["type"], readonly Slot[]>> = {
  ipip: [],
  gue: ["tun-port", "tun-nocsum", "tun-csum", "tun-remcsum"],
  gre: ["tun-nocsum", "tun-csum"],
};

function tunnelOf(given: readonly Given[], options: readonly Given[]): Outcome<Tunnel> {
  const named = find(given, "tun-type");
  const type = named?.value ?? "ipip";
  if (type !== "ipip" && type !== "gue" && type !== "gre")
    return { fault: atValue(named as Given, "LF1006", "a type of tunnel is ipip, gue or gre") };
  const wrong = options.find(
    ({ form }) => form.slot !== "tun-type" && !TUNNEL_TAKES[type].includes(form.slot as Slot),
  );
  if (wrong !== undefined)
    return { fault: atOption(wrong, "LF1010", `a tunnel of type ${type} takes no ${wrong.form.name}`) };
  if (type === "ipip") return { value: { type } };
  const [sum, other] = options.filter(({ form }) => form.name.endsWith("csum"));
  if (sum !== undefined && other !== undefined)
    return { fault: atOption(other, "LF1010", `${other.form.name} and ${sum.form.name} exclude each other`) };
  const checksum =
    sum?.form.name === "--tun-csum" ? "full" : sum?.form.name === "--tun-remcsum" ? "remote" : "none";
  if (type === "gre") return { value: { type, checksum: checksum === "full" ? "full" : "none" } };
  const port = find(given, "tun-port");
  if (port === undefined)
    return {
      fault: {
        ...atValue(named as Given, "LF1010", "a tunnel of type gue needs a port"),
        help: "add --tun-port",
      },
    };
  const number = readNumber(port.value ?? "", 1, 65535);
  return number === undefined
    ? { fault: atValue(port, "LF1006", "a port of a tunnel is a number from 1 to 65535") }
    : { value: { type, port: number, checksum } };
}

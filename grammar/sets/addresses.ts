/** The dimensions `ip` and `net`: addresses, ranges of them, and networks, as ipset reads and the kernel stores them. */
import {
  type Address,
  ALL_ONES,
  addressBits,
  type Family,
  maskAddress,
  type Network,
  prefixLength,
  prefixMask,
  printAddress,
  printNetwork,
  readAddress,
} from "../address.js";
import { isRefusal, type Refusal } from "../description.js";
import { readLong } from "../values.js";
import {
  between,
  type Dimension,
  type Direction,
  dimension,
  type SetContext,
  type SetPacket,
  type Spread,
  single,
} from "./description.js";

/** `a`, `a/length` or `a-b`. */
interface Written {
  readonly from: Address;
  readonly length?: number;
  readonly to?: Address;
}

/** Reads an address, a network, or a range of addresses, of which a set may refuse the latter two. */
function readWritten(text: string, family: Family): Written | Refusal {
  const bits = addressBits(family);
  const slash = text.indexOf("/");
  const dash = slash < 0 ? text.indexOf("-", text.startsWith("[") ? text.indexOf("]") : 0) : -1;
  const first = slash >= 0 ? text.slice(0, slash) : dash > 0 ? text.slice(0, dash) : text;
  const from = readOne(first, family);
  if (from === undefined) return notAnAddress(first, family);
  if (slash >= 0) {
    const length = readLong(text.slice(slash + 1), BigInt(bits));
    return length === undefined
      ? { refused: `${text.slice(slash + 1)} is no prefix length: they go from 0 to ${bits}` }
      : { from, length: Number(length) };
  }
  if (dash <= 0) return { from };
  const to = readOne(text.slice(dash + 1), family);
  return to === undefined ? notAnAddress(text.slice(dash + 1), family) : { from, to };
}

interface IpForms {
  /** One address, never several. */
  readonly plain?: true;
  /** Of a range, one element for each network of the netmask. */
  readonly stepped?: true;
  /** 0.0.0.0 and :: cannot be stored. */
  readonly nonzero?: true;
  /** The mask cuts each element; otherwise only the address as written, and what a range goes on with stays whole. */
  readonly cutsEach?: true;
}

function ipDimension({ plain, stepped, nonzero, cutsEach }: IpForms): Dimension<Address> {
  function spread({ from, to, length }: Written, context: SetContext): Spread<Address> | Refusal {
    const mask = storedMask(context);
    const cut = maskAddress(from, mask);
    if (nonzero && Number(cut) === 0)
      return { refused: `${printAddress(cut)} cannot be stored in such a set` };
    if (typeof from === "bigint" || plain) {
      // A length is taken where IPv4 could have a range, if it holds one address.
      const alone = length === undefined || (!plain && length === addressBits(context.family));
      return to === undefined && alone
        ? single(cut)
        : { refused: "one address must stand here, not a network or a range" };
    }
    if (length === 0) return { refused: "a network of length 0 cannot stand for all its addresses" };
    const begin = cutsEach ? from : Number(cut);
    const network = prefixMask(length ?? 32, "ipv4") as number;
    const [one, other] =
      to === undefined ? [(begin & network) >>> 0, (begin | ~network) >>> 0] : [begin, Number(to)];
    const steps = between(one, other, stepped ? 2 ** (32 - (context.options.netmask ?? 32)) : 1);
    return cutsEach ? { ...steps, at: (index) => maskAddress(steps.at(index), mask) } : steps;
  }
  return {
    name: "ip",
    expects: plain ? "an address" : "an address, or with IPv4 a network or a range",
    read(text, context) {
      const written = readWritten(text, context.family);
      return isRefusal(written) ? written : spread(written, context);
    },
    print: printAddress,
    rank: () => 0,
    key: (address) => address,
    ask(packet, direction, context) {
      const address = askedAddress(packet, direction);
      return address === undefined ? undefined : maskAddress(address, storedMask(context));
    },
    probe: (asked: Address) => asked,
  };
}

/** hash:ip */
export const hashedIp = dimension(ipDimension({ stepped: true, nonzero: true }));
/** bitmap:ip */
export const mappedIp = dimension(ipDimension({ stepped: true, cutsEach: true }));
/** hash:ip,port: the address 0 is refused, unlike in the other types with ports (measured). */
export const nonzeroIp = dimension(ipDimension({ nonzero: true }));
export const ip = dimension(ipDimension({}));
export const plainIp = dimension(ipDimension({ plain: true }));

function netDimension(zeroLength: boolean): Dimension<Network> {
  return {
    name: "net",
    expects: "an address with a prefix length, or with IPv4 a range of addresses",
    read(text, context) {
      const written = readWritten(text, context.family);
      if (isRefusal(written)) return written;
      const { from, to, length } = written;
      if (to !== undefined) {
        if (typeof from === "bigint")
          return { refused: "IPv6 networks are written with a prefix length, not as a range" };
        const [low, high] = [Math.min(from, Number(to)), Math.max(from, Number(to))];
        if (low === 0 && high === ALL_ONES.ipv4)
          return { refused: "the range covers the whole address space" };
        const networks = networksOf(low, high);
        return { count: networks.length, at: (index) => networks[index] as Network };
      }
      if (length === 0 && !zeroLength)
        return {
          refused: "a network of length 0 cannot be stored in such a set",
          help: typeof from === "number" ? "add 0.0.0.0/1 and 128.0.0.0/1" : "add ::/1 and 8000::/1",
        };
      const mask = prefixMask(length ?? addressBits(context.family), context.family);
      return single({ address: maskAddress(maskAddress(from, mask), storedMask(context)), mask });
    },
    print: (network) =>
      network.mask === ALL_ONES[typeof network.address === "number" ? "ipv4" : "ipv6"]
        ? printAddress(network.address)
        : printNetwork(network),
    ranked: true,
    rank: (network) => prefixLength(network.mask),
    key: (network) => network.address,
    ask(packet, direction, context) {
      const address = askedAddress(packet, direction);
      return address === undefined ? undefined : maskAddress(address, storedMask(context));
    },
    probe: (asked: Address, length) =>
      maskAddress(asked, prefixMask(length, typeof asked === "number" ? "ipv4" : "ipv6")),
  };
}

export const net = dimension(netDimension(false));
/** Where a network of length 0 may stand: hash:net,iface and hash:net,port,net. */
export const anyNet = dimension(netDimension(true));

/** The range of a bitmap: a network or two addresses, cut to whole networks of the netmask. */
export function readBitmapRange(text: string): { from: number; to: number } | Refusal {
  const written = readWritten(text, "ipv4");
  if (isRefusal(written)) return written;
  const { from, to, length } = written as { from: number; to?: number; length?: number };
  if (to === undefined && length === undefined)
    return {
      refused: `${text} is one address: a range is written as a network, or as two addresses with - between`,
    };
  if (to !== undefined) return { from: Math.min(from, to), to: Math.max(from, to) };
  const mask = prefixMask(length ?? 32, "ipv4") as number;
  return { from: (from & mask) >>> 0, to: (from | ~mask) >>> 0 };
}

/** The fewest networks that hold the addresses from `low` to `high`, in order. */
function networksOf(low: number, high: number): readonly Network[] {
  const networks: Network[] = [];
  for (let from = low; from <= high; ) {
    let size = 1;
    while (size < 2 ** 31 && from % (size * 2) === 0 && from + size * 2 - 1 <= high) size *= 2;
    networks.push({ address: from, mask: prefixMask(32 - Math.log2(size), "ipv4") });
    from += size;
  }
  return networks;
}

/** The mask that the set puts on addresses, its own and the packet's. */
function storedMask({ family, options }: SetContext): Address {
  return (
    options.bitmask ??
    (options.netmask === undefined ? ALL_ONES[family] : prefixMask(options.netmask, family))
  );
}

function askedAddress(packet: SetPacket, direction: Direction): Address | undefined {
  return direction === "src" ? packet.source : packet.destination;
}

/** An address in the forms that the C library reads: also `10.1` for 10.0.0.1 and parts in octal; `[…]` may stand around. */
function readOne(text: string, family: Family): Address | undefined {
  const bare = text.startsWith("[") && text.endsWith("]") ? text.slice(1, -1) : text;
  if (bare === "localhost") return family === "ipv4" ? 0x7f000001 : 1n;
  const address = readAddress(bare);
  if (address !== undefined)
    return (typeof address === "number") === (family === "ipv4") ? address : undefined;
  if (family !== "ipv4" || !/^\d{1,11}(?:\.\d{1,4}){0,3}$/.test(bare)) return undefined;
  const parts = bare.split(".").map((part) => readLong(part, 0xffffffffn));
  const last = parts.pop();
  if (last === undefined || last >= 1n << BigInt(8 * (4 - parts.length))) return undefined;
  let value = 0;
  for (const part of parts) {
    if (part === undefined || part > 255n) return undefined;
    value = value * 256 + Number(part);
  }
  return value * 2 ** (8 * (4 - parts.length)) + Number(last);
}

function notAnAddress(text: string, family: Family): Refusal {
  const other = readOne(text, family === "ipv4" ? "ipv6" : "ipv4") !== undefined;
  const wanted = family === "ipv4" ? "IPv4" : "IPv6";
  return other
    ? {
        refused: `${text} is no ${wanted} address, and the set holds ${wanted}`,
        help: `create the set with family ${family === "ipv4" ? "inet6" : "inet"}`,
      }
    : {
        refused: `${text} is no ${wanted} address`,
        ...(/^[a-z]/i.test(text)
          ? { help: "names of hosts hang on the node's resolver: write the address" }
          : {}),
      };
}

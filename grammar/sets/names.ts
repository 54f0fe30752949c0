/** The dimensions that are neither addresses nor ports: interfaces, MAC addresses, marks, names of sets. */
import { parseWhole } from "../parse.js";
import { macKind, readLong } from "../values.js";
import { type Dimension, dimension, type InterfaceName, single } from "./description.js";

/** Kernel names have at most 15 bytes, so no prefix has this rank. */
const EXACT = 16;
const PHYSDEV = "physdev:";

const interfaceName: Dimension<InterfaceName> = {
  name: "iface",
  expects: "the name of an interface, at most 15 characters, with physdev: before it if you like",
  read(text) {
    const physdev = text.startsWith(PHYSDEV);
    const name = physdev ? text.slice(PHYSDEV.length) : text;
    return name.length < EXACT
      ? single({ name, physdev })
      : { refused: `the name ${name} is longer than ${EXACT - 1} characters` };
  },
  print: ({ name, physdev }) => (physdev ? PHYSDEV + name : name),
  // The kernel looks at bridge ports only where its caller asks so, and `-m set` never does (measured on Linux 6.18).
  rank: ({ name, physdev }, wildcard) => (physdev ? undefined : wildcard ? name.length : EXACT),
  key: ({ name }) => name,
  ask(packet, direction) {
    const asked = direction === "src" ? packet.inInterface : packet.outInterface;
    return asked === "" ? null : asked;
  },
  probe: (asked: string, rank) => (rank === EXACT ? asked : asked.slice(0, rank)),
};

const macAddress: Dimension<number> = {
  name: "mac",
  expects: macKind.expects,
  read(text) {
    const bytes = parseWhole(macKind.grammar("ipv4"), text);
    return bytes.ok
      ? single(bytes.value.reduce((value, byte) => value * 256 + byte, 0))
      : { refused: `${text} is no MAC address` };
  },
  print: (mac) =>
    mac
      .toString(16)
      .toUpperCase()
      .padStart(12, "0")
      .replace(/..(?!$)/g, "$&:"),
  rank: () => 0,
  key: (mac) => mac,
  ask(packet, direction) {
    const asked = direction === "src" ? packet.sourceMac : packet.destinationMac;
    // The kernel takes the MAC address 0 for none.
    return asked === 0 ? null : asked;
  },
  probe: (asked: number) => asked,
};

const packetMark: Dimension<number> = {
  name: "mark",
  expects: "a mark of 32 bits, for example 0x63",
  read(text, { options }) {
    const mark = readLong(text, 0xffffffffn);
    return mark === undefined
      ? { refused: `${text} is no number of 32 bits` }
      : single(masked(Number(mark), options.markmask));
  },
  print: (mark) => `0x${mark.toString(16).padStart(8, "0")}`,
  rank: () => 0,
  key: (mark) => mark,
  ask: ({ mark }, _direction, { options }) =>
    mark === undefined ? undefined : masked(mark, options.markmask),
  probe: (asked: number) => asked,
};

/** list:set: its elements are names, and a packet is asked of the sets they name. */
const setName: Dimension<string> = {
  name: "set",
  expects: "the name of a set",
  read: (text) => single(text),
  print: (name) => name,
  rank: () => undefined,
  key: (name) => name,
  ask: () => null,
  probe: () => "",
};

export const iface = dimension(interfaceName);
export const mac = dimension(macAddress);
export const mark = dimension(packetMark);
export const set = dimension(setName);

function masked(mark: number, mask = 0xffffffff): number {
  return (mark & mask) >>> 0;
}

import { defineTarget, flag, type GivenOption } from "../description.js";
import { listedLater, listedMarks, listedOption } from "../listing.js";
import { bitsKind, fullMarkKind, type MaskedMark, numberKind } from "../values.js";

const ALL = 0xffffffff;
const isZero = (value: number) => value === 0;

/** Changes the connection's mark, or copies it from or to the packet's. `--mask` stands for both masks. */
export const CONNMARK = defineTarget({
  name: "CONNMARK",
  summary: "changes the connection's mark, or copies it from or to the packet, and goes on",
  tracksConnections: true,
  options: {
    set: { name: "--set-xmark", value: fullMarkKind },
    save: flag("--save-mark"),
    restore: flag("--restore-mark"),
    packetMask: { name: "--nfmask", value: bitsKind },
    connectionMask: { name: "--ctmask", value: bitsKind },
    both: { name: "--mask", value: bitsKind, hidden: () => true },
    left: { name: "--left-shift-mark", value: numberKind(0, 31), hidden: isZero },
    right: { name: "--right-shift-mark", value: numberKind(0, 31), hidden: isZero },
  },
  shorthands: [
    {
      name: "--set-mark",
      value: fullMarkKind,
      becomes: ({ value, mask }: MaskedMark) => xmark(value, (value | mask) >>> 0),
    },
    { name: "--or-mark", value: bitsKind, becomes: (bits: number) => xmark(bits, bits) },
    { name: "--and-mark", value: bitsKind, becomes: (bits: number) => xmark(0, ~bits >>> 0) },
    { name: "--xor-mark", value: bitsKind, becomes: (bits: number) => xmark(bits, 0) },
  ],
  complete(given) {
    const { set, save, restore, packetMask, connectionMask, both, left, right } = given;
    const commands = [set, save, restore].filter((one) => one !== undefined).length;
    if (commands !== 1) {
      return {
        refused: "one of --set-xmark (or --set-mark …), --save-mark and --restore-mark must be given",
      };
    }
    if (both && (packetMask || connectionMask))
      return { refused: "--mask does not go with --nfmask and --ctmask" };
    if (left && right) return { refused: "--left-shift-mark and --right-shift-mark exclude each other" };
    if (set) {
      // --ctmask and --mask behind it take the place of the mask of the value; --nfmask says nothing here.
      const { packetMask: _none, connectionMask: _taken, ...rest } = given;
      const order = Object.keys(given);
      const late = order
        .slice(order.indexOf("set"))
        .some((key) => key === "both" || key === "connectionMask");
      const mask = (late ? (both ?? connectionMask)?.value : undefined) ?? set.value.mask;
      return { ...rest, set: { ...set, value: { ...set.value, mask } } };
    }
    const plain = (value: number) => ({ value, negated: false });
    return {
      ...given,
      packetMask: packetMask ?? plain(both?.value ?? ALL),
      connectionMask: connectionMask ?? plain(both?.value ?? ALL),
    };
  },
  meaning({ set, save, packetMask, connectionMask, left, right }) {
    const bits = (left?.value ?? 0) - (right?.value ?? 0);
    const shift = bits === 0 ? {} : { shift: bits };
    if (set)
      return { kind: "assign", field: "connmark", clear: set.value.mask, toggle: set.value.value, ...shift };
    const packet = packetMask?.value ?? ALL;
    const connection = connectionMask?.value ?? ALL;
    return save
      ? { kind: "copy", from: "mark", to: "connmark", fromMask: packet, toMask: connection, ...shift }
      : { kind: "copy", from: "connmark", to: "mark", fromMask: connection, toMask: packet, ...shift };
  },
  listed: [
    {
      form: /^CONNMARK (save|restore)(?: mask (\S+)| nfmask (\S+) ctmask ~?(\S+))?(?= |$)/,
      words: ([how, both, nfmask, ctmask]) => [
        `--${how}-mark`,
        ...(both === undefined ? [] : ["--mask", both]),
        ...(nfmask === undefined || ctmask === undefined ? [] : ["--nfmask", nfmask, "--ctmask", ctmask]),
      ],
    },
    listedMarks("CONNMARK"),
    ...listedLater(
      listedOption("left-shift-mark ", "--left-shift-mark"),
      listedOption("right-shift-mark ", "--right-shift-mark"),
    ),
  ],
  examples: [
    { typed: "-j CONNMARK --set-mark 1/5", saved: "-j CONNMARK --set-xmark 0x1/0x5", table: "mangle" },
    { typed: "-j CONNMARK --or-mark 1", saved: "-j CONNMARK --set-xmark 0x1/0x1" },
    { typed: "-j CONNMARK --and-mark 7", saved: "-j CONNMARK --set-xmark 0x0/0xfffffff8" },
    { typed: "-j CONNMARK --xor-mark 1", saved: "-j CONNMARK --set-xmark 0x1/0x0" },
    {
      typed: "-j CONNMARK --save-mark",
      saved: "-j CONNMARK --save-mark --nfmask 0xffffffff --ctmask 0xffffffff",
    },
    {
      typed: "-j CONNMARK --restore-mark --mask 0xff",
      saved: "-j CONNMARK --restore-mark --nfmask 0xff --ctmask 0xff",
    },
    { typed: "-j CONNMARK --mask 2 --set-xmark 1", saved: "-j CONNMARK --set-xmark 0x1/0xffffffff" },
    { typed: "-j CONNMARK --set-xmark 1 --mask 2", saved: "-j CONNMARK --set-xmark 0x1/0x2" },
    {
      typed: "-j CONNMARK --save-mark --left-shift-mark 5",
      saved: "-j CONNMARK --save-mark --nfmask 0xffffffff --ctmask 0xffffffff --left-shift-mark 5",
    },
    { typed: "-j CONNMARK --save-mark --mask 0xff --nfmask 1", refused: true },
    { typed: "-j CONNMARK --set-mark 1 --save-mark", refused: true },
    { typed: "-j CONNMARK --save-mark --left-shift-mark 32", refused: true },
    { typed: "-j CONNMARK --nfmask 5", refused: true },
    { typed: "-j CONNMARK", refused: true },
  ],
});

function xmark(value: number, mask: number): { set: GivenOption<MaskedMark> } {
  return { set: { value: { value, mask }, negated: false } };
}

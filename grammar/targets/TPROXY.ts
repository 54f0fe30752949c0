import { defineTarget } from "../description.js";
import { PROTOCOL } from "../protocols.js";
import { addressKind, fullMarkKind, resolvedPortKind } from "../values.js";

/** xt_TPROXY. */
export const TPROXY = defineTarget({
  name: "TPROXY",

  summary: "hands the packet to a socket of this node, its addresses unchanged",

  protocols: [PROTOCOL.tcp, PROTOCOL.udp],
  tables: ["mangle"],
  hooks: ["PREROUTING"],
  options: {
    port: { name: "--on-port", value: resolvedPortKind, required: true },
    address: { name: "--on-ip", value: addressKind },
    mark: { name: "--tproxy-mark", value: fullMarkKind },
  },

  complete: (given, { family }) => ({
    address: { value: family === "ipv4" ? 0 : 0n, negated: false },
    mark: { value: { value: 0, mask: 0 }, negated: false },
    ...given,
  }),
  meaning: ({ port, address, mark }, { family }) => ({
    kind: "tproxy",
    address: address?.value ?? (family === "ipv4" ? 0 : 0n),
    port: port?.value ?? 0,
    clear: mark?.value.mask ?? 0,
    toggle: mark?.value.value ?? 0,
  }),
  listed: [
    {
      form: /^TPROXY redirect (\S+):(\d+) mark (\S+)/,
      words: ([address = "", port = "", mark = ""]) => [
        "--on-port",
        port,
        "--on-ip",
        address,
        "--tproxy-mark",
        mark,
      ],
    },
  ],
  examples: [
    { typed: "-p tcp -j TPROXY --on-port 12345 --on-ip 10.0.0.1 --tproxy-mark 0x23/0xff", table: "mangle" },
    {
      typed: "-p udp -j TPROXY --on-port 12345",
      saved: "-p udp -j TPROXY --on-port 12345 --on-ip 0.0.0.0 --tproxy-mark 0x0/0x0",
      table: "mangle",
    },
    { typed: "-p tcp -j TPROXY --on-ip 10.0.0.1", table: "mangle", refused: true },
    { typed: "-j TPROXY --on-port 5", table: "mangle", refused: true },
    { typed: "-p tcp -j TPROXY --on-port 1", refused: true },
  ],
});

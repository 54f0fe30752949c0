/**
 * The types of ipset 7: method and dimensions, and which options each takes, in the order in which `ipset save` prints
 * them (measured with ipset 7.17; for the types that a kernel may lack, its library's own tables).
 */
import { anyNet, hashedIp, ip, mappedIp, net, nonzeroIp, plainIp } from "./addresses.js";
import type { CreateOptions, ExtensionName, SetType } from "./description.js";
import { iface, mac, mark, set } from "./names.js";
import { mappedPort, port } from "./ports.js";

type Options = readonly (keyof CreateOptions)[];

const COMMON: Options = ["timeout", "counters", "comment"];
const SIZES: Options = ["hashsize", "maxelem"];
const TAIL: Options = [...COMMON, "forceadd", "skbinfo", "bucketsize", "initval"];
const HASH: Options = ["family", ...SIZES, ...TAIL];

const CARRIED: readonly ExtensionName[] = ["packets", "bytes", "comment", "skbmark", "skbprio", "skbqueue"];
const PLAIN: readonly ExtensionName[] = ["timeout", ...CARRIED];
const NETS: readonly ExtensionName[] = ["timeout", "nomatch", ...CARRIED];

const hash = {
  method: "hash",
  families: ["ipv4", "ipv6"],
  options: HASH,
  extensions: PLAIN,
} as const;
const nets = { ...hash, extensions: NETS } as const;
const bitmap = {
  method: "bitmap",
  families: ["ipv4"],
  options: ["range", ...COMMON, "skbinfo"],
  extensions: PLAIN,
} as const;

export const SET_TYPES: readonly SetType[] = [
  {
    ...bitmap,
    name: "bitmap:ip",
    alias: "ipmap",
    dimensions: [mappedIp],
    options: ["range", "netmask", ...COMMON, "skbinfo"],
  },
  { ...bitmap, name: "bitmap:ip,mac", alias: "macipmap", dimensions: [plainIp, mac], lastOptional: true },
  { ...bitmap, name: "bitmap:port", alias: "portmap", dimensions: [mappedPort], families: [] },
  {
    ...hash,
    name: "hash:ip",
    alias: "iphash",
    dimensions: [hashedIp],
    options: ["family", ...SIZES, "netmask", "bitmask", ...TAIL],
  },
  {
    ...hash,
    name: "hash:mac",
    alias: "machash",
    dimensions: [mac],
    families: [],
    options: [...SIZES, ...TAIL],
  },
  { ...hash, name: "hash:ip,mac", alias: "ipmachash", dimensions: [ip, mac] },
  { ...nets, name: "hash:net", alias: "nethash", dimensions: [net] },
  {
    ...nets,
    name: "hash:net,net",
    alias: "netnethash",
    dimensions: [net, net],
    options: [...HASH, "bitmask", "netmask"],
  },
  {
    ...hash,
    name: "hash:ip,port",
    alias: "ipporthash",
    dimensions: [nonzeroIp, port],
    options: [...HASH, "netmask", "bitmask"],
  },
  { ...nets, name: "hash:net,port", alias: "netporthash", dimensions: [net, port] },
  { ...hash, name: "hash:ip,port,ip", alias: "ipportiphash", dimensions: [ip, port, plainIp] },
  { ...nets, name: "hash:ip,port,net", alias: "ipportnethash", dimensions: [ip, port, net] },
  {
    ...hash,
    name: "hash:ip,mark",
    alias: "ipmarkhash",
    dimensions: [ip, mark],
    options: ["family", "markmask", ...SIZES, ...TAIL],
  },
  { ...nets, name: "hash:net,port,net", alias: "netportnethash", dimensions: [anyNet, port, anyNet] },
  {
    ...nets,
    name: "hash:net,iface",
    alias: "netifacehash",
    dimensions: [anyNet, iface],
    endsAtNetwork: true,
    extensions: ["timeout", "nomatch", "wildcard", ...CARRIED],
  },
  {
    name: "list:set",
    alias: "setlist",
    method: "list",
    dimensions: [set],
    families: [],
    options: ["size", ...COMMON, "skbinfo"],
    extensions: PLAIN,
  },
];

const byName = new Map(
  SET_TYPES.flatMap((type) =>
    [type.name, ...(type.alias === undefined ? [] : [type.alias])].map((name) => [name, type]),
  ),
);

/** The type of a name, also of one that ipset 4 had. */
export function setTypeNamed(name: string): SetType | undefined {
  return byName.get(name);
}

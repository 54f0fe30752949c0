/**
 * The node around the rules: interfaces, addresses, routes, policy rules, sysctls. From `ip addr`, `ip route`, `ip rule`,
 * `sysctl`, landfall's network YAML, or a Node object. Parts that are absent are unknown, not empty: an answer that needs
 * them says what it assumed.
 */
import {
  type Address,
  type Family,
  type Network as Prefix,
  printAddress,
  printNetwork,
} from "../../grammar/address.js";

export interface InterfaceAddress {
  readonly address: Address;
  /** The subnet that the address is on, or with a `peer` the other end's; /32 or /128 when alone. */
  readonly subnet: Prefix;
  /** The other end of a point-to-point address. */
  readonly peer?: Address;
  /** The broadcast address that was set; the kernel knows the subnet's last address as one without it too. */
  readonly broadcast?: Address;
  /** `global`, `link`, `host`, `site`, or a number. */
  readonly scope?: string;
  /** As `ip addr` prints them: `secondary`, `deprecated`, `tentative`, `dynamic`, `noprefixroute` … */
  readonly flags?: readonly string[];
}

export interface Interface {
  readonly name: string;
  readonly addresses: readonly InterfaceAddress[];
  /** Ports of a bridge, as a network document names them. `ip link` names the bridge at the port (`master`). */
  readonly ports?: readonly BridgePort[];
  /** The kernel's number of it. */
  readonly index?: number;
  /** As `ip link` prints them: `UP` (switched on), `LOWER_UP` (has a carrier), `LOOPBACK`, `POINTOPOINT` … */
  readonly flags?: readonly string[];
  /** Bytes. */
  readonly mtu?: number;
  /** The address of the link layer: `02:42:ac:11:00:01`, of a tunnel an IP address. */
  readonly linkAddress?: string;
  /** `bridge`, `veth`, `vxlan`, `vlan`, `dummy` …; only `ip -d` tells it. */
  readonly kind?: string;
  /** The bridge, bond or VRF that this is a port of. */
  readonly master?: string;
  /** What stands behind `@`: the device below, the other end of a veth, or `if7` when that is in another namespace. */
  readonly link?: string;
}

export interface BridgePort {
  readonly name: string;
  /** Addresses of the hosts behind the port; absent: not known. */
  readonly hosts?: readonly Address[];
  /** Frames may leave by the port that they came by; absent: not known. */
  readonly hairpin?: boolean;
}

/** A process of the node that waits for packets. */
export interface Listener {
  readonly protocol: number;
  /** Absent: all addresses. */
  readonly address?: Address;
  readonly port: number;
  /** With IP_TRANSPARENT, it takes packets for other addresses too. */
  readonly transparent: boolean;
}

/** One of the ways of a route that has several. */
export interface NextHop {
  readonly via?: Address;
  readonly dev?: string;
  /** Of all flows, its weight by the sum of weights is its share. */
  readonly weight?: number;
  readonly flags?: readonly string[];
}

export interface Route {
  /** `unicast`, `local`, `blackhole`, `unreachable`, `prohibit`, `throw`, `broadcast` … as `ip route` names them. */
  readonly type: string;
  readonly to: Prefix;
  /** IPv6: only for packets from there. */
  readonly from?: Prefix;
  /** Of the other family, too: `via inet6 fe80::1`. */
  readonly via?: Address;
  readonly dev?: string;
  /** Preferred source address. */
  readonly src?: Address;
  readonly metric?: number;
  /** Name or number. Absent: main, or for `local`, `broadcast` and `anycast` the local table. */
  readonly table?: string;
  /** Who made it: `kernel` (follows from an address), `boot`, `static`, `dhcp`, `bird` … */
  readonly proto?: string;
  readonly scope?: string;
  /** `onlink`, `linkdown`, `dead` … */
  readonly flags?: readonly string[];
  /** Several ways, of which the kernel chooses one for each flow. */
  readonly nextHops?: readonly NextHop[];
  /** What else was said of it, by name: `tos`, `mtu`, `advmss`, `pref`, `nhid`, `encap` … in the order in which it stood. */
  readonly attributes?: readonly (readonly [name: string, value: string])[];
}

/** A rule of `ip rule`: which packets are routed by which table. */
export interface PolicyRule {
  readonly family: Family;
  /** Rules are asked in ascending order. */
  readonly priority: number;
  /** The rule is for packets that do not fit. */
  readonly not?: boolean;
  readonly from?: Prefix;
  readonly to?: Prefix;
  readonly fwmark?: { readonly value: number; readonly mask: number };
  readonly iif?: string;
  readonly oif?: string;
  /** `lookup`, `goto`, `nop`, `blackhole`, `unreachable`, `prohibit`. */
  readonly action: string;
  /** Of `lookup`: name or number. Absent: the VRF's own (`l3mdev`). */
  readonly table?: string;
  /** Of `goto`: the priority to go on at. */
  readonly goto?: number;
  /** What else was said: `tos`, `ipproto`, `sport`, `dport`, `uidrange`, `suppress_prefixlength` … */
  readonly attributes?: readonly (readonly [name: string, value: string])[];
}

export interface Network {
  /**
   * Interfaces with their addresses. When only the addresses are known (a Node object, `--local-ip`), they stand on an
   * interface whose name is empty. `undefined`: nothing is known of the node's addresses.
   */
  readonly interfaces?: readonly Interface[];
  /** Families of which `interfaces` tells all addresses; absent: both. `ip -4 addr` tells one, `ip link` none. */
  readonly addressFamilies?: readonly Family[];
  /**
   * Routes of all tables that were asked. Those that follow from the interfaces' subnets may be among them (then they are
   * `proto kernel`) or not. `undefined`: unknown.
   */
  readonly routes?: readonly Route[];
  /** Families of which `routes` tells the routes; absent: both. `ip route` tells of IPv4 alone. */
  readonly routeFamilies?: readonly Family[];
  /** Absent: unknown; nodes have those for the tables local, main and default at least. */
  readonly policyRules?: readonly PolicyRule[];
  /** Absent: unknown. */
  readonly listeners?: readonly Listener[];
  /** Source addresses that MASQUERADE gives, told by the user where routes are not known; one for a family. */
  readonly masquerade?: readonly Address[];
  /** By name with dots (`net.ipv4.ip_forward`), see `sysctlName`; values as text. */
  readonly sysctls: ReadonlyMap<string, string>;
}

/** The rules of a node that was told none; `default` is a table of IPv4 alone. */
export function usualRules(family: Family): readonly PolicyRule[] {
  const lookup = (priority: number, table: string): PolicyRule => ({
    family,
    priority,
    action: "lookup",
    table,
  });
  const both = [lookup(0, "local"), lookup(32766, "main")];
  return family === "ipv4" ? [...both, lookup(32767, "default")] : both;
}

/**
 * The name of a sysctl with dots. sysctl(8) takes `net/ipv4/conf/eth0.5/…` too: whichever of `/` and `.` comes first
 * separates, the other is literal; `eth0.5` is written `eth0/5` between dots.
 */
export function sysctlName(name: string): string {
  const separator = /[./]/.exec(name)?.[0];
  return separator === "/" ? name.replace(/[./]/g, (mark) => (mark === "/" ? "." : "/")) : name;
}

/**
 * What several texts tell of one network, for example `ip addr`, `ip link`, `ip route` and `ip -6 route`. An interface
 * that two name is one, with what both tell; of a sysctl the later value counts.
 */
export function joinNetworks(parts: readonly Network[]): Network {
  const interfaces = parts.some((part) => part.interfaces !== undefined)
    ? joinInterfaces(parts.flatMap((part) => part.interfaces ?? []))
    : undefined;
  const routes = gathered(parts, (part) => part.routes);
  const policyRules = gathered(parts, (part) => part.policyRules);
  const listeners = gathered(parts, (part) => part.listeners);
  const masquerade = gathered(parts, (part) => part.masquerade);
  const addressFamilies = knownFamilies(parts, "interfaces", "addressFamilies");
  const routeFamilies = knownFamilies(parts, "routes", "routeFamilies");
  return {
    ...(interfaces === undefined ? {} : { interfaces }),
    ...(addressFamilies === undefined ? {} : { addressFamilies }),
    ...(routes === undefined ? {} : { routes }),
    ...(routeFamilies === undefined ? {} : { routeFamilies }),
    ...(policyRules === undefined ? {} : { policyRules }),
    ...(listeners === undefined ? {} : { listeners }),
    ...(masquerade === undefined ? {} : { masquerade }),
    sysctls: new Map(parts.flatMap(({ sysctls }) => [...sysctls])),
  };
}

function gathered<T>(
  parts: readonly Network[],
  of: (part: Network) => readonly T[] | undefined,
): readonly T[] | undefined {
  const known = parts.map(of).filter((one) => one !== undefined);
  return known.length === 0 ? undefined : known.flat();
}

/** Undefined: both, or there is nothing that families could be known of. */
function knownFamilies(
  parts: readonly Network[],
  what: "interfaces" | "routes",
  families: "addressFamilies" | "routeFamilies",
): readonly Family[] | undefined {
  const telling = parts.filter((part) => part[what] !== undefined);
  if (telling.length === 0 || telling.some((part) => part[families] === undefined)) return undefined;
  return [...new Set(telling.flatMap((part) => part[families] ?? []))];
}

function joinInterfaces(all: readonly Interface[]): readonly Interface[] {
  const byName = new Map<string, { one: Interface; readonly addresses: Map<string, InterfaceAddress> }>();
  for (const one of all) {
    const known = byName.get(one.name);
    const addresses = known?.addresses ?? new Map<string, InterfaceAddress>();
    for (const own of one.addresses)
      addresses.set(`${printAddress(own.address)} ${printNetwork(own.subnet)}`, own);
    byName.set(one.name, { one: { ...known?.one, ...one }, addresses });
  }
  return [...byName.values()].map(({ one, addresses }) => ({ ...one, addresses: [...addresses.values()] }));
}

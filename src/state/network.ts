/**
 * The node around the rules: interfaces, addresses, routes, sysctls. From `ip addr`, `ip route`, landfall's network YAML,
 * or a Node object. Parts that are absent are unknown, not empty: an answer that needs them says what it assumed.
 */
import type { Address, Network as Prefix } from "../../grammar/address.js";

export interface InterfaceAddress {
  readonly address: Address;
  /** The subnet that the address is on; /32 or /128 when alone. */
  readonly subnet: Prefix;
}

export interface Interface {
  readonly name: string;
  readonly addresses: readonly InterfaceAddress[];
  /** Ports of a bridge, with the addresses of the hosts behind each. */
  readonly ports?: readonly BridgePort[];
}

export interface BridgePort {
  readonly name: string;
  readonly hosts: readonly Address[];
}

export interface Route {
  /** `unicast`, `local`, `blackhole`, `unreachable`, `prohibit`, `throw`, `broadcast` … as `ip route` names them. */
  readonly type: string;
  readonly to: Prefix;
  readonly via?: Address;
  readonly dev?: string;
  /** Preferred source address. */
  readonly src?: Address;
  readonly metric?: number;
}

export interface Network {
  /**
   * Interfaces with their addresses. When only the addresses are known (a Node object, `--local-ip`), they stand on an
   * interface whose name is empty. `undefined`: nothing is known of the node's addresses.
   */
  readonly interfaces?: readonly Interface[];
  /** Routes of the main table, without those that follow from the interfaces' subnets. `undefined`: unknown. */
  readonly routes?: readonly Route[];
  /** Source addresses that MASQUERADE gives, told by the user where routes are not known; one for a family. */
  readonly masquerade?: readonly Address[];
  /** By name with dots (`net.ipv4.ip_forward`); values as text. */
  readonly sysctls: ReadonlyMap<string, string>;
}

/** Kernel settings that decide about packets, with the kernel's defaults, or those of a node of Kubernetes. */
import type { Family } from "../../grammar/address.js";
import type { Network } from "../state/network.js";

export function sysctl(network: Network | undefined, name: string): string | undefined {
  return network?.sysctls.get(name);
}

/**
 * A number of `net.ipv4.conf` for one interface: the larger of `all` and its own, as the kernel combines rp_filter,
 * route_localnet, accept_local and src_valid_mark. What is not named is 0.
 */
export function interfaceSetting(
  setting: string,
  name: string | null | undefined,
  network: Network | undefined,
): number {
  const value = (scope: string) => Number(sysctl(network, settingName(setting, scope)) ?? 0);
  return name ? Math.max(value("all"), value(name)) : value("all");
}

/** Whether nothing says what `interfaceSetting` is. */
export function isSettingOpen(
  setting: string,
  name: string | null | undefined,
  network: Network | undefined,
): boolean {
  return ["all", name ?? "all"].every((scope) => !network?.sysctls.has(settingName(setting, scope)));
}

function settingName(setting: string, scope: string): string {
  return `net.ipv4.conf.${scope.replaceAll(".", "/")}.${setting}`;
}

/**
 * Whether packets that came by an interface are forwarded; a node of Kubernetes does unless something says otherwise.
 * IPv4 asks the interface (which takes over a change of ip_forward), IPv6 the setting of all, or `force_forwarding`.
 */
export function forwards(
  family: Family,
  inInterface: string | null | undefined,
  network: Network | undefined,
): boolean {
  const scope = inInterface?.replaceAll(".", "/");
  const isOn = (value: string | undefined) => value === undefined || Number(value) !== 0;
  if (family === "ipv6") {
    const forced = scope === undefined ? undefined : `net.ipv6.conf.${scope}.force_forwarding`;
    return (
      isOn(sysctl(network, "net.ipv6.conf.all.forwarding")) ||
      (forced !== undefined && Number(sysctl(network, forced) ?? 0) !== 0)
    );
  }
  const own = scope === undefined ? undefined : sysctl(network, `net.ipv4.conf.${scope}.forwarding`);
  return isOn(
    own ?? sysctl(network, "net.ipv4.ip_forward") ?? sysctl(network, "net.ipv4.conf.all.forwarding"),
  );
}

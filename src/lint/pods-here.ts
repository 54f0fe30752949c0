/** Which addresses are those of pods on this node, as its bridges and routes tell. */
import { type Address, addressBits, familyOf, inNetwork, prefixLength } from "../../grammar/address.js";
import { isOwnAddress } from "../evaluate/addresses.js";
import { isBridge } from "../evaluate/bridge.js";
import type { Network } from "../state/network.js";

/** Bridges of container runtimes and network plugins; that they are bridges, only `ip -d` and `ip link` tell. */
const POD_BRIDGES = /^(?:docker\d+|cni\d+|cbr\d+|cni-podman\d+|kube-bridge|weave|br-[0-9a-f]{12})$/;

/**
 * The interface behind which a pod of this node has the address: its bridge, or a host route's device, as plugins without a
 * bridge set one for each pod. Undefined: none, or that is not known.
 */
export function podBehind(address: Address, network: Network | undefined): string | undefined {
  const family = familyOf(address);
  if (network === undefined || isOwnAddress(address, network)) return undefined;
  const bridge = (network.interfaces ?? []).find(
    (one) =>
      one.ports?.some(({ hosts }) => hosts?.includes(address)) ||
      ((POD_BRIDGES.test(one.name) || isBridge(one, network)) &&
        one.addresses.some(
          ({ address: own, subnet }) => familyOf(own) === family && inNetwork(address, subnet),
        )),
  );
  const route = network.routes?.find(
    ({ type, to, via, dev, nextHops }) =>
      type === "unicast" &&
      to.address === address &&
      prefixLength(to.mask) === addressBits(family) &&
      via === undefined &&
      nextHops === undefined &&
      dev !== undefined,
  );
  return route?.dev ?? bridge?.name;
}

import { type Address, familyOf, inNetwork } from "../../../grammar/address.js";
import { membership } from "../../state/sets.js";
import type { Check } from "../finding.js";
import { groupedBy, printEnd } from "../look.js";
import { serverName, setNamed } from "./servers.js";

export const loopBack: Check = {
  code: "LF3032",
  severity: "error",
  sureness: "sure",
  find({ state: { sets, virtualServers, network } }) {
    // Which real servers are pods of this node, the subnets of its bridges tell.
    const bridges = (network?.interfaces ?? []).filter(
      ({ kind, ports }) => kind === "bridge" || ports !== undefined,
    );
    const subnets = bridges.flatMap(({ addresses }) => addresses.map(({ subnet }) => subnet));
    const isLocal = (address: Address) =>
      subnets.some((subnet) => familyOf(subnet.address) === familyOf(address) && inNetwork(address, subnet));
    const lacking = (virtualServers?.services ?? []).flatMap(({ key, destinations }) => {
      if (key.kind === "mark" || sets === undefined) return [];
      const { protocol } = key;
      return destinations.flatMap(({ address, port }) => {
        const family = familyOf(address);
        const name = setNamed("KUBE-LOOP-BACK", family);
        if (sets.get(name)?.entries === undefined || !isLocal(address)) return [];
        const packet = { family, protocol, source: address, destination: address, destinationPort: port };
        if (membership(sets, name, ["dst", "dst", "src"], packet) !== "no") return [];
        return [{ end: printEnd(address, port), name, by: serverName(key) }];
      });
    });
    return [...groupedBy(lacking, ({ end, name }) => `${end} is not in ${name}`)].map(([words, own]) => ({
      message: `${words}: it cannot reach itself by ${own[0]?.by}`,
      seen: [],
    }));
  },
};

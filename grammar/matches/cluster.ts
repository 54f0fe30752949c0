import type { GivenOption, ValueKind } from "../description.js";
import { not } from "../listing.js";
import { defineUnmodelledMatch } from "../unmodelled.js";
import { hexKind, numberKind, wholeNumber } from "../values.js";

const MAX = 0xffffffff;
const NODES_MAX = 32;

/** iptables takes no greater number for the mask than for a node, and no mask without a bit. */
const nodeMaskKind: ValueKind<number> = {
  ...hexKind(NODES_MAX, 8),
  grammar: () => wholeNumber(1, NODES_MAX),
};

/** xt_cluster: a hash of the connection's source says which of several nodes it belongs to. */
export const cluster = defineUnmodelledMatch({
  name: "cluster",
  summary: "which node of a cluster the connection belongs to, by a hash of its source",
  tracksConnections: true,
  options: {
    localNode: {
      name: "--cluster-local-node",
      value: numberKind(1, NODES_MAX),
      negatable: true,
      hidden: () => true,
    },
    mask: { name: "--cluster-local-nodemask", value: nodeMaskKind, negatable: true },
    totalNodes: { name: "--cluster-total-nodes", value: numberKind(1, NODES_MAX), required: true },
    seed: { name: "--cluster-hash-seed", value: hexKind(MAX, 8), required: true },
  },
  complete(given) {
    const { localNode, mask, totalNodes } = given;
    if ((localNode === undefined) === (mask === undefined)) {
      return { refused: "one of --cluster-local-node and --cluster-local-nodemask must be given" };
    }
    const total = totalNodes?.value ?? 0;
    if (localNode !== undefined && localNode.value > total) {
      return { refused: "--cluster-local-node must not be above --cluster-total-nodes" };
    }
    if (mask !== undefined && mask.value >= 2 ** total) {
      return { refused: "--cluster-local-nodemask has bits above --cluster-total-nodes" };
    }
    // A node is saved as a mask with one bit.
    const bit: GivenOption<number> | undefined = localNode && {
      value: (1 << (localNode.value - 1)) >>> 0,
      negated: localNode.negated,
    };
    return bit === undefined ? given : { ...given, mask: bit };
  },
  unmodelled: { hangsOn: "a hash of the connection's source" },
  listed: [
    {
      form: /^cluster (!?)node_mask=(\S+) total_nodes=(\d+) hash_seed=(\S+)/,
      words: ([negated, mask = "", total = "", seed = ""]) => [
        ...not(negated),
        "--cluster-local-nodemask",
        mask,
        "--cluster-total-nodes",
        total,
        "--cluster-hash-seed",
        seed,
      ],
    },
  ],
  examples: [
    {
      typed: "-m cluster --cluster-local-nodemask 33 --cluster-total-nodes 32 --cluster-hash-seed 1",
      refused: true,
    },
    {
      typed: "-m cluster --cluster-local-nodemask 0 --cluster-total-nodes 4 --cluster-hash-seed 1",
      refused: true,
    },
    {
      typed: "-m cluster --cluster-total-nodes 2 ! --cluster-local-node 1 --cluster-hash-seed 5",
      saved:
        "-m cluster ! --cluster-local-nodemask 0x00000001 --cluster-total-nodes 2 --cluster-hash-seed 0x00000005",
    },
    {
      typed: "-m cluster --cluster-total-nodes 4 --cluster-local-nodemask 3 --cluster-hash-seed 0xdeadbeef",
      saved:
        "-m cluster --cluster-local-nodemask 0x00000003 --cluster-total-nodes 4 --cluster-hash-seed 0xdeadbeef",
    },
    { typed: "-m cluster --cluster-total-nodes 2 --cluster-local-node 1", refused: true },
    {
      typed: "-m cluster --cluster-total-nodes 4 --cluster-local-node 5 --cluster-hash-seed 5",
      refused: true,
    },
  ],
});

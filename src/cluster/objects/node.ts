/** Node objects (v1): addresses, pod CIDRs, and the labels that say which zone the node is in. */
import * as z from "zod/mini";
import type { Document } from "../../documents/document.js";
import type { Problem } from "../../problems/problem.js";
import type { Node } from "../model.js";
import { absent, cidr } from "./fields.js";
import { checkedObject, metadata, metaOf } from "./metadata.js";

const emptyOrCIDR = absent(z.union([z.literal(""), cidr], "is no CIDR such as 10.244.0.0/24"));

const nodeSchema = z.looseObject({
  metadata,
  spec: absent(z.looseObject({ podCIDR: emptyOrCIDR, podCIDRs: absent(z.array(cidr)) })),
  status: absent(
    z.looseObject({ addresses: absent(z.array(z.looseObject({ type: z.string(), address: z.string() }))) }),
  ),
});

/** The Node of a document of that kind; undefined when it has errors. Nodes have no namespace: it is empty. */
export function readNode(document: Document, problems: Problem[]): Node | undefined {
  const object = checkedObject(document, nodeSchema, problems);
  if (object === undefined) return undefined;
  const { podCIDR, podCIDRs } = object.spec ?? {};
  const meta = metaOf(document, object.metadata);
  return {
    meta: {
      namespace: "",
      name: meta.name,
      labels: meta.labels,
      annotations: meta.annotations,
      get place() {
        return meta.place;
      },
    },
    addresses: (object.status?.addresses ?? []).map(({ type, address }) => ({ type, address })),
    podCIDRs: podCIDRs ?? (podCIDR ? [podCIDR] : []),
  };
}

/** Pod objects (v1): what the EndpointSlice controller reads of them. */
import * as z from "zod/mini";
import type { Document } from "../../documents/document.js";
import type { Problem } from "../../problems/problem.js";
import type { Pod } from "../model.js";
import { absent, address, flag, portNumber, protocol, text } from "./fields.js";
import { checkedObject, metadata, metaOf } from "./metadata.js";

const podAddress = absent(z.union([z.literal(""), address], "is no IP address"));
const podAddresses = absent(z.array(z.looseObject({ ip: podAddress })));
const container = z.looseObject({
  ports: absent(z.array(z.looseObject({ name: text, protocol, containerPort: portNumber }))),
  restartPolicy: text,
});

const podSchema = z.looseObject({
  metadata: z.extend(metadata, { deletionTimestamp: text }),
  spec: absent(
    z.looseObject({
      nodeName: text,
      hostNetwork: flag,
      hostname: text,
      subdomain: text,
      containers: absent(z.array(container)),
      initContainers: absent(z.array(container)),
    }),
  ),
  status: absent(
    z.looseObject({
      phase: text,
      podIP: podAddress,
      podIPs: podAddresses,
      hostIP: podAddress,
      hostIPs: podAddresses,
      conditions: absent(z.array(z.looseObject({ type: z.string(), status: z.string() }))),
    }),
  ),
});

/** The Pod of a document of that kind; undefined when it has errors. */
export function readPod(document: Document, problems: Problem[]): Pod | undefined {
  const object = checkedObject(document, podSchema, problems);
  if (object === undefined) return undefined;
  const { spec, status } = object;
  // Sidecars are init containers that are restarted always; the controller asks them after the others.
  const sidecars = (spec?.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === "Always");
  return {
    meta: metaOf(document, object.metadata),
    nodeName: spec?.nodeName ?? "",
    hostNetwork: spec?.hostNetwork ?? false,
    hostname: spec?.hostname ?? "",
    subdomain: spec?.subdomain ?? "",
    ports: [...(spec?.containers ?? []), ...sidecars].flatMap(({ ports }) =>
      (ports ?? []).map((port) => ({
        name: port.name ?? "",
        protocol: port.protocol ?? "TCP",
        containerPort: port.containerPort,
      })),
    ),
    addresses: addressList(status?.podIPs, status?.podIP),
    hostAddresses: addressList(status?.hostIPs, status?.hostIP),
    phase: status?.phase ?? "",
    ready: status?.conditions?.find(({ type }) => type === "Ready")?.status === "True",
    terminating: Boolean(object.metadata.deletionTimestamp),
  };
}

/** The API server keeps the list and the single field alike; a manifest that was never sent there may have only one. */
function addressList(
  list: readonly { ip?: string | null | undefined }[] | null | undefined,
  single: string | null | undefined,
): readonly string[] {
  const addresses = (list ?? []).flatMap(({ ip }) => ip || []);
  return addresses.length > 0 ? addresses : single ? [single] : [];
}

/**
 * Documents → ClusterModel. Each kind that kube-proxy looks at has a file in objects/; this one tells the kinds apart,
 * keeps the later of two objects of one name, and says what was left out.
 */

import { type Document, isRecord } from "../documents/document.js";
import { appendAll } from "../problems/append.js";
import { didYouMean } from "../problems/meant.js";
import { nearest } from "../problems/nearest.js";
import { hasErrors, type Problem } from "../problems/problem.js";
import { checkCluster } from "./consistency.js";
import type {
  ClusterModel,
  EndpointSlice,
  Node,
  ObjectMeta,
  Pod,
  ProxyConfiguration,
  Service,
} from "./model.js";
import { readEndpointSlice } from "./objects/endpointslice.js";
import { readNode } from "./objects/node.js";
import { readPod } from "./objects/pod.js";
import { configurationInConfigMap, readProxyConfiguration } from "./objects/proxy-configuration.js";
import { readService } from "./objects/service.js";

export interface ClusterRead {
  /** What could be read, also when there are errors. */
  readonly model: ClusterModel;
  readonly problems: readonly Problem[];
}

/** Reads the objects that kube-proxy looks at, and Pods; others are skipped with one note. */
export function readCluster(documents: readonly Document[]): ClusterRead {
  const problems: Problem[] = [];
  const draft: Draft = {
    services: new Map(),
    slices: new Map(),
    nodes: new Map(),
    pods: new Map(),
    proxy: undefined,
  };
  const skipped = new Map<string, number>();
  for (const document of documents) {
    const object = configurationInConfigMap(document) ?? document;
    const type = typeOf(object, problems);
    if (type === undefined) continue;
    const reader = type.foreign ? undefined : READERS.get(type.kind);
    if (reader === undefined) skip(object, type, skipped, problems);
    else if (apiVersionFits(object, type, reader.apiVersion, problems)) reader.read(object, draft, problems);
  }
  if (skipped.size > 0) problems.push(skippedNote(skipped));
  const model: ClusterModel = {
    services: [...draft.services.values()],
    slices: [...draft.slices.values()],
    nodes: [...draft.nodes.values()],
    pods: [...draft.pods.values()],
    ...(draft.proxy === undefined ? {} : { proxy: draft.proxy }),
  };
  if (!hasErrors(problems)) appendAll(problems, checkCluster(model));
  return { model, problems };
}

interface Draft {
  readonly services: Map<string, Service>;
  readonly slices: Map<string, EndpointSlice>;
  readonly nodes: Map<string, Node>;
  readonly pods: Map<string, Pod>;
  proxy: ProxyConfiguration | undefined;
}

interface Reader {
  readonly apiVersion: string;
  read(document: Document, draft: Draft, problems: Problem[]): void;
}

const READERS: ReadonlyMap<string, Reader> = new Map<string, Reader>([
  [
    "Service",
    {
      apiVersion: "v1",
      read: (document, draft, problems) =>
        put(readService(document, problems), draft.services, "Service", problems),
    },
  ],
  [
    "EndpointSlice",
    {
      apiVersion: "discovery.k8s.io/v1",
      read: (document, draft, problems) =>
        put(readEndpointSlice(document, problems), draft.slices, "EndpointSlice", problems),
    },
  ],
  [
    "Node",
    {
      apiVersion: "v1",
      read: (document, draft, problems) => put(readNode(document, problems), draft.nodes, "Node", problems),
    },
  ],
  [
    "Pod",
    {
      apiVersion: "v1",
      read: (document, draft, problems) => put(readPod(document, problems), draft.pods, "Pod", problems),
    },
  ],
  [
    "KubeProxyConfiguration",
    {
      apiVersion: "kubeproxy.config.k8s.io/v1alpha1",
      read(document, draft, problems) {
        const proxy = readProxyConfiguration(document, problems);
        if (proxy === undefined) return;
        if (draft.proxy !== undefined) {
          problems.push({
            code: "LF5009",
            severity: "warning",
            message: "a second KubeProxyConfiguration: this one counts",
            place: document.place,
          });
        }
        draft.proxy = proxy;
      },
    },
  ],
]);

interface ObjectType {
  readonly kind: string;
  /** As written; undefined when there is none. */
  readonly apiVersion: string | undefined;
  /** Of an API that is not Kubernetes' own, where `Service` and `Node` are other things (`serving.knative.dev/v1`). */
  readonly foreign: boolean;
}

function typeOf(document: Document, problems: Problem[]): ObjectType | undefined {
  const { value } = document;
  const fault = (message: string, help?: string): undefined => {
    problems.push({
      code: "LF5003",
      severity: "error",
      message,
      place: document.place,
      ...(help === undefined ? {} : { help }),
    });
  };
  if (!isRecord(value)) return fault("this document is no Kubernetes object");
  if (typeof value.kind !== "string" || value.kind === "") {
    return fault(
      "this document is no Kubernetes object: it has no kind",
      "begin it with apiVersion and kind",
    );
  }
  const apiVersion = typeof value.apiVersion === "string" ? value.apiVersion : undefined;
  const group = apiVersion?.includes("/") ? (apiVersion.split("/")[0] as string) : "";
  return { kind: value.kind, apiVersion, foreign: group.includes(".") && !/\.k8s\.io$/.test(group) };
}

function apiVersionFits(document: Document, type: ObjectType, wanted: string, problems: Problem[]): boolean {
  if (type.apiVersion === undefined || type.apiVersion === wanted) return true;
  problems.push({
    code: "LF5003",
    severity: "error",
    message: `${type.kind} of apiVersion ${type.apiVersion} is not read`,
    place: document.placeOf(["apiVersion"]),
    label: `landfall reads ${wanted}`,
  });
  return false;
}

function skip(document: Document, type: ObjectType, skipped: Map<string, number>, problems: Problem[]): void {
  const near = type.foreign ? undefined : misspelt(type.kind);
  if (near !== undefined) {
    problems.push({
      code: "LF5003",
      severity: "warning",
      message: `kind ${type.kind} is not known, so this object is skipped`,
      place: document.placeOf(["kind"]),
      ...didYouMean(near),
    });
  } else {
    const name = type.foreign && READERS.has(type.kind) ? `${type.kind} of ${type.apiVersion}` : type.kind;
    skipped.set(name, (skipped.get(name) ?? 0) + 1);
  }
}

/** The kind that was meant, for kinds that are none: a slip of one or two letters, or of upper and lower case. */
function misspelt(kind: string): string | undefined {
  const sameLetters = [...READERS.keys()].find((known) => known.toLowerCase() === kind.toLowerCase());
  const near = sameLetters ?? nearest(kind, READERS.keys());
  // A mere beginning is no slip: there may well be a kind `Kube` or `No`.
  return near?.startsWith(kind) && near.length - kind.length > 2 ? undefined : near;
}

function put<T extends { readonly meta: ObjectMeta }>(
  object: T | undefined,
  into: Map<string, T>,
  kind: string,
  problems: Problem[],
): void {
  if (object === undefined) return;
  const { namespace, name } = object.meta;
  const key = namespace === "" ? name : `${namespace}/${name}`;
  if (into.delete(key)) {
    problems.push({
      code: "LF5009",
      severity: "warning",
      message: `${kind} ${key} stands here a second time: this one counts`,
      place: object.meta.place,
    });
  }
  into.set(key, object);
}

function skippedNote(skipped: ReadonlyMap<string, number>): Problem {
  const total = [...skipped.values()].reduce((sum, count) => sum + count, 0);
  const kinds = [...skipped].map(([kind, count]) => (count === 1 ? kind : `${kind} (${count})`)).join(", ");
  const objects = total === 1 ? "1 object of a kind" : `${total} objects of kinds`;
  return {
    code: "LF5003",
    severity: "note",
    message: `${objects} that landfall does not use ${total === 1 ? "was" : "were"} skipped: ${kinds}`,
  };
}

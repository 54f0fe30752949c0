/** Which service ports a word, a namespace or labels mean. */
import { printAddress } from "../../grammar/address.js";
import { type LabelSelector, selectsLabels } from "../../grammar/label-selector.js";
import { SERVICE_NAME_LABEL } from "../cluster/consistency.js";
import type { ClusterModel, ObjectMeta } from "../cluster/model.js";
import type { ServicePort } from "../explain/service-model.js";
import { endWords, nameOf } from "../explain/service-words.js";
import { nearest } from "../problems/nearest.js";
import { UsageError } from "./exit.js";

export interface Wanted {
  /** `[svc/]namespace/name[:port]`, `name[:port]`, an address with or without port, or a chain; none: all. */
  readonly names: readonly string[];
  readonly namespace: string | undefined;
  /** `namespace/name` of the Services whose objects have the labels; undefined: labels do not matter. */
  readonly labelled: ReadonlySet<string> | undefined;
}

export interface ServiceFlags {
  readonly namespace?: string;
  readonly selector?: LabelSelector;
}

/** What flags and words ask for. Labels stand in objects alone: without any, asking for labels is wrong usage. */
export function wantedBy(
  { namespace, selector }: ServiceFlags,
  cluster: ClusterModel | undefined,
  names: readonly string[] = [],
): Wanted {
  if (selector === undefined) return { names, namespace, labelled: undefined };
  if (cluster === undefined || cluster.services.length === 0)
    throw new UsageError(
      "-l needs the Service objects: rules hold no labels",
      "give them among the inputs, for example from kubectl get services -A -o json",
    );
  const labelled = cluster.services.filter(({ meta }) => selectsLabels(selector, meta.labels));
  if (labelled.length === 0) throw new UsageError("no Service object has the labels of -l");
  return { names, namespace, labelled: new Set(labelled.map(({ meta }) => serviceKey(meta))) };
}

function serviceKey({ namespace, name }: ObjectMeta): string {
  return `${namespace}/${name}`;
}

/** Whether a service port of this name is of the wanted namespace and has the wanted labels. */
export function isWanted(name: string | undefined, { namespace, labelled }: Wanted): boolean {
  if (namespace !== undefined && !name?.startsWith(`${namespace}/`)) return false;
  return labelled === undefined || (name !== undefined && labelled.has(name.replace(/:[^:]*$/, "")));
}

/** The cluster with the wanted Services alone, and what belongs to them. */
export function narrowedCluster(cluster: ClusterModel, wanted: Wanted): ClusterModel {
  if (wanted.namespace === undefined && wanted.labelled === undefined) return cluster;
  const services = cluster.services.filter(({ meta }) => isWanted(serviceKey(meta), wanted));
  if (services.length === 0 && cluster.services.length > 0)
    throw unknownNamespace(
      wanted.namespace ?? "",
      cluster.services.map(({ meta }) => meta.namespace),
    );
  const kept = new Set(services.map(({ meta }) => serviceKey(meta)));
  const slices = cluster.slices.filter(({ meta }) =>
    kept.has(`${meta.namespace}/${meta.labels.get(SERVICE_NAME_LABEL)}`),
  );
  return { ...cluster, services, slices };
}

/** The service ports that are wanted, in their order; a name that means none is wrong usage. */
export function chosenServices(services: readonly ServicePort[], wanted: Wanted): readonly ServicePort[] {
  const inNamespace = services.filter(({ name }) => isWanted(name, wanted));
  if (wanted.names.length === 0) {
    if (inNamespace.length === 0 && services.length > 0 && wanted.namespace !== undefined)
      throw unknownNamespace(
        wanted.namespace,
        services.flatMap(({ name }) => name?.split("/")[0] ?? []),
      );
    return inNamespace;
  }
  const chosen = new Set<ServicePort>();
  for (const word of wanted.names) {
    const found = inNamespace.filter((service) => isMeant(service, word));
    if (found.length === 0) throw unknownService(word, inNamespace);
    for (const one of found) chosen.add(one);
  }
  return services.filter((service) => chosen.has(service));
}

/** Whether a word means a service port. */
export function isMeant(service: ServicePort, word: string): boolean {
  const wanted = word.replace(/^(?:svc|service)\//, "");
  return spellingsOf(service).includes(wanted);
}

/** All words that mean a service port. */
export function spellingsOf(service: ServicePort): readonly string[] {
  const { name, chains, entrances } = service;
  const full = name ?? "";
  const withoutPort = full.replace(/:[^:]*$/, "");
  const withoutNamespace = (text: string) => text.slice(text.indexOf("/") + 1);
  const ports = entrances.flatMap(({ port }) => (port === undefined ? [] : [port]));
  const named =
    name === undefined
      ? []
      : [
          full,
          withoutPort,
          withoutNamespace(full),
          withoutNamespace(withoutPort),
          ...ports.map((port) => `${withoutPort}:${port}`),
        ];
  const ends = entrances.flatMap(({ address, port }) =>
    address === undefined ? [] : [printAddress(address), endWords(address, port)],
  );
  return [...named, ...chains, ...ends];
}

function unknownService(word: string, services: readonly ServicePort[]): UsageError {
  const wanted = word.replace(/^(?:svc|service)\//, "");
  const near = nearest(wanted, new Set(services.flatMap(spellingsOf)));
  const some = services.slice(0, 5).map(nameOf).join(", ");
  return new UsageError(
    `no service is called ${word}`,
    near !== undefined
      ? `did you mean ${near}?`
      : services.length === 0
        ? "no service was found in the inputs"
        : `there are ${some}${services.length > 5 ? ` and ${services.length - 5} more` : ""}`,
  );
}

function unknownNamespace(namespace: string, known: readonly string[]): UsageError {
  const all = [...new Set(known)].sort();
  const near = nearest(namespace, all);
  return new UsageError(
    `no service of namespace ${namespace} is in the inputs`,
    near === undefined ? `there are services of ${all.join(", ")}` : `did you mean ${near}?`,
  );
}

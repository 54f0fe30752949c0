/** Which service ports a word or a namespace means. */
import { printAddress } from "../../grammar/address.js";
import type { ServicePort } from "../explain/service-model.js";
import { endWords, nameOf } from "../explain/service-words.js";
import { nearest } from "../problems/nearest.js";
import { UsageError } from "./exit.js";

export interface Wanted {
  /** `[svc/]namespace/name[:port]`, `name[:port]`, an address with or without port, or a chain; none: all. */
  readonly names: readonly string[];
  readonly namespace?: string | undefined;
}

/** The service ports that are wanted, in their order; a name that means none is wrong usage. */
export function chosenServices(services: readonly ServicePort[], wanted: Wanted): readonly ServicePort[] {
  const inNamespace = services.filter(
    ({ name }) => wanted.namespace === undefined || name?.startsWith(`${wanted.namespace}/`),
  );
  if (wanted.names.length === 0) {
    if (inNamespace.length === 0 && services.length > 0)
      throw unknownNamespace(wanted.namespace ?? "", services);
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

function unknownNamespace(namespace: string, services: readonly ServicePort[]): UsageError {
  const all = [...new Set(services.flatMap(({ name }) => name?.split("/")[0] ?? []))].sort();
  const near = nearest(namespace, all);
  return new UsageError(
    `no service of namespace ${namespace} is in the inputs`,
    near === undefined ? `there are services of ${all.join(", ")}` : `did you mean ${near}?`,
  );
}

/** Service objects (v1): the fields that kube-proxy reads, and what it would silently pass over in them. */

import * as z from "zod/mini";
import { readAddress } from "../../../grammar/address.js";
import { shown } from "../../documents/check.js";
import type { Document, Path } from "../../documents/document.js";
import { appendAll } from "../../problems/append.js";
import type { Problem } from "../../problems/problem.js";
import type { Service } from "../model.js";
import {
  absent,
  address,
  flag,
  isCIDR,
  portNumber,
  portOrNone,
  present,
  protocol,
  text,
  texts,
  words,
} from "./fields.js";
import { checkedObject, metadata, metaOf, whoIs } from "./metadata.js";

const policy = absent(z.enum(["Cluster", "Local"]));
const clusterAddress = z
  .string()
  .check(
    z.refine(
      (value) => value === "" || value === "None" || readAddress(value) !== undefined,
      "is no IP address and not None",
    ),
  );

const serviceSchema = z.looseObject({
  metadata,
  spec: z.looseObject({
    type: absent(z.enum(["ClusterIP", "NodePort", "LoadBalancer", "ExternalName"])),
    clusterIP: absent(clusterAddress),
    clusterIPs: absent(z.array(clusterAddress)),
    ipFamilies: absent(z.array(z.enum(["IPv4", "IPv6"]))),
    ports: absent(
      z.array(
        z.looseObject({
          name: text,
          protocol,
          port: portNumber,
          targetPort: absent(z.union([z.string(), portOrNone], "is no port number and no name of one")),
          nodePort: portOrNone,
        }),
      ),
    ),
    externalIPs: texts,
    loadBalancerSourceRanges: texts,
    sessionAffinity: absent(z.enum(["None", "ClientIP"])),
    sessionAffinityConfig: absent(
      z.looseObject({
        clientIP: absent(z.looseObject({ timeoutSeconds: absent(z.int().check(z.gte(1), z.lte(86400))) })),
      }),
    ),
    // kubectl shows these two empty for some types.
    externalTrafficPolicy: absent(z.enum(["", "Cluster", "Local"])),
    internalTrafficPolicy: policy,
    healthCheckNodePort: portOrNone,
    publishNotReadyAddresses: flag,
    trafficDistribution: text,
    selector: words,
  }),
  status: absent(
    z.looseObject({
      loadBalancer: absent(
        z.looseObject({
          ingress: absent(
            z.array(
              z.looseObject({
                ip: absent(z.union([z.literal(""), address], "is no IP address")),
                hostname: text,
                ipMode: absent(z.enum(["VIP", "Proxy"])),
              }),
            ),
          ),
        }),
      ),
    }),
  ),
});

/** The Service of a document of that kind, with the API's defaults; undefined when it has errors. */
export function readService(document: Document, problems: Problem[]): Service | undefined {
  const object = checkedObject(document, serviceSchema, problems);
  if (object === undefined) return undefined;
  const { spec, status } = object;
  const service: Service = {
    meta: metaOf(document, object.metadata),
    type: spec.type ?? "ClusterIP",
    clusterIP: spec.clusterIP ?? "",
    // The API server fills in the list; a manifest that was never sent there has only the single field.
    clusterIPs: spec.clusterIPs ?? (spec.clusterIP ? [spec.clusterIP] : []),
    ipFamilies: spec.ipFamilies ?? [],
    ports: (spec.ports ?? []).map((port, index) => ({
      name: port.name ?? "",
      protocol: port.protocol ?? "TCP",
      port: port.port,
      ...present("targetPort", port.targetPort),
      nodePort: port.nodePort ?? 0,
      get place() {
        return document.placeOf(["spec", "ports", index]);
      },
    })),
    externalIPs: spec.externalIPs ?? [],
    loadBalancerSourceRanges: spec.loadBalancerSourceRanges ?? [],
    ingress: (status?.loadBalancer?.ingress ?? []).map((ingress) => ({
      ...present("ip", ingress.ip || undefined),
      ...present("hostname", ingress.hostname),
      ...present("ipMode", ingress.ipMode),
    })),
    sessionAffinity: spec.sessionAffinity ?? "None",
    affinityTimeoutSeconds: spec.sessionAffinityConfig?.clientIP?.timeoutSeconds ?? 10800,
    externalTrafficPolicy: spec.externalTrafficPolicy || "Cluster",
    internalTrafficPolicy: spec.internalTrafficPolicy ?? "Cluster",
    healthCheckNodePort: spec.healthCheckNodePort ?? 0,
    publishNotReadyAddresses: spec.publishNotReadyAddresses ?? false,
    ...present("trafficDistribution", spec.trafficDistribution),
    ...present("selector", spec.selector ? new Map(Object.entries(spec.selector)) : undefined),
  };
  appendAll(problems, passedOver(document, service));
  return service;
}

/** What no field's schema can say: parts that kube-proxy would skip without a word, or that exclude each other. */
function passedOver(document: Document, service: Service): readonly Problem[] {
  const problems: Problem[] = [];
  const who = whoIs(document);
  const warn = (path: Path, code: "LF5005" | "LF5009", message: string, note?: string) =>
    problems.push({
      code,
      severity: "warning",
      message: `${who}: ${message}`,
      place: document.placeOf(path),
      ...(note === undefined ? {} : { notes: [note] }),
    });
  if (service.type !== "ExternalName" && service.clusterIP === "") {
    warn(["spec", "clusterIP"], "LF5005", "spec.clusterIP is not set, so kube-proxy makes no rules for it");
  }
  for (const [index, family] of service.ipFamilies.entries()) {
    const ip = service.clusterIPs[index] ?? "";
    if (ip !== "" && ip !== "None" && ip.includes(":") !== (family === "IPv6")) {
      warn(
        ["spec", "clusterIPs", index],
        "LF5005",
        `spec.clusterIPs[${index}] ${ip} is not of family ${family}`,
        "kube-proxy takes the cluster IP that stands at the place of its family in ipFamilies",
      );
    }
  }
  for (const [index, ip] of service.externalIPs.entries()) {
    if (readAddress(ip) !== undefined) continue;
    const path = ["spec", "externalIPs", index];
    warn(path, "LF5005", `spec.externalIPs[${index}] ${shown(ip)} is no IP address, so kube-proxy skips it`);
  }
  for (const [index, range] of service.loadBalancerSourceRanges.entries()) {
    if (isCIDR(range.trim())) continue;
    const path = ["spec", "loadBalancerSourceRanges", index];
    const field = `spec.loadBalancerSourceRanges[${index}]`;
    warn(path, "LF5005", `${field} ${shown(range)} is no CIDR, so kube-proxy skips it`);
  }
  const ports = new Map<string, number>();
  for (const [index, port] of service.ports.entries()) {
    const key = `${port.port}/${port.protocol}`;
    const earlier = ports.get(key);
    if (earlier === undefined) ports.set(key, index);
    else {
      const message = `spec.ports[${index}] is ${key.toLowerCase()}, as spec.ports[${earlier}] is`;
      warn(["spec", "ports", index], "LF5009", message, "the API server would refuse this");
    }
  }
  return problems;
}

/**
 * KubeProxyConfiguration (kubeproxy.config.k8s.io/v1alpha1), from a file of its own or from the ConfigMap in which
 * kubeadm keeps it.
 */
import * as z from "zod/mini";
import { readNetwork } from "../../../grammar/address.js";
import { checked, checkFieldNames } from "../../documents/check.js";
import { type Document, isRecord, makeDocument } from "../../documents/document.js";
import { readDocuments } from "../../documents/read.js";
import type { Problem } from "../../problems/problem.js";
import { DEFAULT_PROXY_CONFIGURATION, type ProxyConfiguration } from "../model.js";
import { readDuration } from "./duration.js";
import { absent, flag, isCIDR, text, texts } from "./fields.js";
import { checkIpvs } from "./ipvs-values.js";

/** Several CIDRs, one of each family at most, stand in one text with commas. */
const clusterCIDR = z
  .string()
  .check(
    z.refine(
      (value) => value === "" || splitAtCommas(value).every((part) => readNetwork(part) !== undefined),
      "is no CIDR such as 10.244.0.0/16",
    ),
  );
const nodePortAddress = z
  .string()
  .check(
    z.refine(
      (value) => value === "primary" || isCIDR(value),
      "is no CIDR such as 10.0.0.0/8, and not primary",
    ),
  );

const duration = z
  .string()
  .check(z.refine((value) => readDuration(value) !== undefined, "is no duration such as 15m or 1h30m0s"));

/** A field that kube-proxy has and that does not change rules. */
const other = z.optional(z.unknown());

const proxyConfigurationSchema = z.looseObject({
  apiVersion: other,
  kind: other,
  mode: absent(z.enum(["", "iptables", "ipvs", "nftables"])),
  hostnameOverride: text,
  bindAddress: text,
  clusterCIDR: absent(clusterCIDR),
  detectLocalMode: absent(z.enum(["", "ClusterCIDR", "NodeCIDR", "BridgeInterface", "InterfaceNamePrefix"])),
  detectLocal: absent(z.looseObject({ bridgeInterface: text, interfaceNamePrefix: text })),
  iptables: absent(
    z.looseObject({
      masqueradeAll: flag,
      masqueradeBit: absent(z.int().check(z.gte(0), z.lte(31))),
      localhostNodePorts: flag,
      syncPeriod: other,
      minSyncPeriod: other,
    }),
  ),
  nodePortAddresses: absent(z.array(nodePortAddress)),
  conntrack: absent(
    z.looseObject({
      tcpBeLiberal: flag,
      maxPerCore: other,
      min: other,
      tcpEstablishedTimeout: other,
      tcpCloseWaitTimeout: other,
      udpTimeout: other,
      udpStreamTimeout: other,
    }),
  ),
  featureGates: absent(z.record(z.string(), z.boolean())),
  bindAddressHardFail: other,
  clientConnection: other,
  configSyncPeriod: other,
  enableProfiling: other,
  healthzBindAddress: other,
  ipvs: absent(
    z.looseObject({
      scheduler: text,
      excludeCIDRs: texts,
      strictARP: flag,
      tcpTimeout: absent(duration),
      tcpFinTimeout: absent(duration),
      udpTimeout: absent(duration),
      syncPeriod: other,
      minSyncPeriod: other,
    }),
  ),
  logging: other,
  metricsBindAddress: other,
  nftables: other,
  oomScoreAdj: other,
  portRange: other,
  showHiddenMetricsForVersion: other,
  udpIdleTimeout: other,
  windowsRunAsService: other,
  winkernel: other,
});

/** The configuration with kube-proxy's defaults filled in; undefined when it has errors. */
export function readProxyConfiguration(
  document: Document,
  problems: Problem[],
): ProxyConfiguration | undefined {
  const who = "KubeProxyConfiguration";
  const object = checked(document, proxyConfigurationSchema, who, problems);
  if (object === undefined) return undefined;
  const effect = ", so kube-proxy ignores it";
  checkFieldNames(document, proxyConfigurationSchema, { who, effect, every: true }, problems);
  const defaults = DEFAULT_PROXY_CONFIGURATION;
  const { ipvs } = object;
  const mode = object.mode || defaults.mode;
  if (ipvs && !checkIpvs(ipvs, mode, document, problems)) return undefined;
  const seconds = (value: string | null | undefined) =>
    Math.max(0, Math.floor(readDuration(value ?? "") ?? 0));
  return {
    get place() {
      return document.place;
    },
    mode,
    hostnameOverride: (object.hostnameOverride ?? "").trim().toLowerCase(),
    bindAddress: object.bindAddress || defaults.bindAddress,
    clusterCIDRs: splitAtCommas(object.clusterCIDR ?? ""),
    detectLocalMode: object.detectLocalMode || defaults.detectLocalMode,
    bridgeInterface: object.detectLocal?.bridgeInterface ?? "",
    interfaceNamePrefix: object.detectLocal?.interfaceNamePrefix ?? "",
    masqueradeAll: object.iptables?.masqueradeAll ?? defaults.masqueradeAll,
    masqueradeBit: object.iptables?.masqueradeBit ?? defaults.masqueradeBit,
    localhostNodePorts: object.iptables?.localhostNodePorts ?? defaults.localhostNodePorts,
    nodePortAddresses: object.nodePortAddresses ?? [],
    tcpBeLiberal: object.conntrack?.tcpBeLiberal ?? defaults.tcpBeLiberal,
    ipvs: {
      scheduler: ipvs?.scheduler || defaults.ipvs.scheduler,
      excludeCIDRs: ipvs?.excludeCIDRs ?? [],
      strictARP: ipvs?.strictARP ?? defaults.ipvs.strictARP,
      timeouts: {
        tcp: seconds(ipvs?.tcpTimeout),
        tcpFin: seconds(ipvs?.tcpFinTimeout),
        udp: seconds(ipvs?.udpTimeout),
      },
    },
    featureGates: new Map(Object.entries(object.featureGates ?? {})),
  };
}

/** The KubeProxyConfiguration that a ConfigMap holds under `config.conf` or `config.yaml`, if it does. */
export function configurationInConfigMap(document: Document): Document | undefined {
  if (!isRecord(document.value) || document.value.kind !== "ConfigMap") return undefined;
  const { data } = document.value;
  if (!isRecord(data)) return undefined;
  for (const key of ["config.conf", "config.yaml"]) {
    const text = Object.hasOwn(data, key) ? data[key] : undefined;
    if (typeof text !== "string" || !text.includes("KubeProxyConfiguration")) continue;
    const inside = readDocuments({ name: document.source.name, text }).documents.find(
      ({ value }) => isRecord(value) && value.kind === "KubeProxyConfiguration",
    );
    // The text inside has lines of its own, which nobody sees: all its places are that of its key.
    if (inside !== undefined)
      return makeDocument(document.source, inside.value, () => document.placeOf(["data", key]));
  }
  return undefined;
}

function splitAtCommas(value: string): readonly string[] {
  return value
    .split(",")
    .map((part) => part.trim())
    .filter((part) => part !== "");
}

/** Small clusters for tests: objects with all that the test is not about filled in. */
import type { ClusterModel } from "../../src/cluster/model.js";
import { chooseNode } from "../../src/cluster/node.js";
import { readCluster } from "../../src/cluster/read.js";
import { type Compiled, type CompileOptions, compileIptables } from "../../src/compile/iptables/compile.js";
import { readDocuments } from "../../src/documents/read.js";

type Fields = Readonly<Record<string, unknown>>;

/** Service default/web with port 80. */
export function service(spec: Fields, status: Fields = {}): Fields {
  const { clusterIP = "10.96.0.1" } = spec;
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name: "web", namespace: "default" },
    spec: { clusterIP, clusterIPs: [clusterIP], ports: [{ port: 80 }], ...spec },
    status: { loadBalancer: status },
  };
}

/** A slice of that Service, port 8080. */
export function slice(endpoints: readonly Fields[], addressType = "IPv4", name = "web-1"): Fields {
  return {
    apiVersion: "discovery.k8s.io/v1",
    kind: "EndpointSlice",
    metadata: { name, namespace: "default", labels: { "kubernetes.io/service-name": "web" } },
    addressType,
    ports: [{ name: "", port: 8080 }],
    endpoints,
  };
}

export function node(addresses: readonly string[], name = "here"): Fields {
  return {
    apiVersion: "v1",
    kind: "Node",
    metadata: { name },
    status: { addresses: addresses.map((address) => ({ type: "InternalIP", address })) },
  };
}

export function configuration(fields: Fields): Fields {
  return { apiVersion: "kubeproxy.config.k8s.io/v1alpha1", kind: "KubeProxyConfiguration", ...fields };
}

export function clusterOf(objects: readonly Fields[]): ClusterModel {
  const text = JSON.stringify({ apiVersion: "v1", kind: "List", items: objects });
  return readCluster(readDocuments({ name: "cluster", text }).documents).model;
}

/** Compiles for the node that the objects choose. */
export function compileObjects(objects: readonly Fields[], options: CompileOptions = {}): Compiled {
  const model = clusterOf(objects);
  const { node, name } = chooseNode(model);
  return compileIptables(model, { node, nodeName: name, ...options });
}

/** The rules of one table's chain, as kube-proxy writes them. */
export function rulesIn({ payload }: Compiled, table: "filter" | "nat", chain: string): readonly string[] {
  const rules = payload.tables.find(({ name }) => name === table)?.rules ?? [];
  return rules.filter((rule) => rule.startsWith(`-A ${chain} `)).map((rule) => rule.slice(chain.length + 4));
}

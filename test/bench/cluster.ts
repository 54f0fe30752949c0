/** A cluster of any size: ClusterIP Services, each with its endpoints, a few with node ports or affinity. */
export function bigCluster(services: number, endpoints: number): string {
  const items: object[] = [];
  for (let index = 0; index < services; index++) {
    const name = `service-${index}`;
    const metadata = { name, namespace: `namespace-${index % 20}` };
    items.push({
      apiVersion: "v1",
      kind: "Service",
      metadata,
      spec: {
        type: index % 12 === 0 ? "NodePort" : "ClusterIP",
        clusterIP: `10.96.${index >> 8}.${index & 255}`,
        ports: [
          { name: "http", port: 80, ...(index % 12 === 0 ? { nodePort: 30000 + (index % 2768) } : {}) },
        ],
        ...(index % 50 === 0 ? { sessionAffinity: "ClientIP" } : {}),
      },
    });
    items.push({
      apiVersion: "discovery.k8s.io/v1",
      kind: "EndpointSlice",
      metadata: { ...metadata, name: `${name}-x`, labels: { "kubernetes.io/service-name": name } },
      addressType: "IPv4",
      ports: [{ name: "http", port: 8080 }],
      endpoints: Array.from({ length: endpoints }, (_, at) => {
        const number = index * endpoints + at;
        return { addresses: [`10.${128 + (number >> 16)}.${(number >> 8) & 255}.${number & 255}`] };
      }),
    });
  }
  return JSON.stringify({ apiVersion: "v1", kind: "List", items });
}

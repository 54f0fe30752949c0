import { readdirSync, readFileSync, existsSync } from "node:fs";
import { test } from "vitest";
import { readDocuments } from "../../src/documents/read.js";
import { readCluster } from "../../src/cluster/read.js";
import { isNetworkDocument, readNetworkDocument } from "../../src/cluster/network.js";
const show = (p: any) => `${p.place?.source.name.slice(-60)}:${p.place?.line}:${p.place?.column}-${p.place?.endLine}:${p.place?.endColumn} ${p.severity}[${p.code}]: ${p.message} | ${p.label ?? ""} | ${p.help ?? ""} | ${p.notes ?? ""}`;
test("fixtures", () => {
  const base = "/work/shared/fixtures/kube-proxy/";
  let n = 0;
  const seen = new Map<string, number>();
  for (const [set, files] of [["iptables", ["objects.yaml", "kube-proxy.yaml"]], ["iptables-sync", ["before.yaml", "kube-proxy.yaml"]], ["iptables-sync", ["after.yaml"]], ["ipvs", ["objects.yaml", "kube-proxy.yaml"]]] as const)
    for (const c of readdirSync(base + set)) {
      const docs = [];
      for (const f of files) {
        const path = `${base}${set}/${c}/${f}`;
        if (!existsSync(path)) continue;
        const r = readDocuments({ name: path, text: readFileSync(path, "utf8") });
        r.problems.forEach((p) => console.log(show(p)));
        docs.push(...r.documents);
      }
      const t = performance.now();
      const r = readCluster(docs);
      n++;
      for (const s of r.model.services) if (s.ipFamilies.length && !s.clusterIPs.length) console.log("IPF without IPS", c, s.meta.name);
      for (const p of r.problems) if (p.severity !== "note") console.log(show(p));
      for (const d of docs) { const k = (d.value as any).kind; seen.set(k, (seen.get(k) ?? 0) + 1); }
      if (performance.now() - t > 500) console.log(c, performance.now() - t);
    }
  console.log(n, [...seen]);
  for (const c of readdirSync("/work/shared/fixtures/kernel-packets")) {
    const path = `/work/shared/fixtures/kernel-packets/${c}/network.yaml`;
    if (!existsSync(path)) continue;
    const r = readDocuments({ name: path, text: readFileSync(path, "utf8") });
    for (const d of r.documents) { const net = readNetworkDocument(d); if (!isNetworkDocument(d)) console.log("NOT NET"); net.problems.forEach((p) => console.log(show(p))); }
  }
});
const T = (text: string) => { const t = performance.now(); const r = readDocuments({ name: "svc.yaml", text }); const c = readCluster(r.documents); console.log(JSON.stringify(text.slice(0, 60)), Math.round(performance.now() - t), "ms\n  ", [...r.problems, ...c.problems].map(show).join("\n   ")); return r; };
test("hostile", () => {
  T("[".repeat(100000)); T("[".repeat(100000) + "]".repeat(100000)); T("{".repeat(50000)); T("- ".repeat(20000) + "a"); T("a:\n\tb: 1"); T("a: 1\na: 2"); T("kind: Service\nmetadata: {name: x\n");
  T("&a [*a]"); T("kind: Service\napiVersion: v1\nmetadata: &m\n  name: x\n  labels: *m\nspec: {ports: &p [*p]}");
  let bomb = "a0: &a0 x\n"; for (let i = 1; i < 12; i++) bomb += `a${i}: &a${i} [${Array(9).fill(`*a${i - 1}`).join(", ")}]\n`;
  T(bomb); T("%YAML 1.1\n---\n" + bomb);
  let mb = "a0: &a0 {k: v}\n"; for (let i = 1; i < 40; i++) mb += `a${i}: &a${i} {<<: [${Array(9).fill(`*a${i - 1}`).join(", ")}], k${i}: 1}\n`;
  T(mb); T("%YAML 1.1\n---\n" + mb);
  T("kind: constructor"); T("kind: __proto__"); T("kind: toString\n__proto__: {kind: Service}"); T('{"kind":"Service","apiVersion":"v1","metadata":{"name":"x","labels":{"__proto__":"a"}},"spec":{"__proto__":{"clusterIP":"1.1.1.1"},"selector":{"__proto__":"z"}}}');
  T('{"kind":"Service","apiVersion":"v1","metadata":{"name":"x","labels":{"__pro\\u0074o__":"a"}},"spec":{"__pro\\u0074o__":{"clusterIP":"1.1.1.1"}}}');
  console.log(({} as any).clusterIP);
  T("\uFEFF{\"kind\":\"Serivce\"}"); T("kind: Ingress\n---\nkind: Deployment\n---\nkind: Deployment"); T("apiVersion: serving.knative.dev/v1\nkind: Service"); T("apiVersion: discovery.k8s.io/v1beta1\nkind: EndpointSlice"); T("? [a, b]\n: c\n1: 2\nnull: 3"); T("!!set {a, b}\n---\n!!binary aGk=\n---\n!foo bar\n---\n2001-01-01"); T("kind: service"); T("hello"); T("\0\x01"); T("a: 'x"); T('{"kind": "Service", }x'); T("a: b: c"); T("%FOO\n"); T("{".repeat(3)); T("a: *b"); T("--- |\n x");T("kind: Endpoints");T("kind: Servic");
  T("\n".repeat(200000) + "__proto__");
  T("apiVersion: v1\nkind: Service\nmetadata:\n  name: web\nspec:\n  ports:\n    - port: \"80\"\n      protocol: tcp\n    - port: 80.5\n      nodePort: 70000\n      targetPort: [1]\n  type: Clusterip\n  clusterIP: 10.0.0\n  publishNotReadyAddresses: \"true\"\n  selector: {app: 1}\n  externalIPs: 1\n");
  T('{"apiVersion":"v1","kind":"List","items":[{"apiVersion":"v1","kind":"Service","metadata":{},\n"spec":{"ports":[{"port":"80"}]}},\n {"apiVersion":"v1","kind":"Service","metadata":{"name":"a"},\n  "spec":{"ports":[{"name":"x","port":"80"}]}}]}');
});

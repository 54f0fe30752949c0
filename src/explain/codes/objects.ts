/** LF5xxx: Kubernetes objects, and compiling them. */
import type { Code } from "../../problems/codes.js";
import type { Explanation } from "./explanation.js";

const WEB = `apiVersion: v1
kind: Service
metadata: {name: web}
spec: {clusterIP: 10.96.0.9, ports: [{port: 80}]}
`;

export const OBJECTS = {
  LF5001: {
    means: ["The text is not well-formed YAML or JSON. The place is where reading it stopped making sense."],
    matters: [
      "kubectl and kube-proxy read such a file not at all, and neither does landfall.",
      "In YAML the fault is often one line above: a missing colon, a quote that stays open, a tab in the indentation.",
    ],
    example: {
      command: "compile web.yaml",
      files: { "web.yaml": "apiVersion: v1\nkind: Service\nmetadata:\n\tname: web\n" },
    },
    remedy: [
      "Indent with blanks, put texts with `: ` or ` #` into quotes, and end JSON lists without a comma.",
    ],
  },
  LF5002: {
    means: [
      "A field has a value of the wrong kind, one that the field does not take, or a name that is slightly wrong.",
    ],
    matters: [
      "The API server would refuse most of these, so no such object can be in a cluster.",
      "A field whose name is wrong counts as absent, so that its default holds.",
    ],
    example: {
      command: "compile web.yaml",
      files: {
        "web.yaml": `apiVersion: v1
kind: Service
metadata: {name: web}
spec:
  clusterIP: 10.96.0.9
  ports:
    - port: "80"
`,
      },
    },
    remedy: ["Correct the value. `kubectl explain service.spec.ports` tells what a field takes."],
  },
  LF5003: {
    means: [
      "The object is of a kind that has no part in kube-proxy's rules, of an API version that is not read, or no object at all.",
      "Read are Service, EndpointSlice, Node, Pod and KubeProxyConfiguration, also inside a List or the ConfigMap kube-proxy.",
    ],
    matters: [
      "An Ingress, a NetworkPolicy or a Deployment is carried out by others; kube-proxy never sees it. Those are skipped with a note.",
      "An old API version may mean other things by the same fields, so it is an error. discovery.k8s.io/v1beta1 is gone since Kubernetes 1.25.",
    ],
    example: {
      command: "compile slice.yaml",
      files: {
        "slice.yaml": "apiVersion: discovery.k8s.io/v1beta1\nkind: EndpointSlice\nmetadata: {name: web-1}\n",
      },
    },
    remedy: [
      "Take the object from the cluster again, which prints it in its current version: `kubectl get … -o yaml`.",
    ],
  },
  LF5004: {
    means: [
      "Rules are those of one node, and the inputs have several, or none of the name that was asked for.",
    ],
    matters: [
      "kube-proxy on each node writes other rules: which endpoints are local decides for externalTrafficPolicy: Local and for zone hints, and node ports stand on the node's own addresses.",
    ],
    example: {
      command: "compile web.yaml nodes.yaml",
      files: {
        "web.yaml": WEB,
        "nodes.yaml": `apiVersion: v1
kind: Node
metadata: {name: node-1}
---
apiVersion: v1
kind: Node
metadata: {name: node-2}
`,
      },
    },
    remedy: [
      "Name the node with --node, as `kubectl get nodes` does, or with hostnameOverride in the configuration.",
    ],
  },
  LF5005: {
    means: [
      "kube-proxy passes over this part of an object or of its configuration, and carries on with the rest.",
    ],
    matters: [
      "The Service looks right in kubectl, and its rules are missing on the node; kube-proxy's log tells of it, if anything does.",
      "landfall leaves out what kube-proxy leaves out, so that the rules stay the same, and warns.",
    ],
    example: {
      command: "compile web.yaml --quiet",
      files: {
        "web.yaml": `apiVersion: v1
kind: Service
metadata: {name: web}
spec:
  clusterIP: 10.96.0.9
  externalIPs: [192.0.2.300]
  ports: [{port: 80}]
`,
      },
    },
    remedy: ["Correct the value, or take it out if it was never meant."],
  },
  LF5006: {
    means: [
      "YAML aliases (`*name`) refer to parts that hold aliases again, and the document would grow beyond all measure.",
    ],
    matters: [
      "A few lines can stand for gigabytes: ten parts that each name the one before ten times. That is an attack on programs that read YAML.",
      "The API server could once be stopped by such texts (CVE-2019-11253), and refuses them since.",
    ],
    example: {
      command: "compile web.yaml",
      files: {
        "web.yaml": `a: &a [x, x, x, x, x, x, x, x, x, x]
b: &b [*a, *a, *a, *a, *a, *a, *a, *a, *a, *a]
c: &c [*b, *b, *b, *b, *b, *b, *b, *b, *b, *b]
d: &d [*c, *c, *c, *c, *c, *c, *c, *c, *c, *c]
e: [*d, *d, *d, *d, *d, *d, *d, *d, *d, *d]
`,
      },
    },
    remedy: ["Write the repeated parts out, or make the document with a program that prints plain YAML."],
  },
  LF5007: {
    means: ["--kube-proxy names a version whose rules landfall does not know."],
    matters: [
      "The rules differ from version to version, in order, in names and in what they do, so the nearest one would be a guess.",
    ],
    example: { command: "compile web.yaml --kube-proxy 1.99", files: { "web.yaml": WEB } },
    remedy: [
      "Name one of the versions that are listed. `landfall versions` tells what changed with which, to see whether the difference matters.",
      "Which version runs: `kubectl -n kube-system get daemonset kube-proxy -o wide` shows its image.",
    ],
  },
  LF5008: {
    means: ["No Kubernetes object is among the inputs, and the command makes rules of objects."],
    matters: [
      "Rules cannot be turned back into the Services they came from; a dump is read by `landfall trace` and `landfall fmt`.",
    ],
    example: { command: "compile node.save --quiet", files: { "node.save": "*nat\n:WEB - [0:0]\nCOMMIT\n" } },
    remedy: [
      "Give `kubectl get svc,endpointslices,nodes -A -o json`.",
      "To see what kube-proxy would change on a node with a dump, name the dump with --onto.",
    ],
  },
  LF5009: {
    means: [
      "Two objects, or two parts of one, want the same thing: one name, or one address, port and protocol.",
    ],
    matters: [
      "A packet can meet one of them only. kube-proxy writes rules for both, and the first that matches wins, in an order that may change with each sync.",
      "Of two objects of one name, the later counts, as with `kubectl apply`.",
    ],
    example: {
      command: "compile web.yaml shop.yaml --quiet",
      files: { "web.yaml": WEB, "shop.yaml": WEB.replace("name: web", "name: shop") },
    },
    remedy: [
      "Give one of them another address or port. In a cluster, look who wrote the second: `kubectl get svc -A -o wide`.",
    ],
  },
  LF5010: {
    means: [
      "On the node that --onto describes, iptables-restore would refuse what kube-proxy writes, or ipset a set that it needs.",
    ],
    matters: [
      "A table is loaded all or nothing: nat stays as it was, though filter, which is written first, may be new. kube-proxy tries again for ever.",
      "Services look right in kubectl while the node still sends packets to old endpoints. kube-proxy's log says `Failed to execute iptables-restore`.",
    ],
    example: {
      command: "compile web.yaml --onto node.save --quiet",
      files: {
        "web.yaml": WEB,
        "node.save": `*nat
:KUBE-SVC-AAAAAAAAAAAAAAAA - [0:0]
-A PREROUTING -j KUBE-SVC-AAAAAAAAAAAAAAAA
COMMIT
`,
      },
    },
    remedy: [
      "Take out the rule that is in the way: one that somebody else wrote, into or out of a chain of kube-proxy's.",
      "Chains whose names begin with KUBE- are kube-proxy's own; rules of one's own belong into chains of one's own.",
    ],
  },
  LF5011: {
    means: ["The configuration names a mode whose rules landfall does not write: nftables."],
    matters: [
      "In mode nftables, kube-proxy writes no iptables rules for Services at all, so that those of another mode would say nothing of the node.",
    ],
    example: {
      command: "compile web.yaml --mode nftables --quiet",
      files: { "web.yaml": WEB },
    },
    remedy: [
      "--mode iptables or --mode ipvs shows what kube-proxy would program in that mode, with the same configuration otherwise.",
      "Which mode runs: `curl -s localhost:10249/proxyMode` on the node.",
    ],
  },
} satisfies Partial<Record<Code, Explanation>>;

/** LF2xxx: what was assumed, taken by default, or is not modelled. */
import type { Code } from "../../problems/codes.js";
import type { Explanation } from "./explanation.js";

const WEB = `apiVersion: v1
kind: Service
metadata: {name: web}
spec: {clusterIP: 10.96.0.9, selector: {app: web}, ports: [{port: 80}]}
`;

export const ASSUMPTIONS = {
  LF2001: {
    means: [
      "The answer supposes something of the node that the inputs contradict or leave open.",
      "Most often the KubeProxyConfiguration names another mode than the one whose rules are written.",
    ],
    matters: [
      "In mode nftables, kube-proxy writes no iptables rules for Services at all; in mode ipvs it keeps them in IPVS and sets, which landfall knows.",
      "What landfall writes is then what the node would have had in mode iptables, not what it has.",
    ],
    example: {
      command: "trace web.yaml proxy.yaml 10.1.2.3:4567 to 10.96.0.9:80/tcp --quiet",
      files: {
        "web.yaml": WEB,
        "proxy.yaml":
          "apiVersion: kubeproxy.config.k8s.io/v1alpha1\nkind: KubeProxyConfiguration\nmode: nftables\n",
      },
    },
    remedy: [
      "To see the node as it is, give its own dump to `landfall trace`.",
      "Which mode runs: `curl -s localhost:10249/proxyMode` on the node.",
    ],
  },
  LF2003: {
    means: [
      "A rule asks or does something whose outcome landfall does not compute: a match on the packet's payload, say.",
      "The rule is read and printed back word for word all the same.",
    ],
    matters: [
      "The kernel knows the answer when the packet comes, and landfall does not: it has only the rules.",
      "So both answers are kept. `landfall trace` gives one case for each, says under each what it assumes, and exits with 4 under --strict.",
      "No line with this code is printed now: the cases themselves say it.",
    ],
    example: { prints: "warning[LF2003]: match bpf is not modelled; both outcomes are kept\n" },
    remedy: [
      "Look whether both cases land alike: then the rule does not matter for your packet.",
      "Otherwise read the rule, decide which case is yours, and take that answer.",
    ],
  },
  LF2010: {
    means: [
      "Something was not given, and a default was taken in its place, or was made from other inputs. The message names it.",
    ],
    matters: [
      "The default is what kube-proxy or its controllers would take. The cluster may have been told otherwise.",
      "A masquerade bit, a cluster CIDR or a node's addresses that differ make other rules.",
    ],
    example: { command: "compile web.yaml", files: { "web.yaml": WEB } },
    remedy: [
      "Add what is missing. The configuration: `kubectl -n kube-system get configmap kube-proxy -o yaml`.",
      "Objects: `kubectl get svc,endpointslices,nodes -A -o json`. With --quiet these notes are left out.",
    ],
  },
} satisfies Partial<Record<Code, Explanation>>;

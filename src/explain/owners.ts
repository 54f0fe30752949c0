/** Whose rules they are: programs of Kubernetes nodes by the chains that they make. */

interface Program {
  readonly name: string;
  readonly chains: RegExp;
}

/** The first that fits counts; each from the program's own source or documentation. */
const PROGRAMS: readonly Program[] = [
  { name: "kubelet", chains: /^KUBE-(?:KUBELET-CANARY|IPTABLES-HINT|MARK-DROP|FIREWALL)$/ },
  {
    name: "kube-proxy (IPVS)",
    chains: /^KUBE-(?:LOAD-BALANCER|NODE-PORT|SOURCE-RANGES-FIREWALL|IPVS-FILTER|IPVS-OUT-FILTER)$/,
  },
  { name: "kube-router", chains: /^KUBE-(?:ROUTER|POD-FW|NWPLCY)-/ },
  { name: "kube-proxy", chains: /^KUBE-/ },
  { name: "kind", chains: /^(?:KIND-MASQ-AGENT|DOCKER_OUTPUT|DOCKER_POSTROUTING)$/ },
  { name: "Docker", chains: /^DOCKER/ },
  { name: "CNI plugin portmap (hostPort)", chains: /^CNI-(?:HOSTPORT-|DN-|SN-)/ },
  { name: "CNI plugin bridge or firewall", chains: /^CNI-/ },
  { name: "flannel", chains: /^FLANNEL(?:-|$)/ },
  { name: "Calico", chains: /^cali-/ },
  { name: "Calico (Felix of old)", chains: /^felix-/ },
  { name: "Weave Net", chains: /^WEAVE/ },
  { name: "Cilium", chains: /^(?:OLD_)?CILIUM_/ },
  { name: "Antrea", chains: /^ANTREA-/ },
  { name: "Istio", chains: /^ISTIO_/ },
  { name: "Linkerd", chains: /^PROXY_INIT_/ },
  { name: "ip-masq-agent", chains: /^IP-MASQ/ },
  { name: "Azure NPM", chains: /^AZURE-NPM/ },
  { name: "Amazon VPC CNI", chains: /^AWS-/ },
  { name: "OpenShift SDN", chains: /^OPENSHIFT-/ },
  { name: "OVN-Kubernetes", chains: /^OVN-KUBE-/ },
  { name: "Tailscale", chains: /^ts-/ },
  { name: "libvirt", chains: /^LIBVIRT_/ },
  { name: "ufw", chains: /^ufw6?-/ },
  { name: "fail2ban", chains: /^(?:f2b|fail2ban)-/ },
  { name: "OpenStack Neutron", chains: /^neutron-/ },
  { name: "firewalld", chains: /^(?:FWDI|FWDO|IN|PRE|POST)_|_direct$|_ZONES(?:_SOURCE)?$/ },
];

/** The program that makes a chain of this name; undefined: none that is known. */
export function ownerOf(chain: string): string | undefined {
  return PROGRAMS.find(({ chains }) => chains.test(chain))?.name;
}

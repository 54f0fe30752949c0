/** LF3xxx: faults and traps in what a node does with packets. */
import type { Code } from "../../problems/codes.js";
import type { Explanation } from "./explanation.js";
import { linted, SEP, SEP2, SVC, tableOf } from "./lint-examples.js";

const WEB = `-m comment --comment "default/web:http"`;
const TO_WEB = `-A KUBE-SERVICES -d 10.96.0.9/32 -p tcp -m comment --comment "default/web:http cluster IP" -m tcp --dport 80`;
const DNAT = `-A ${SEP} -p tcp ${WEB} -m tcp -j DNAT --to-destination 10.244.1.14:8080`;
const MARK = "-A KUBE-MARK-MASQ -j MARK --set-xmark 0x4000/0x4000";
const DNS = "KUBE-SVC-TCOU7JCQXEZGVUNU";
const FLOW = "src=10.244.1.9 dst=10.96.0.10 sport=40000 dport=53";

export const LINT_BEHAVIOUR = {
  LF3001: {
    means: [
      "kube-proxy knows no ready endpoint of the Service, and refuses connections to it.",
      "The client gets an ICMP error at once, which programs report as `Connection refused`.",
    ],
    matters: [
      "The rule holds for every client on this node. A node port is refused at all addresses of the node, so that a process which listens there is cut off, too.",
    ],
    example: linted(
      "LF3001",
      `-A KUBE-SERVICES -d 10.96.0.9/32 -p tcp -m comment --comment "default/web:http has no endpoints" -m tcp --dport 80 -j REJECT\n`,
    ),
    remedy: [
      "Compare the Service's selector with the pods' labels, and look whether the pods are ready: `kubectl get endpointslices -l kubernetes.io/service-name=NAME`.",
      "Where other nodes have endpoints for it, this kube-proxy is behind: look at its log.",
    ],
  },
  LF3002: {
    means: [
      "The Service has a traffic policy of Local, and none of its endpoints is on this node: packets from outside are dropped here.",
    ],
    matters: [
      "This is by design: no node sends such traffic on. A load balancer leaves the node out by its health check; a client that uses the node port directly waits in vain.",
      "While pods are replaced, clients are lost until the next health check. From 1.26 on, kube-proxy sends them to endpoints that are terminating and still serve.",
    ],
    example: linted(
      "LF3002",
      `-A KUBE-EXTERNAL-SERVICES -p tcp -m comment --comment "default/web:http has no local endpoints" -m addrtype --dst-type LOCAL -m tcp --dport 30080 -j DROP\n`,
    ),
    remedy: [
      "Send clients to nodes that have a pod, or set the policy to Cluster.",
      "If a pod does run here, kube-proxy goes by another node name than kubelet: compare --hostname-override with `kubectl get nodes`. With `ip addr` and `ip route` among the inputs, landfall looks for such pods.",
    ],
  },
  LF3003: {
    means: [
      "What no rule of FORWARD accepts is dropped, and no rule accepts a new connection to a pod of this node.",
      "kube-proxy accepts only packets that it has marked, and answers.",
    ],
    matters: [
      "A node port then works only on the node that runs the pod, and pods of other nodes do not get through. Docker sets this policy when it starts.",
    ],
    example: linted(
      "LF3003",
      `${tableOf("nat", [DNAT], [SEP])}*filter\n:FORWARD DROP [0:0]\n-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT\nCOMMIT\n`,
    ),
    remedy: [
      "Let the network plugin add its rules for the pods' network, or add them: `iptables -A FORWARD -s CIDR -j ACCEPT` and the same with -d.",
    ],
  },
  LF3004: {
    means: [
      "What POSTROUTING asks before KUBE-POSTROUTING ends the way of packets that kube-proxy has marked, or may do so: they then keep their source.",
    ],
    matters: [
      "ACCEPT ends the whole table, and RETURN in a built-in chain does the same. A pod that reaches itself by its Service then gets an answer from an address it never wrote to, and answers to outside clients go past this node.",
    ],
    example: linted(
      "LF3004",
      `-A POSTROUTING -s 10.244.0.0/16 -d 10.244.0.0/16 -j ACCEPT\n-A POSTROUTING -j KUBE-POSTROUTING\n${MARK}\n-A KUBE-POSTROUTING -m mark ! --mark 0x4000/0x4000 -j RETURN\n-A KUBE-POSTROUTING -j MASQUERADE\n${DNAT}\n`,
    ),
    remedy: [
      "Where a chain before it is not in the text, give all of nat: `iptables-save -t nat | landfall lint`.",
      "Put the jump to KUBE-POSTROUTING first, or let the earlier rule pass marked packets (`-m mark ! --mark 0x4000/0x4000`). Newer releases of flannel and ip-masq-agent do so.",
    ],
  },
  LF3005: {
    means: [
      "An endpoint's chain lacks the rule that marks the endpoint's own packets for masquerading, or KUBE-MARK-MASQ itself is lacking.",
    ],
    matters: [
      "A pod that connects to its own Service and is chosen gets packets from its own address; the answer never leaves it, and the connection hangs.",
    ],
    example: linted("LF3005", tableOf("nat", [DNAT], [SEP, "KUBE-MARK-MASQ"])),
    remedy: [
      "Restart kube-proxy, which writes the chain anew. Rules that a script has restored may be of an old save.",
    ],
  },
  LF3006: {
    means: [
      "Packets are marked with one bit, and another bit is asked where they should be masqueraded or accepted.",
    ],
    matters: [
      "What should be masqueraded keeps its source, and answers go astray. It happens when --iptables-masquerade-bit changes, or two programs write the same chains.",
    ],
    example: linted("LF3006", `${MARK}\n-A KUBE-POSTROUTING -m mark --mark 0x8000/0x8000 -j MASQUERADE\n`),
    remedy: ["Use one masquerade bit for kubelet and kube-proxy, and restart both."],
  },
  LF3008: {
    means: ["Two entries of CNI-HOSTPORT-DNAT map the same host port to different pods. The first one wins."],
    matters: [
      "When the first pod is gone the port is dead, although the second pod is there. Whether it is gone, no dump tells.",
      "The entries are those of the CNI plugin portmap, and not of kube-proxy. portmap removes an entry only when its pod's network is taken down properly: upgrades and crashes leave entries of dead pods in front of the new ones.",
    ],
    example: linted(
      "LF3008",
      "-A CNI-HOSTPORT-DNAT -p tcp -m multiport --dports 80,443 -j CNI-DN-old\n-A CNI-HOSTPORT-DNAT -p tcp -m multiport --dports 80,443 -j CNI-DN-new\n",
    ),
    remedy: [
      "Look whether the first pod is there: `crictl pods --id SANDBOX` with the id of the entry's comment, or `kubectl get pods -A -o wide` with the address that its CNI-DN chain translates to. If it is gone, delete its entry: `iptables -t nat -D CNI-HOSTPORT-DNAT NUMBER`.",
    ],
  },
  LF3010: {
    means: [
      "Rules jump to a chain that is not in the text: its lines were left out, or the text goes onto rules that a node has already.",
    ],
    matters: ["What becomes of packets from there on is not known."],
    example: linted("LF3010", `${TO_WEB} -j ${SVC}\n`),
    remedy: ["Give the whole of iptables-save: grep for a name drops the rules that have no comment."],
  },
  LF3011: {
    means: [
      "kube-proxy's chains of mode iptables lead to Services or refuse them, and its sets or virtual servers of mode ipvs are there as well.",
      "kube-proxy does not remove the rules of another mode: those of mode iptables are left over.",
    ],
    matters: [
      "The rules come before IPVS, and nobody brings them up to date: traffic goes to pods of the past or is refused, and source ranges of IPVS do not hold.",
    ],
    example: linted("LF3011", {
      "node.save": `${TO_WEB} -j ${SVC}\n`,
      servers: "-A -t 10.96.0.9:80 -s rr\n-a -t 10.96.0.9:80 -r 10.244.1.14:8080 -m -w 1\n",
    }),
    remedy: ["Run `kube-proxy --cleanup` on the node and start kube-proxy again, or reboot the node."],
  },
  LF3012: {
    means: ["Both back ends of iptables hold rules on this node. The kernel asks both, one after the other."],
    matters: [
      "Of two nat tables, the one that was hooked last translates first, and the other does not see the packet any more. In the other tables a packet must get through both.",
      "No dump tells the order: legacy hooks a table when it is first used, nft each chain when it is made, and again when `iptables-nft-restore` loads the table. `landfall trace` gives both answers where it matters, and `nft list hooks` on the node shows the order of all but nat.",
    ],
    example: linted(
      "LF3012",
      "# Generated by iptables-nft-save v1.8.9 (nf_tables)\n*nat\n-A PREROUTING -p tcp -m tcp --dport 80 -j DNAT --to-destination 10.244.1.14\nCOMMIT\n# Generated by iptables-save v1.8.9\n*nat\n-A PREROUTING -p tcp -m tcp --dport 80 -j DNAT --to-destination 10.244.2.7\nCOMMIT\n",
    ),
    remedy: [
      "Find out which program writes to which (`iptables-legacy-save`, `iptables-nft-save`), let all use one, and empty the other.",
    ],
  },
  LF3013: {
    means: [
      "The probabilities of a Service's chain are not 1/n, 1/(n-1) … 1, so that its endpoints get unequal shares.",
      "A row such as 0.2, 0.25, 0.333, 0.5 is even: each rule draws among what is left.",
    ],
    matters: [
      "kube-proxy writes even shares alone. Somebody else has written or changed these rules, or rules were lost.",
    ],
    example: linted(
      "LF3013",
      tableOf(
        "nat",
        [
          `-A ${SVC} ${WEB} -m statistic --mode random --probability 0.9 -j ${SEP}`,
          `-A ${SVC} ${WEB} -j ${SEP2}`,
        ],
        [SVC, SEP, SEP2],
      ),
    ),
    remedy: ["Look who changed them; a restart of kube-proxy writes them anew."],
  },
  LF3015: {
    means: [
      "The last rule of a Service's chain has a probability, too: some connections match no rule of the chain.",
    ],
    matters: ["They are not translated, go on to the Service's address, and are lost."],
    example: linted(
      "LF3015",
      tableOf("nat", [`-A ${SVC} ${WEB} -m statistic --mode random --probability 0.5 -j ${SEP}`], [SVC, SEP]),
    ),
    remedy: ["Restart kube-proxy, which writes the chain anew, and look who deleted its last rule."],
  },
  LF3016: {
    means: ["An earlier rule of the chain takes every packet that this one asks for, and lets none go on."],
    matters: ["The rule has no effect at all. Somebody who has added it with -A may believe that it has."],
    example: linted("LF3016", "-A INPUT -p tcp -j DROP\n-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT\n"),
    remedy: ["Put it before the other one (`iptables -I`), or delete it."],
  },
  LF3017: {
    means: [
      "ClientIP affinity ends soon after a client's last new connection, or a Service keeps a list for each of its ports.",
      "The lists are those of xt_recent, one for each endpoint of a port.",
    ],
    matters: [
      "A client that comes back later is given any endpoint. Two ports of one Service know nothing of each other: a client may get two pods.",
      "kube-proxy 1.4 took the minutes of the default, 180, for seconds.",
    ],
    example: linted(
      "LF3017",
      `-A ${SVC} ${WEB} -m recent --rcheck --seconds 180 --reap --name ${SEP} --mask 255.255.255.255 --rsource -j ${SEP}\n`,
    ),
    remedy: [
      "Set `sessionAffinityConfig.clientIP.timeoutSeconds` of the Service; for one pod on two ports, keep state elsewhere.",
    ],
  },
  LF3018: {
    means: [
      "A Service's chain looks for clients in lists that its endpoints' chains do not write, or the other way round.",
    ],
    matters: ["The rules look like affinity, and each connection is given any endpoint all the same."],
    example: linted(
      "LF3018",
      tableOf(
        "nat",
        [
          `-A ${SVC} ${WEB} -m recent --rcheck --seconds 10800 --reap --name ${SEP} --mask 255.255.255.255 --rsource -j ${SEP}`,
          DNAT,
        ],
        [SVC, SEP],
      ),
    ),
    remedy: ["Restart kube-proxy, which writes both chains anew."],
  },
  LF3020: {
    means: ["KUBE-FIREWALL has a rule that drops without asking for the mark."],
    matters: [
      "Every packet of the node is dropped. iptables-nft before 1.8.8 does not know the form in which 1.8.8 writes the mark: it saves the rule without it, and kube-proxy or kubelet restores that.",
    ],
    example: linted("LF3020", "-A KUBE-FIREWALL -j DROP\n"),
    remedy: [
      "Delete the rule (`iptables -D KUBE-FIREWALL -j DROP`), and use one version of iptables on the node and in images.",
    ],
  },
  LF3022: {
    means: [
      "Rules of KUBE-SERVICES stand behind the one that sends packets for this node to KUBE-NODEPORTS.",
    ],
    matters: ["A node port is matched before them, where kube-proxy means it to come last."],
    example: linted(
      "LF3022",
      `-A KUBE-SERVICES -m addrtype --dst-type LOCAL -j KUBE-NODEPORTS\n${TO_WEB} -j ${SVC}\n`,
    ),
    remedy: ["Look which program appends to KUBE-SERVICES; a restart of kube-proxy writes the chain anew."],
  },
  LF3023: {
    means: [
      "A host port or a port of Docker has the number of a node port, and its rule is asked before KUBE-SERVICES.",
    ],
    matters: ["Clients of the node port get the other program's pod or container."],
    example: linted(
      "LF3023",
      `-A PREROUTING -j DOCKER\n-A PREROUTING -j KUBE-SERVICES\n-A DOCKER -p tcp -m tcp --dport 30080 -j DNAT --to-destination 172.17.0.2:80\n-A KUBE-NODEPORTS -p tcp -m tcp --dport 30080 -j ${SVC}\n`,
    ),
    remedy: ["Give one of them another port; host ports best lie outside of 30000 to 32767."],
  },
  LF3024: {
    means: ["INPUT refuses a port that Docker has published."],
    matters: [
      "Docker translates such packets in PREROUTING, so that they go through FORWARD. INPUT never sees them, and the port is open.",
    ],
    example: linted(
      "LF3024",
      "-A DOCKER -p tcp -m tcp --dport 8080 -j DNAT --to-destination 172.17.0.2:80\n-A INPUT -p tcp -m tcp --dport 8080 -j DROP\n",
    ),
    remedy: [
      "Put the rule into DOCKER-USER, with the container's port or `-m conntrack --ctorigdstport`; or publish on 127.0.0.1 alone.",
    ],
  },
  LF3025: {
    means: ["KUBE-ROUTER-INPUT allows packets by RETURN, and the policy of INPUT is DROP."],
    matters: [
      "RETURN only leaves the chain: the packet goes on in INPUT behind the jump, and what no rule accepts there is dropped by the policy.",
    ],
    example: linted(
      "LF3025",
      "*filter\n:INPUT DROP [0:0]\n:KUBE-ROUTER-INPUT - [0:0]\n-A INPUT -j KUBE-ROUTER-INPUT\n-A KUBE-ROUTER-INPUT -d 10.96.0.0/12 -j RETURN\nCOMMIT\n",
    ),
    remedy: ["Accept these packets behind the jump, or set the policy to ACCEPT and refuse by rules."],
  },
  LF3026: {
    means: [
      "The network that kube-proxy takes for the pods' (its cluster CIDR) holds none of the endpoints.",
    ],
    matters: [
      "Connections of pods to cluster IPs are masqueraded as if they came from outside: pods see the node's address, and network policies go by the wrong source.",
    ],
    example: linted(
      "LF3026",
      tableOf(
        "nat",
        [
          "-A KUBE-SERVICES ! -s 10.9.0.0/16 -d 10.96.0.9/32 -j KUBE-MARK-MASQ",
          DNAT,
          `-A ${SEP2} -p tcp ${WEB} -j DNAT --to-destination 10.244.2.21:8080`,
        ],
        ["KUBE-SERVICES", "KUBE-MARK-MASQ", SEP, SEP2],
      ),
    ),
    remedy: ["Compare `clusterCIDR` of kube-proxy's configuration with `kubectl get pods -A -o wide`."],
  },
  LF3027: {
    means: ["Packets get the node's address as their source although the way back would not need it."],
    matters: [
      "Pods see the node in place of the client: logs, rate limits and network policies by address do not work. Flannel's rule does so for all that comes from outside, kube-proxy's masqueradeAll for cluster IPs.",
    ],
    example: linted("LF3027", "-A POSTROUTING ! -s 10.244.0.0/16 -d 10.244.0.0/16 -j MASQUERADE\n"),
    remedy: [
      "Where other nodes have routes to the pods, the rule may go. For Services, externalTrafficPolicy Local keeps the source.",
    ],
  },
  LF3028: {
    means: [
      "The Service has loadBalancerSourceRanges: its load balancer IP takes clients of these networks alone.",
    ],
    matters: [
      "Others get no answer. Since kube-proxy 1.25, KUBE-PROXY-FIREWALL of filter drops them, before that KUBE-MARK-DROP.",
    ],
    example: linted(
      "LF3028",
      `-A KUBE-FW-CDGGSHYLG3RE2FKL -s 198.51.100.0/24 -m comment --comment "default/web:http loadbalancer IP" -j ${SVC}\n`,
    ),
    remedy: [
      "If a client is missing, add its network to `spec.loadBalancerSourceRanges`; behind a proxy that is the proxy's address.",
    ],
  },
  LF3029: {
    means: ["Real servers of weight 0 get no new connections; those that they have go on."],
    matters: [
      "kube-proxy sets a weight of 0 while connections end, and takes the server away later. Old versions of kube-proxy left it so after a restart, although the endpoint was ready again.",
      "With all real servers at 0 connections are refused, and the kernel logs `no destination available`.",
    ],
    example: linted("LF3029", {
      servers: "-A -t 10.96.0.9:80 -s rr\n-a -t 10.96.0.9:80 -r 10.244.1.14:8080 -m -w 0\n",
    }),
    remedy: [
      "Look whether the endpoint is ready. If it is, restart kube-proxy, or set it: `ipvsadm -e -t SERVICE -r SERVER -m -w 1`.",
    ],
  },
  LF3030: {
    means: ["A virtual server has no real server."],
    matters: [
      "IPVS refuses connections to it with port unreachable, unless sysctls or the scheduler let them wait. It is a Service without endpoints, or a sync that stopped halfway.",
    ],
    example: linted("LF3030", { servers: "-A -t 10.96.0.9:80 -s rr\n" }),
    remedy: [
      "Look at the Service's endpoints: `kubectl get endpointslices -l kubernetes.io/service-name=NAME`.",
    ],
  },
  LF3031: {
    means: [
      "A virtual server is in none of the sets that kube-proxy's rules ask, or a set names a Service that IPVS does not have.",
    ],
    matters: [
      "What is in no set is not marked for masquerading and may meet a firewall rule; what is in a set alone is accepted and lost. A sync has stopped halfway, or another program made the virtual server (`excludeCIDRs` of kube-proxy spares such).",
    ],
    example: linted("LF3031", {
      servers: "-A -t 10.96.0.9:80 -s rr\n",
      sets: "create KUBE-CLUSTER-IP hash:ip,port family inet\nadd KUBE-CLUSTER-IP 10.96.0.10,udp:53\n",
    }),
    remedy: [
      "Take all dumps at one moment. If they still differ, look at kube-proxy's log for the error of its last sync.",
    ],
  },
  LF3032: {
    means: [
      "An endpoint on this node cannot be reached by the Service from itself, or from its neighbours: their packets keep their source, and the answer does not pass IPVS.",
      "KUBE-LOOP-BACK, by which kube-proxy masquerades, holds endpoints as clients of themselves alone.",
    ],
    matters: [
      "The client gets an answer from an address that it has not asked, and the connection hangs or is reset. Clients on other nodes notice nothing.",
    ],
    example: linted("LF3032", {
      servers: "-A -t 10.96.0.9:80 -s rr\n-a -t 10.96.0.9:80 -r 10.244.1.14:8080 -m -w 1\n",
      sets: "create KUBE-LOOP-BACK hash:ip,port,ip family inet\n",
      ip: "4: cni0: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1450 qdisc noqueue state UP\n    link/ether 02:42:ac:11:00:01 brd ff:ff:ff:ff:ff:ff promiscuity 0\n    bridge forward_delay 1500\n    inet 10.244.1.1/24 scope global cni0\n",
    }),
    remedy: [
      "If an endpoint is lacking, compare --hostname-override of kube-proxy with the node's name: entries are made for local endpoints alone.",
      "If answers stay on a bridge, `modprobe br_netfilter` and `sysctl net.bridge.bridge-nf-call-iptables=1`.",
      "If no rule masquerades, add one: `iptables -t nat -A POSTROUTING -s POD -d POD -m ipvs --vaddr ADDRESS -j MASQUERADE`; kube-router's option is --hairpin-mode.",
    ],
  },
  LF3033: {
    means: ["The set holds elements of several parts, and the rule names a direction for fewer of them."],
    matters: ["The kernel then finds nothing in the set: the rule never matches, or with `!` always."],
    example: linted("LF3033", {
      "node.save": "-A INPUT -m set --match-set web dst -j ACCEPT\n",
      sets: "create web hash:ip,port family inet\nadd web 10.0.0.9,tcp:80\n",
    }),
    remedy: ["Name one direction for each part: `--match-set web dst,dst` for hash:ip,port."],
  },
  LF3034: {
    means: [
      "Rules ask whether a packet is in a set, and the inputs do not hold the set's members, or not all that its listing counts.",
    ],
    matters: ["Both answers are kept: `landfall trace` gives a case for each."],
    example: linted("LF3034", "-A INPUT -m set --match-set web dst,dst -j ACCEPT\n"),
    remedy: ["Add `ipset save` of the same moment: `(iptables-save; ipset save) | landfall lint`."],
  },
  LF3035: {
    means: ["A connection to a Service goes to an address that none of the rules translates to any more."],
    matters: [
      "Rules of nat are asked for the first packet alone. The connection goes on to the old pod until its entry times out; with UDP as long as the client keeps sending from the same port.",
    ],
    example: linted("LF3035", {
      "node.save": `-A KUBE-SERVICES -d 10.96.0.10/32 -p udp -m comment --comment "kube-system/kube-dns:dns cluster IP" -m udp --dport 53 -j ${DNS}\n-A ${DNS} -j ${SEP}\n-A ${SEP} -p udp -m udp -j DNAT --to-destination 10.244.1.14:53\n`,
      flows: `udp      17 29 ${FLOW} src=10.244.1.77 dst=10.244.1.9 sport=53 dport=40000 use=1\n`,
    }),
    remedy: [
      "Take rules and connections at one moment. Then delete the entries: `conntrack -D -p udp --dst-nat ADDRESS`.",
      "kube-proxy deletes those of UDP itself: up to 1.31 when an endpoint goes, and what it misses stays; from 1.32 on at each sync, which before the middle of 2026 passed over Services that have no endpoint left.",
      "Those of TCP it leaves alone: they end with the connection, which goes on as long as the pod does.",
    ],
  },
  LF3036: {
    means: [
      "A UDP connection to a Service's address has no translation: it began while the Service had no endpoint.",
    ],
    matters: [
      "The entry says that packets stay as they are, and each packet of the client keeps it alive: they go to the Service's address, where nobody is, although there are endpoints again.",
    ],
    example: linted("LF3036", {
      flows: `udp      17 29 ${FLOW} src=10.244.1.14 dst=10.244.1.9 sport=53 dport=40000 use=1\nudp      17 29 src=10.244.1.8 dst=10.96.0.10 sport=40000 dport=53 [UNREPLIED] src=10.96.0.10 dst=10.244.1.8 sport=53 dport=40000 use=1\n`,
    }),
    remedy: [
      "Delete the entry: `conntrack -D -p udp --orig-dst ADDRESS`. kube-proxy from 1.32 on does so itself.",
    ],
  },
  LF3037: {
    means: ["Several connections were sent to one backend, and no answer to any of them was seen."],
    matters: [
      "The backend is a pod that is gone, does not listen, or answers by a way past this node. Protocols that send without expecting an answer, such as statsd or syslog, look the same while all is well.",
      "While a client of UDP keeps sending from one port, its entry stays, also when the pod is gone and there are others.",
    ],
    example: linted("LF3037", {
      flows: [40000, 40001, 40002]
        .map(
          (port) =>
            `udp      17 29 src=10.244.1.9 dst=10.96.0.10 sport=${port} dport=53 [UNREPLIED] src=10.244.1.14 dst=10.244.1.9 sport=53 dport=${port} use=1\n`,
        )
        .join(""),
    }),
    remedy: [
      "Look whether a pod has the address: `kubectl get pods -A -o wide`. If none has, delete the entries: `conntrack -D -p udp --dst-nat ADDRESS`. kube-proxy up to 1.31 deletes them only at the moment when the endpoint goes, and leaves what it misses.",
      "If one has, ask it directly, without the Service; if it answers, follow the answer's way back: `landfall trace … --reply`. With iptables-save among the inputs, landfall tells which connections go to none of today's endpoints.",
    ],
  },
  LF3038: {
    means: [
      "Rules or virtual servers lead packets to an address of 127.0.0.0/8, or from there to a pod: node ports asked at 127.0.0.1 do.",
    ],
    matters: [
      "The kernel drops such packets as martians, unless route_localnet is set for the interface that they come or go by. kube-proxy sets it for node ports in mode iptables (--iptables-localhost-nodeports), and only for IPv4: at [::1] no node port works.",
      "Mode ipvs never serves node ports at 127.0.0.1 or [::1], whatever the setting.",
    ],
    example: linted(
      "LF3038",
      "-A PREROUTING -p tcp -m tcp --dport 80 -j DNAT --to-destination 127.0.0.1:8080\n",
    ),
    remedy: [
      "Look: `sysctl -a | grep route_localnet`. With it on, other rules should keep strangers from 127.0.0.0/8, as the one of KUBE-FIREWALL does; better is to ask at an address of the node.",
    ],
  },
  LF3041: {
    means: [
      "KUBE-FORWARD accepts packets that are marked for masquerading, and stands before the chain of network policies.",
    ],
    matters: [
      "Traffic by node ports and load balancers is marked, and reaches pods whatever their policies say.",
    ],
    example: linted(
      "LF3041",
      "-A FORWARD -j KUBE-FORWARD\n-A FORWARD -j AZURE-NPM\n-A KUBE-FORWARD -m mark --mark 0x4000/0x4000 -j ACCEPT\n",
    ),
    remedy: ["Put the policies' chain first, as newer releases of the plugins do."],
  },
  LF3042: {
    means: ["Rules ask for a bridge's port, or for something that landfall has no model of."],
    matters: [
      "What becomes of packets hangs on it. `landfall trace` keeps both answers and says what each assumes.",
    ],
    example: linted("LF3042", "-A FORWARD -m physdev --physdev-is-bridged -j ACCEPT\n"),
    remedy: [
      "Ask with `landfall trace`, and take the case that is yours; a network document tells the ports of bridges.",
    ],
  },
  LF3043: {
    means: ["Rules or policies that drop or reject have counted packets since the counters began."],
    matters: [
      "Something was refused. Scans from outside do this all the time: what matters is whether the count grows while a client fails.",
    ],
    example: linted("LF3043", "[12:720] -A INPUT -p tcp -m tcp --dport 23 -j DROP\n"),
    remedy: [
      "Take two dumps with `iptables-save -c`, a failing request between them, and compare the counters.",
    ],
  },
  LF3045: {
    means: [
      "The rules are Cilium's, and there are none of kube-proxy: Cilium translates Services in BPF programs.",
    ],
    matters: [
      "What these rules say of a Service's address is not the whole answer: a packet is mostly translated before they are asked.",
    ],
    example: linted("LF3045", tableOf("nat", ["-A CILIUM_PRE_nat -j ACCEPT"], ["CILIUM_PRE_nat"])),
    remedy: ["Ask Cilium: `cilium-dbg service list` in its pod on the node."],
  },
  LF3047: {
    means: [
      "On this node firewalld writes to nat beside kube-proxy, and the entry to CNI-HOSTPORT-DNAT, by which pods get their host ports, is not there.",
      "Whether a pod of this node has a host port, rules do not tell: `kubectl get pods -A -o jsonpath='{..hostPort}'` does.",
    ],
    matters: [
      "A start or reload of firewalld deletes all rules, those of others too (FlushAllOnReload). kube-proxy writes its own again within half a minute; the CNI plugin portmap writes host ports only when a pod starts, so that they stay dead.",
    ],
    example: linted(
      "LF3047",
      "-A PREROUTING -j KUBE-SERVICES\n-A PREROUTING -j PREROUTING_direct\n-A PREROUTING -j PREROUTING_ZONES\n",
    ),
    remedy: [
      "Start the pods with host ports anew (`kubectl rollout restart`). Then turn firewalld off on nodes, or set `FlushAllOnReload=no`.",
    ],
  },
} satisfies Partial<Record<Code, Explanation>>;

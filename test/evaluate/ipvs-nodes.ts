/** Nodes as the real kube-proxy left them in mode ipvs, by their own texts. */
import { readNetworkDocument } from "../../src/cluster/network.js";
import { chooseNode } from "../../src/cluster/node.js";
import { readCluster } from "../../src/cluster/read.js";
import { compileIpvs } from "../../src/compile/ipvs/compile.js";
import { readDocuments } from "../../src/documents/read.js";
import type { Network } from "../../src/state/network.js";
import type { NodeState } from "../../src/state/nodestate.js";
import { readSets } from "../../src/text/ipset.js";
import { readVirtualServers } from "../../src/text/ipvsadm.js";
import { readRules } from "../../src/text/rules.js";
import { goldens, ipvsFiles, networkDocument } from "../compile/goldens.js";

const GOLDENS = goldens("ipvs-1.30");

/** The node as it was after kube-proxy's sync, by its own texts. */
export function kubeProxyNode(scenario: string): NodeState {
  const text = (file: string) => ({ name: file, text: GOLDENS.get(`${scenario} ${file}`) ?? "" });
  const { "interfaces.txt": interfaces, ...files } = ipvsFiles(scenario);
  const documents = ["objects.yaml", "kube-proxy.yaml"].flatMap(
    (name) => readDocuments({ name, text: files[name] ?? "" }).documents,
  );
  const model = readCluster(documents).model;
  const { node, name } = chooseNode(model);
  const own = interfaces === undefined ? undefined : networkOf(interfaces);
  const { state } = compileIpvs(model, {
    version: "1.30",
    node,
    nodeName: name,
    ...(own ? { network: own } : {}),
  });
  const { services } = readVirtualServers(text("ipvsadm-save.txt"));
  return {
    rulesets: {
      ipv4: readRules(text("iptables-save.ipv4.txt"), { family: "ipv4" }).ruleset,
      ipv6: readRules(text("iptables-save.ipv6.txt"), { family: "ipv6" }).ruleset,
    },
    sets: readSets(text("ipset-save.txt")).sets,
    virtualServers: { services },
    ...(state.network === undefined ? {} : { network: state.network }),
  };
}

function networkOf(interfaces: string): Network | undefined {
  const text = networkDocument(interfaces);
  const [document] = readDocuments({ name: "network.yaml", text }).documents;
  const network = document === undefined ? undefined : readNetworkDocument(document).network;
  if (network === undefined) return undefined;
  // Routes are not known here: the document means that there are no others than those to its subnets.
  const { routes: _routes, ...rest } = network;
  return rest;
}

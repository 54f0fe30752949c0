// What users asked about their rules, and what landfall says to the text that they posted: the second half.
import { describe, expect, test } from "vitest";
import { landfall } from "../cli/terminal.js";
import { answer, found, posted, shaped, written } from "./ask.js";

/** The findings of a text as `code severity sureness message`, those of some codes alone if they are named, else all but infos. */
async function findings(text: string, ...rules: readonly string[]): Promise<readonly string[]> {
  return (await found(text, ...rules))
    .filter(({ severity }) => rules.length > 0 || severity !== "info")
    .map(({ code, severity, sureness, message }) => `${code} ${severity} ${sureness} ${message}`);
}

const codesIn = async (text: string) => (await found(text)).map(({ code }) => code);

describe("mode ipvs", () => {
  test("why is there no destination available after a restart of kube-proxy?", async () => {
    const text = shaped("weights-after-restart");
    expect(await findings(text)).toEqual([
      "LF3029 error sure 10.101.20.15:8080/tcp: 1 of 1 real servers has weight 0: no new connection is taken",
      "LF3029 warning sure 10.96.0.10:53/tcp: 1 of 2 real servers has weight 0",
    ]);
    expect(await answer("lint", text)).toContain("Old versions of kube-proxy left it so after a restart");
    const told = await answer("explain", text, "10.101.20.15:8080");
    expect(told).toMatch(/^10\.101\.20\.15:8080 {2}→ {2}1 endpoint, which takes no new connections$/m);
    expect(told).toContain("refused at once (port unreachable)");
  });

  test("why do most real servers get nothing?", async () => {
    const text = posted("037");
    expect(await findings(text)).toEqual([
      "LF3029 warning sure 192.168.1.2:32502/tcp: 3 of 7 real servers have weight 0",
    ]);
    const told = await answer("explain", text);
    expect(told).toContain("3 of 7 real servers have weight 0: no new connections");
    expect(told).toMatch(/chosen by +rr +→ 11\.0\.2\.7:80 +25 %/);
  });

  test("why does --cleanup not remove all?", async () => {
    expect(await findings(shaped("ipvs-cleaned-up"))).toEqual([
      "LF4009 warning sure filter: no packet comes to 1 chain of kube-proxy (IPVS): KUBE-NODE-PORT; while it is there, ipset does not destroy KUBE-HEALTH-CHECK-NODE-PORT",
    ]);
    const [told, ...others] = await findings(posted("038"));
    expect(others).toEqual([]);
    expect(told).toMatch(/^LF4009 warning likely 4 sets of kube-proxy are left over from mode ipvs/);
    expect(told).toContain("a rule still asks KUBE-HEALTH-CHECK-NODE-PORT");
  });

  test("why are Services refused after the switch from iptables to ipvs?", async () => {
    const text = shaped("rejects-of-another-mode");
    expect(await findings(text)).toEqual([
      "LF3011 error sure rules of mode iptables refuse what IPVS has real servers for: shop/cart:http, shop/stock:http",
    ]);
    const told = await answer("lint", text);
    expect(told).toContain("kube-proxy does not remove the rules of another mode");
    expect(told).toMatch(/do +Run `kube-proxy --cleanup` .* or reboot the node\./);
  });

  test("why does the port stay open to all in spite of source ranges?", async () => {
    const text = shaped("ipvs-and-old-rules");
    const [first] = await found(text);
    expect(first).toMatchObject({
      code: "LF3011",
      severity: "error",
      message:
        "rules of mode iptables stand beside those of mode ipvs: they translate before IPVS sees the packet",
    });
    expect(first?.seen.map(({ words }) => words)).toContain(
      "nat:KUBE-SERVICES:rule:2 to 192.0.2.50, tcp, port 80 → KUBE-FW-CDGGSHYLG3RE2FKL",
    );
    expect(await answer("lint", text)).toContain("source ranges of IPVS do not hold");
    const traced = await answer("trace", text, "203.0.113.9:40000 to 192.0.2.50:80/tcp");
    expect(traced).toMatch(/100 % +10\.244\.1\.14:8080/);
  });

  test("which clients may use the load balancer's address?", async () => {
    const table = await answer("services", written("1.30", "loadbalancer-source-ranges"));
    expect(table).toContain(
      "load balancer IP: dropped without an answer if the source is not any of 198.51.100.0/24, 192.0.2.7",
    );
  });

  test("why is 127.0.0.1 refused on a node port?", async () => {
    const text = shaped("loopback-node-port-ipvs");
    const traced = await answer("trace", text, "127.0.0.1 to 127.0.0.1:30338/tcp from node");
    expect(traced).toMatch(/127\.0\.0\.1:30338 on this node/);
    expect(traced).toContain("IPVS serves port 30338 at 192.0.2.20, and never at loopback addresses");
  });

  test("and why does it hang with a virtual server for 127.0.0.1?", async () => {
    const text = shaped("loopback-virtual-server");
    expect(await findings(text)).toEqual([
      "LF3038 warning likely connections to 127.0.0.1:30338/tcp hang: IPVS sends nothing off the node that comes from loopback",
    ]);
    const traced = await answer("trace", text, "127.0.0.1 to 127.0.0.1:30338/tcp from node");
    expect(traced).toMatch(/dropped, no answer/);
  });
});

describe("two back ends", () => {
  test("why is everything dropped with iptables 1.8.8?", async () => {
    const text = posted("009");
    const [first, ...others] = await found(text);
    expect(others).toEqual([]);
    expect(first).toMatchObject({
      code: "LF3020",
      severity: "error",
      sureness: "sure",
      message: "KUBE-FIREWALL drops every packet: its rule has lost the mark",
      seen: [{ line: 2 }],
    });
    expect(await answer("lint", text)).toContain("iptables-nft before 1.8.8 does not know the form");
  });

  test("why does traffic go to dead pods after an upgrade of iptables?", async () => {
    const text = posted("085");
    const told = (await found(text)).find(({ code }) => code === "LF3012");
    expect(told).toMatchObject({
      severity: "error",
      sureness: "sure",
      message: "iptables-legacy and iptables-nft both hold rules, both in nat",
    });
    expect(told?.seen[0]?.words).toContain("of iptables-nft, whose Services lead to 192.0.2.11:6443");
    // Which of the two is asked first, no dump tells: both are.
    const traced = await answer("trace", text, "10.244.1.1:40000 to 10.96.0.1:443/tcp");
    expect(traced).toMatch(/100 % +192\.0\.2\.11:6443/);
    expect(traced).toMatch(/100 % +192\.0\.2\.99:6443/);
  });

  test("a listing of iptables-nft warns of the other tables", async () => {
    expect(await codesIn(shaped("legacy-left-over"))).toContain("LF3012");
  });

  test("why does the table not exist?", async () => {
    const { code, stderr } = await landfall(["lint", "-"], { stdin: shaped("table-does-not-exist") });
    expect(code).toBe(3);
    expect(stderr).toContain("the node's own iptables is probably of the other back end, nf_tables");
    expect(stderr).toContain("compare `iptables --version` on the node");
  });

  test("why does nothing get through kube-bridge?", async () => {
    const text = shaped("router-two-back-ends");
    expect(await findings(text, "F12")).toEqual([
      "LF3012 error sure iptables-legacy and iptables-nft both hold rules, both in filter",
    ]);
    const traced = await answer("trace", text, "10.244.1.5:40000 to 10.244.1.6:80/tcp in kube-bridge");
    // What kube-router accepts in one back end, the policy of the other drops.
    expect(traced).toMatch(/100 % +dropped, no answer/);
    expect(traced).toContain("the policy refuses");
  });
});

describe("node ports and what refuses them", () => {
  test("who left FORWARD at DROP?", async () => {
    const told = await answer("explain", posted("008"));
    expect(told).toMatch(/policies that refuse what no rule accepts\n {2}filter:FORWARD {3}DROP\n/);
    expect(told).toMatch(/^ {2}Docker /m);
  });

  test("why does a node port work on the pod's node alone, since Docker 1.13?", async () => {
    const text = shaped("forward-drop-of-docker");
    const told = await found(text);
    expect(told[0]).toMatchObject({
      code: "LF3003",
      severity: "error",
      sureness: "sure",
      message: "the policy of FORWARD is DROP, and no rule accepts new connections to pods",
    });
    const lint = await answer("lint", text);
    expect(lint).toContain("A node port then works only on the node that runs the pod");
    expect(lint).toContain("Docker sets this policy when it starts.");
    const traced = await answer("trace", text, "203.0.113.9:40000 to 192.168.44.7:8080/tcp in eth0");
    expect(traced).toMatch(/100 % +dropped, no answer/);
  });

  test("and in a dump that is cut off?", async () => {
    expect(await findings(posted("034"))).toEqual([
      "LF3003 error likely the policy of FORWARD is DROP, and no rule accepts new connections to pods",
    ]);
  });

  test("why is the node port refused on one node?", async () => {
    const text = posted("002");
    expect((await findings(text))[0]).toBe(
      "LF3001 warning sure bad-srv:management-port has no endpoints: connections to port 31218 are refused",
    );
    expect(await answer("lint", text)).toContain("Where other nodes have endpoints for it");
    const told = await answer("explain", text);
    expect(told).toContain(
      "bad-srv:management-port  →  no endpoints: refused at once (icmp-port-unreachable)\n  reached by   any local address:31218/tcp   node port   lines 5, 7",
    );
    expect(told).toContain(
      "srv1:management-port  →  endpoints not known: KUBE-SVC-VNWSL462QTZDN2GP is not here",
    );
  });

  test("why can a process of the node not use its port?", async () => {
    const text = posted("036");
    expect(await findings(text)).toEqual([
      "LF3001 warning sure default/traefik-1566557461:http has no endpoints: connections to port 32445 are refused",
    ]);
    expect(await answer("lint", text)).toContain("a process which listens there is cut off, too");
    const told = await answer("explain", text);
    expect(told).toContain("asks    tcp, to LOCAL, port 32445");
    expect(told).toContain(
      "default/traefik-1566557461:http  →  no endpoints: refused at once (icmp-port-unreachable)",
    );
  });

  test("why does curl localhost:NODEPORT hang?", async () => {
    const text = shaped("forward-drop-of-docker");
    const ask = (packet: string, ...words: string[]) => answer("trace", text, packet, ...words);
    const loopback = "127.0.0.1:40000 to 127.0.0.1:31080/tcp from node";
    const open = await ask(loopback);
    expect(open).toMatch(/100 % +192\.168\.44\.7:8080 +an address of this node/);
    expect(open).toContain("net.ipv4.conf.all.route_localnet is taken to be 1, as kube-proxy sets it");
    expect(await ask(loopback, "--set", "net.ipv4.conf.all.route_localnet=0")).toContain("not sent: EINVAL");
    // localhost may mean ::1, where kube-proxy serves nothing.
    expect(await ask("[::1]:40000 to [::1]:31080/tcp from node")).toMatch(
      /\[::1\]:31080 on this node|no rule matches/,
    );
    expect(await findings(`${text}\nnet.ipv4.conf.all.route_localnet = 0\n`, "F38")).toEqual([
      "LF3038 info likely node ports do not work at 127.0.0.1: net.ipv4.conf.all.route_localnet is 0",
    ]);
  });
});

describe("host ports", () => {
  test("why is the ingress dead after an upgrade?", async () => {
    const text = shaped("host-port-of-two-pods");
    expect(await findings(text)).toEqual([
      "LF3008 error sure host ports 80/tcp, 443/tcp are mapped more than once: the first mapping, of pod sandbox 770c07dfd094f, wins, to 10.42.0.14:80, 10.42.0.14:443",
    ]);
    const lint = await answer("lint", text);
    expect(lint).toContain("The entries are those of the CNI plugin portmap, and not of kube-proxy.");
    expect(lint).toContain("Whether it is gone, no dump tells.");
    const told = await answer("explain", text);
    expect(told).toMatch(
      /any local address:80\/tcp +→ 10\.42\.0\.14:80 +pod sandbox 770c07dfd094f +line 22\n/,
    );
    expect(told).toMatch(
      /10\.42\.0\.61:80 +pod sandbox b57a45acaad10 +line 23 +never asked: line 22 takes the port/,
    );
    const traced = await answer("trace", text, "203.0.113.9 to 192.0.2.1:443/tcp", "--local-ip", "192.0.2.1");
    expect(traced).toMatch(/100 % +10\.42\.0\.14:443/);
  });

  test("and in a listing without the pods' chains?", async () => {
    const text = posted("146");
    expect(await findings(text, "F8")).toEqual([
      "LF3008 error sure host ports 80/tcp, 443/tcp are mapped more than once: the first mapping, of pod sandbox 770c07dfd094f, wins",
    ]);
    expect(await answer("explain", text)).toContain("CNI-DN-2340674fa9a846ba6cee5, which is not here");
  });

  test("whose is the rule that stays when the pod is deleted?", async () => {
    expect(await answer("explain", posted("003"))).toContain(
      "whose   CNI plugin portmap (hostPort), for pod sandbox efa1c24cca6a2: only portmap takes it away, when that pod's network is taken down",
    );
  });

  test("why do host ports never come back after a restart of firewalld?", async () => {
    const text = shaped("firewalld-restarted");
    expect((await findings(text))[0]).toBe(
      "LF3047 warning hint firewalld and kube-proxy share nat, and no rule leads to host ports of pods: if a pod of this node has one, firewalld has deleted its rules",
    );
    expect(await answer("lint", text)).toContain("writes host ports only when a pod starts");
  });

  test("what has a reload of firewalld wiped?", async () => {
    const before = shaped("node-before-reload");
    const after = before.replace(/^.*CNI-.*\n/gm, "");
    expect(await codesIn(before)).not.toContain("LF3047");
    expect(await findings(after, "F47")).toHaveLength(1);
    expect(await answer("lint", after)).toContain("kube-proxy writes its own again within half a minute");
    const { stdout } = await landfall(["diff", "before", "after"], { files: { before, after } });
    expect(stdout).toContain("1 of 2 entry points differs");
    expect(stdout).toMatch(/443\/tcp\n +before +100 % 10\.244\.1\.20:8443\n/);
    expect(stdout).toContain("same        default/web:http");
  });
});

describe("masquerading", () => {
  test("why does the pod see an address of the node?", async () => {
    const told = await answer("explain", written("1.30", "nodeport"), "web");
    expect(told).toMatch(/source lost .*node port: always/);
    const kept = await answer("explain", written("1.30", "nodeport-local"), "web");
    expect(kept).toMatch(/source kept .*node port: always/);
  });

  test("does flannel have to hide clients from outside?", async () => {
    const text = "-A POSTROUTING ! -s 10.244.0.0/16 -d 10.244.0.0/16 -j MASQUERADE\n";
    expect(await findings(text)).toEqual([
      "LF3027 warning sure what comes from outside the pods' network to pods is masqueraded: pods do not see who the client is",
    ]);
    expect(await answer("lint", text)).toContain(
      "Where other nodes have routes to the pods, the rule may go.",
    );
    const traced = await answer("trace", text, "203.0.113.9:40000 to 10.244.1.5:80/tcp");
    expect(traced).toMatch(/100 % +10\.244\.1\.5:80 .*\(masqueraded\)/);
  });

  test("why can a pod not reach itself, although hairpin mode is on?", async () => {
    const text = shaped("flannel-before-proxy");
    const [first, ...others] = await found(text);
    expect(others).toEqual([]);
    expect(first).toMatchObject({
      code: "LF3004",
      severity: "error",
      sureness: "sure",
      message: "marked packets leave POSTROUTING before KUBE-POSTROUTING: they are not masqueraded",
      seen: [{ words: "nat:FLANNEL:rule:1 to 10.2.0.0/16 → ACCEPT", line: 18 }],
    });
    const traced = await answer("trace", text, "10.2.94.5:40000 to 10.3.0.41:80/tcp");
    expect(traced).toMatch(/100 % +10\.2\.94\.5:8080 +10\.2\.94\.5:40000\n/);
  });

  test("which of two forms of flannel's rules is asked?", async () => {
    const told = await findings(shaped("flannel-old-and-new"));
    expect(told).toContain(
      "LF4040 warning likely 3 rules of POSTROUTING stand in FLANNEL-POSTRTG, too: an older flannel has left them",
    );
  });

  test("and in a fragment that lacks flannel's chain?", async () => {
    expect((await findings(posted("049")))[0]).toBe(
      "LF3004 warning hint FLANNEL-POSTRTG is asked before KUBE-POSTROUTING and is not in the text: whether marked packets get past it is not known",
    );
  });

  test("why are the settings of ip-masq-agent ignored?", async () => {
    const text = posted("030");
    expect(await findings(text)).toEqual([
      "LF4040 warning sure IP-MASQ and IP-MASQ-AGENT both decide what is masqueraded: IP-MASQ is asked first, and what it masquerades never comes to IP-MASQ-AGENT",
    ]);
    expect(await answer("lint", text)).toContain("its settings seem to be ignored");
  });

  test("is source port randomisation on, when grep random finds rules?", async () => {
    const text = shaped("grep-random");
    const told = await answer("explain", text);
    expect(told).toMatch(
      /^default\/kubernetes:https .*\n +chosen by +line 3 +1 in 2 +→ KUBE-SEP-\w+ +50 %$/m,
    );
    expect(told).toContain(
      "It is not --random or --random-fully of SNAT and MASQUERADE, which draw source ports: no such rule is here",
    );
    // With rules of SNAT among them, they speak for themselves.
    const more = `${text}-A POSTROUTING -s 10.0.0.0/16 -j SNAT --to-source 192.0.2.1 --random-fully\n`;
    expect(await answer("explain", more)).not.toContain("no such rule is here");
  });

  test("why do Services fail from some hundreds on, with iptables-nft?", async () => {
    const rules = Array.from({ length: 51_000 }, (_, index) => {
      const address = `10.96.${index >> 8}.${index & 255}`;
      return `-A KUBE-SERVICES -d ${address}/32 -p tcp -m tcp --dport 80 -j KUBE-SVC-CDGGSHYLG3RE2FKL`;
    }).join("\n");
    const text = `# Generated by iptables-nft-save v1.8.9 (nf_tables)\n*nat\n:PREROUTING ACCEPT [0:0]\n:KUBE-SERVICES - [0:0]\n:KUBE-SVC-CDGGSHYLG3RE2FKL - [0:0]\n-A PREROUTING -j KUBE-SERVICES\n${rules}\nCOMMIT\n`;
    const told = await answer("lint", text, "--rule", "F44");
    expect(told).toContain(
      "warning[LF4044]: 51001 rules: a sync takes seconds to minutes, and a new connection may walk 51000 rules of KUBE-SERVICES",
    );
    expect(told).toContain("iptables-nft takes longer than iptables-legacy");
    expect(told).toContain("`iptables.minSyncPeriod`");
  });
});

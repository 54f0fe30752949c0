// What users asked about their rules, and what landfall says to the text that they posted, or to one of its shape.
import { describe, expect, test } from "vitest";
import { landfall } from "../cli/terminal.js";
import { answer, found, posted, shaped, written } from "./ask.js";

/** Severity, sureness and message of what lint finds by one rule. */
async function told(text: string, rule: string): Promise<readonly string[]> {
  return (await found(text, rule)).map(
    ({ severity, sureness, message }) => `${severity} ${sureness} ${message}`,
  );
}

async function codesOf(text: string): Promise<readonly string[]> {
  return (await found(text)).filter(({ severity }) => severity !== "info").map(({ code }) => code);
}

describe("rules that are not set, or too many", () => {
  test("why does kube-proxy set no rules at all?", async () => {
    const { stderr } = await landfall(["lint", "-"], { stdin: posted("016") });
    expect(stderr).toContain(`-:2:170: error[LF1005]: -s has no value: "-j" stands in its place`);
    expect(stderr).toContain("refuses the whole table: none of its lines is set");
    expect(stderr).toContain(
      "kube-proxy leaves it empty where it is not told the pods' network (--cluster-cidr)",
    );
    expect(stderr).toContain(
      "-:7:1: warning[LF1001]: iptables-restore refused what it was given here: the table with the bad line stays as it was",
    );
  });

  test("164,757 rules and a busy CPU: what are they?", async () => {
    const text = shaped("duplicate-portals");
    const why =
      "probably by kubelet or kube-proxy with an iptables that has no working -C: before 1.4.11, or 1.8.0 to 1.8.2";
    expect(await told(text, "F7")).toEqual([
      `warning sure nat:PREROUTING holds 4 rules that stand there already; ${why}`,
      `warning sure nat:KUBE-PORTALS-CONTAINER holds 1 rule that stands there already; ${why}`,
    ]);
    expect(await answer("lint", text)).toContain(
      "Every packet that comes this way is held against all copies",
    );
    expect(await codesOf(text)).toEqual(["LF4007", "LF4007"]);
  });

  test("why do rules multiply on k3s?", async () => {
    const text = shaped("duplicate-pod-firewall");
    expect(await told(text, "F7")).toEqual([
      "warning sure filter:KUBE-ROUTER-FORWARD holds 3 rules that stand there already; probably by kube-router with iptables 1.8.0 to 1.8.4 or 1.8.10, whose -C fails",
    ]);
    expect(await answer("lint", text)).toContain("k3s brings its own along (`--prefer-bundled-bin`)");
    expect(await codesOf(text)).toEqual(["LF4007"]);
  });

  test("who removes the rules that kube-router does not handle any more?", async () => {
    const text = posted("039");
    const [rules] = await found(text, "F7");
    expect(rules?.message).toBe(
      "filter:KUBE-ROUTER-INPUT holds 4 rules that stand there already, 1 of them under another comment; probably by kube-router with iptables 1.8.0 to 1.8.4 or 1.8.10, whose -C fails; an upgrade of kube-router leaves its former comments",
    );
    expect(rules?.seen.map(({ line }) => line)).toEqual([3, 4, 5, 6]);
    expect(await answer("lint", text)).toContain(
      "Nobody removes rules that an earlier release wrote in another form",
    );
  });

  test("why is what KUBE-ROUTER-INPUT allows dropped?", async () => {
    const text = shaped("router-input-return");
    const [rules] = await found(text, "F25");
    expect(rules?.message).toBe("what KUBE-ROUTER-INPUT allows only returns to INPUT, whose policy is DROP");
    expect(rules?.seen.map(({ line }) => line)).toEqual([30, 31, 32]);
    expect(await answer("lint", text)).toContain(
      "RETURN only leaves the chain: the packet goes on in INPUT behind the jump, and what no rule accepts there is dropped by the policy.",
    );
    expect(await codesOf(text)).toEqual(["LF3025"]);
    const way = await answer(
      "trace",
      text,
      "192.0.2.7:40000",
      "to",
      "10.43.0.1:443/tcp",
      "state",
      "new",
      "--local-ip",
      "10.43.0.1",
    );
    expect(way).toMatch(/100 % +dropped/);
    expect(way).toContain("filter:KUBE-ROUTER-INPUT:rule:1");
  });
});

describe("connections that outlive their endpoints", () => {
  test("why does DNS fail for a client until its connection times out?", async () => {
    const text = shaped("stale-dns");
    expect(await told(text, "F35")).toEqual([
      "error sure 1 connection to kube-system/kube-dns:dns goes to 10.240.244.119:53/udp, which is none of its endpoints",
    ]);
    expect(await told(text, "F36")).toEqual([
      "error sure 1 UDP connection to kube-system/kube-dns:dns is not translated: its packets reach no pod",
    ]);
    const words = await answer("lint", text);
    expect(words).toContain("with UDP as long as the client keeps sending from the same port");
    expect(words).toContain("`conntrack -D -p udp --dst-nat ADDRESS`");
    expect(await codesOf(text)).toEqual(["LF3035", "LF3036"]);
    const way = await answer("trace", text, "10.240.244.140:55850", "to", "172.20.0.10:53/udp");
    expect(way).toMatch(/live connection decides[\s\S]*100 % +10\.240\.244\.58:53/);
  });

  test("why is traffic lost although the endpoints are back?", async () => {
    const text = posted("023");
    expect(await told(text, "F36")).toEqual([
      "error likely 1 UDP connection to 10.15.240.10:53 is not translated: its packets reach no pod",
    ]);
    const words = await answer("lint", text);
    expect(words).toContain("it began while the Service had no endpoint");
    expect(words).toContain("each packet of the client keeps it alive");
    expect(await codesOf(text)).toEqual(["LF3036"]);
  });

  test("why do packets go to a deleted pod for hours, though there is a REJECT?", async () => {
    const text = shaped("scaled-to-zero");
    expect(await told(text, "F35")).toEqual([
      "error sure 2 connections to monitoring/statsd:statsd go to 10.244.2.33:8125/udp, which is none of its endpoints: it has none, and the rule that refuses connections comes behind the translation",
    ]);
    expect(await answer("lint", text)).toContain("passed over Services that have no endpoint left");
    const way = await answer("trace", text, "10.244.1.17:41001", "to", "10.96.88.25:8125/udp");
    expect(way).toMatch(/live connection decides[\s\S]*100 % +10\.244\.2\.33:8125/);
    const fresh = await answer("trace", text, "10.244.1.17:41002", "to", "10.96.88.25:8125/udp");
    expect(fresh).toMatch(/100 % +refused: icmp-port-unreachable/);
  });

  test("what do these connections to one backend tell?", async () => {
    const text = posted("012");
    expect(await told(text, "F37")).toEqual([
      "warning likely 10.11.4.22:8125/udp has answered none of its 3 connections (to 10.12.201.0:8125)",
    ]);
    const words = await answer("lint", text);
    expect(words).toContain("The backend is a pod that is gone");
    expect(words).toContain("kube-proxy up to 1.31 deletes them only at the moment when the endpoint goes");
    expect(await codesOf(text)).toEqual(["LF3037"]);
  });

  test("why does a client with affinity stick to a pod that is not ready?", async () => {
    const text = shaped("affinity-to-not-ready");
    expect(await told(text, "F35")).toEqual([
      "warning sure 1 connection to default/sticky goes to 10.244.1.55:8080/tcp, which is none of its endpoints",
    ]);
    expect(await answer("lint", text)).toContain(
      "Those of TCP it leaves alone: they end with the connection, which goes on as long as the pod does.",
    );
    const open = await answer("trace", text, "10.244.3.3:40112", "to", "10.96.31.4:80/tcp");
    expect(open).toMatch(/live connection decides[\s\S]*100 % +10\.244\.1\.55:8080/);
    // Seen a moment ago on an endpoint that is still there: it goes back, and each new connection makes that anew.
    const list =
      "==> /proc/net/xt_recent/KUBE-SEP-ZX7GRIZKSNUQ3LAJ <==\nsrc=10.244.3.3 ttl: 64 last_seen: 4294900000 oldest_pkt: 1 4294900000\n";
    const again = await answer("trace", `${text}${list}`, "10.244.3.3:40113", "to", "10.96.31.4:80/tcp");
    expect(again).toContain("10.244.2.9:8080");
    expect(await answer("explain", text, "default/sticky")).toContain(
      "a client goes back to its endpoint for 60 s after its last new connection",
    );
  });
});

describe("externalTrafficPolicy Local", () => {
  test("is the node port dead on all nodes?", async () => {
    const words = await answer("explain", posted("140"));
    expect(words).toMatch(/any local address:32290\/tcp +node port +line 2/);
    expect(words).toContain(
      "externalTrafficPolicy Local: clients from outside get only endpoints on this node",
    );
    expect(words).toContain("not known: KUBE-XLB-WQWT4GQ6ZB7LS4MD is not here");
    expect(words).toContain("needs no grep");
    expect(await codesOf(posted("140"))).toEqual([]);
  });

  test("why is there a drop rule although a pod is here?", async () => {
    const text = shaped("no-local-endpoints");
    expect(await told(text, "F2")).toEqual([
      "error likely default/nodeport has an endpoint on this node (172.17.0.4:8080, behind docker0), and kube-proxy drops clients from outside as if it had none: probably kube-proxy goes by another node name than kubelet",
    ]);
    expect(await answer("lint", text)).toContain("compare --hostname-override with `kubectl get nodes`");
    expect(await told(text.replace(/^3: docker0[\s\S]*/m, ""), "F2")).toEqual([
      "warning sure default/nodeport has no endpoint on this node: clients from outside get no answer here",
    ]);
  });

  test("is it expected that policy Local makes the node port dead on nodes without a pod?", async () => {
    const words = await answer("explain", written("1.30", "nodeport-local-no-local"), "web");
    expect(words).toContain(
      "externalTrafficPolicy Local: clients from outside get only endpoints on this node",
    );
    expect(words).toContain("node port: dropped without an answer if the source is not in 10.244.0.0/16");
  });

  test("is it expected that an external IP cannot be reached from nodes without pods?", async () => {
    const text = written("1.30", "external-ips-local-no-local");
    expect(await answer("services", text)).toContain(
      "external IP: dropped without an answer if the source is not in 10.244.0.0/16",
    );
    expect(await answer("lint", text, "--rule", "F2")).toContain(
      "This is by design: no node sends such traffic on.",
    );
  });

  test("why can the node, unlike pods, not reach the load balancer's address?", async () => {
    const text = shaped("local-policy-load-balancer");
    const words = await answer("explain", text, "ingress/www");
    expect(words).toContain(
      "load balancer IP: dropped without an answer if the source is not in 10.16.0.0/14",
    );
    expect(words).toMatch(/source kept .*load balancer IP if the source is in 10\.16\.0\.0\/14/);
    // Without --cluster-cidr the short cut for pods is lacking.
    const short = await answer("explain", text.replace(/^.*Redirect pods.*\n/m, ""), "ingress/www");
    expect(short).toMatch(/load balancer IP: dropped without an answer$/m);
    expect(await codesOf(text)).toEqual(["LF3002"]);
  });

  test("what can be told of a chain without its rules?", async () => {
    const words = await answer("explain", posted("031"));
    expect(words).toMatch(/^KUBE-SVC-L2Q6NX7HCQ2R6FAC {2}→ {2}2 endpoints, picked at random, even shares$/m);
    // Who loses the source, the rules that lead here would tell.
    expect(words).not.toContain("source kept");
    expect(await codesOf(posted("031"))).toEqual([]);
  });

  test("why are requests lost while the pods of a node are replaced?", async () => {
    const text = shaped("local-policy-load-balancer");
    expect(await answer("lint", text)).toContain(
      "While pods are replaced, clients are lost until the next health check. From 1.26 on, kube-proxy sends them to endpoints that are terminating and still serve.",
    );
  });

  test("which release closes the gap of a rolling update?", async () => {
    const [before, after] = [written("1.24", "terminating-local"), written("1.26", "terminating-local")];
    const files = { "before.save": Buffer.from(before), "after.save": Buffer.from(after) };
    const { stdout } = await landfall(["diff", "before.save", "after.save", "--behaviour"], { files });
    expect(stdout).toMatch(/default\/web:http +node port 30080\/tcp/);
    expect(stdout).toMatch(/after\.save +100 % 10\.244\.1\.10:8080/);
    const versions = (await landfall(["versions"])).stdout;
    expect(versions).toContain("terminating endpoints that still serve are used when no ready one is left");
  });
});

describe("shares", () => {
  test("are 0.2, 0.25 and 0.33 unfair?", async () => {
    const words = await answer("explain", shaped("five-endpoints"));
    expect(words).toContain("default/nginx  →  5 endpoints, picked at random, even shares");
    expect(words.match(/ 20 %$/gm)).toHaveLength(5);
    expect(words).toContain(
      "each endpoint gets 20 % of new connections: a rule draws among those that are left",
    );
    expect(await codesOf(shaped("five-endpoints"))).toEqual([]);
    // As posted, cut off in the second rule.
    expect(await answer("explain", posted("018"))).toContain(
      "kube-proxy writes 1 in 5 where 5 endpoints are left, and a larger part of the rest for each that follows: if this is the first, each gets 20 %",
    );
  });

  test("why is one of two pods idle?", async () => {
    const words = await answer("explain", shaped("kept-alive"));
    expect(words).toContain("2 endpoints, picked at random, even shares");
    expect(words).toContain(
      "drawn once for each connection: what is sent over one that stays open goes one way",
    );
    expect(words).toMatch(
      /open now +10\.244\.1\.31:8080 +2 connections\n +10\.244\.2\.18:8080 +0 connections/,
    );
    expect(await codesOf(shaped("kept-alive"))).toEqual([]);
    // The rules that were posted are of the API server, which has one endpoint.
    expect(await answer("explain", posted("022"))).toContain("default/kubernetes:https  →  1 endpoint");
    expect(await codesOf(posted("022"))).toEqual([]);
  });

  test("1,000 requests, and all went to one pod?", async () => {
    const words = await answer("explain", shaped("kept-alive"));
    expect(words).toMatch(
      /counted +10\.244\.1\.31:8080 +100 % of 3 connections, expected 50 %: likely by chance/,
    );
  });

  test("is there round robin?", async () => {
    const ipvs =
      "-A -t 10.96.4.20:80 -s rr\n-a -t 10.96.4.20:80 -r 10.244.1.31:8080 -m -w 1\n-a -t 10.96.4.20:80 -r 10.244.2.18:8080 -m -w 1\n";
    expect(await answer("explain", ipvs)).toContain("2 endpoints, picked by rr (IPVS)");
    expect(await answer("explain", shaped("kept-alive"))).toContain("picked at random");
  });
});

describe("affinity", () => {
  test("why is affinity lost after three minutes?", async () => {
    const text = posted("016");
    expect(await answer("explain", text, "default/kubernetes")).toContain(
      "a client goes back to its endpoint for 180 s after its last new connection",
    );
    expect(await told(text, "F17")).toEqual([
      "warning sure default/kubernetes:https: affinity ends 180 s after a client's last new connection; probably written by kube-proxy 1.4, which took the 180 minutes of the default for seconds",
    ]);
  });

  test("why does one client get two pods on two ports?", async () => {
    const text = shaped("affinity-of-ports");
    expect(await told(text, "F17")).toEqual([
      "info sure testnet/geth-rpc: affinity is kept for each of its 2 ports alone: a client's connections to two ports may go to two pods",
    ]);
    expect(await answer("lint", text, "--rule", "F17")).toContain(
      "The lists are those of xt_recent, one for each endpoint of a port.",
    );
    expect(await codesOf(text)).toEqual([]);
  });
});

describe("a pod and its own Service", () => {
  test("can the pod reach itself by its Service?", async () => {
    const text = written("1.30", "clusterip-3-endpoints").replace(
      /^-A KUBE-SEP-\S+ -s 10\.244\.2\.10\/32 .*\n/m,
      "",
    );
    expect(await answer("services", text)).toMatch(/10\.244\.2\.10:\d+ cannot reach itself by the Service/);
  });

  test("can it by IPVS?", async () => {
    const listing = posted("041");
    expect(await told(listing, "F32")).toEqual([
      "info hint whether an endpoint on this node reaches itself by 192.168.0.1:443/tcp, 192.168.0.100:53/tcp, 192.168.245.143:11211/tcp is not told here: that takes a rule of nat which masquerades its packets (by the set KUBE-LOOP-BACK, or the match ipvs)",
    ]);
    const words = await answer("lint", listing, "--rule", "F32");
    expect(words).toContain("kube-router's option is --hairpin-mode");
    // Rules that do: kube-router's.
    const rules = posted("044").replace(/^.*vaddr 1$/m, "");
    expect(await told(`${listing}\n${rules}`, "F32")).toEqual([]);
    const servers = "-A -t 10.3.0.64:80 -s rr\n-a -t 10.3.0.64:80 -r 10.2.0.2:80 -m -w 1\n";
    const nat = `*nat\n:PREROUTING ACCEPT [0:0]\n:POSTROUTING ACCEPT [0:0]\n:KUBE-ROUTER-HAIRPIN - [0:0]\n-A POSTROUTING -m ipvs --vdir ORIGINAL -j KUBE-ROUTER-HAIRPIN\n-A KUBE-ROUTER-HAIRPIN -s 10.2.0.2/32 -d 10.2.0.2/32 -m ipvs --vaddr 10.3.0.64/32 -j SNAT --to-source 10.3.0.64\nCOMMIT\n`;
    const way = await answer(
      "trace",
      `${servers}${nat}`,
      "10.2.0.2:40000",
      "to",
      "10.3.0.64:80/tcp",
      "--local-ip",
      "10.3.0.64",
    );
    expect(way).toMatch(/10\.2\.0\.2:80 +10\.3\.0\.64:40000/);
  });

  test("why can a pod on the same node not reach the pod by IPVS?", async () => {
    const text = shaped("ipvs-same-bridge");
    expect(await told(text, "F32")).toEqual([
      "error sure pods behind cni0 do not reach 10.244.0.71:8080 by 10.104.26.46:80/tcp: the answer stays on the bridge, where nothing translates it back (net.bridge.bridge-nf-call-iptables is 0)",
    ]);
    expect(await answer("lint", text)).toContain(
      "KUBE-LOOP-BACK, by which kube-proxy masquerades, holds endpoints as clients of themselves alone.",
    );
    const from = (client: string) =>
      answer("trace", text, `${client}:40000`, "to", "10.104.26.46:80/tcp", "--reply");
    expect(await from("10.244.0.103")).toContain(
      "client receives   10.244.0.71:8080 → 10.244.0.103:40000   it dialled 10.104.26.46:80",
    );
    expect(await from("10.244.0.71")).toContain("the address it dialled");
    expect(await codesOf(text)).toEqual(["LF3032"]);
  });
});

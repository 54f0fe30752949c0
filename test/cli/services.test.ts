// `landfall services` and `landfall explain` of rules, as a user types them, on the bundled example and on real texts.
import { describe, expect, test } from "vitest";
import { explainSchema } from "../../src/cli/schemas/explain.js";
import { servicesSchema } from "../../src/cli/schemas/services.js";
import { goldenKey, goldens, SCENARIOS } from "../compile/goldens.js";
import { realDumps } from "../text/real.js";
import { EXAMPLE_DUMP, landfall } from "./terminal.js";

const FRAGMENT = `${EXAMPLE_DUMP.split("\n")
  .filter((line) => line.includes("default/web"))
  .join("\n")}\n`;

describe("services", () => {
  test("a table as kubectl prints one", async () => {
    const { code, stdout, stderr } = await landfall(["services", "node-a.save"]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toBe(
      `NAME                       TYPE        CLUSTER-IP    EXTERNAL-IP   PORT(S)        ENDPOINTS                                                          AFFINITY          POLICY    NOTE
default/cart:http          ClusterIP   10.96.77.3    <none>        80/TCP         50 % each: 10.244.1.30:8080, 10.244.3.31:8080                      ClientIP 10800s   Cluster
default/web:http           NodePort    10.96.41.17   <none>        80:30080/TCP   33.3 % each: 10.244.1.14:8080, 10.244.2.21:8080, 10.244.3.9:8080   None              Cluster
kube-system/kube-dns:dns   ClusterIP   10.96.0.10    <none>        53/UDP         50 % each: 10.244.1.5:53, 10.244.2.7:53                            None              Cluster
`,
    );
  });

  test.each([
    [["web"], ["default/web:http"]],
    [["default/web"], ["default/web:http"]],
    [["svc/default/web:http"], ["default/web:http"]],
    [["default/web:80"], ["default/web:http"]],
    [["10.96.0.10"], ["kube-system/kube-dns:dns"]],
    [
      ["10.96.0.10:53", "cart"],
      ["default/cart:http", "kube-system/kube-dns:dns"],
    ],
    [["KUBE-SVC-CDGGSHYLG3RE2FKL"], ["default/web:http"]],
    [["-n", "kube-system"], ["kube-system/kube-dns:dns"]],
    [["-A", "kube-dns"], ["kube-system/kube-dns:dns"]],
  ])("%j: -o name", async (words, names) => {
    for (const command of ["services", "svc"]) {
      const { code, stdout } = await landfall([command, "node-a.save", ...words, "-o", "name"]);
      expect({ code, names: stdout.trimEnd().split("\n") }).toEqual({ code: 0, names });
    }
  });

  test.each([
    [["wbe"], "error: no service is called wbe\n  = help: did you mean web?\n"],
    [
      ["nothing-like-it"],
      "error: no service is called nothing-like-it\n  = help: there are default/cart:http",
    ],
    [
      ["-n", "kube-sytem"],
      "error: no service of namespace kube-sytem is in the inputs\n  = help: did you mean kube-system?\n",
    ],
    [["\u001b[31m"], "error: no service is called \\x1b[31m"],
  ])("%j is wrong usage", async (words, message) => {
    const ran = await landfall(["services", "node-a.save", ...words]);
    expect(ran).toMatchObject({ code: 2, stdout: "" });
    expect(ran.stderr).toContain(message);
  });

  test("exact shares, and all columns", async () => {
    const exact = await landfall(["services", "node-a.save", "web", "--exact"]);
    expect(exact.stdout).toContain(
      "715827883/2147483648 10.244.1.14:8080, 1431655765/4294967296 10.244.2.21:8080",
    );
    const wide = await landfall(["services", "node-a.save", "web", "-o", "wide"]);
    expect(wide.stdout).toContain("KUBE-SVC-CDGGSHYLG3RE2FKL,KUBE-EXT-CDGGSHYLG3RE2FKL   47,28");
  });

  test("JSON has the documented shape, for every text of kube-proxy's and of real nodes", async () => {
    const texts = goldens("1.30");
    const saves = SCENARIOS.flatMap((name) => texts.get(goldenKey(name, "save", "ipv4")) ?? []);
    for (const text of [EXAMPLE_DUMP, ...saves, ...realDumps().map((dump) => dump.text)]) {
      for (const [command, schema] of [
        ["services", servicesSchema],
        ["explain", explainSchema],
      ] as const) {
        const { code, stdout } = await landfall([command, "-", "-o", "json"], { stdin: text });
        expect([0, 3]).toContain(code);
        if (code === 0) schema.parse(JSON.parse(stdout));
        else expect(stdout).toBe("");
      }
    }
  }, 240_000);

  test("a fragment: what was taken for granted is said", async () => {
    const { code, stdout, stderr } = await landfall(["services"], { stdin: FRAGMENT });
    expect(code).toBe(0);
    expect(stdout).toContain("33.3 % each: 10.244.1.14:8080, 10.244.2.21:8080, 10.244.3.9:8080");
    expect(stderr).toContain("assumed: KUBE-EXT-CDGGSHYLG3RE2FKL ends in KUBE-SVC-CDGGSHYLG3RE2FKL");
    expect((await landfall(["services", "-q"], { stdin: FRAGMENT })).stderr).toBe("");
  });

  test("objects name what the rules do not", async () => {
    const { stdout: save } = await landfall(["compile", "cluster.yaml", "kube-proxy.yaml", "-o", "save"]);
    const bare = save.replace(/ -m comment --comment "[^"]*"/g, "");
    const { stdout } = await landfall(["services", "-", "cluster.yaml", "-o", "name"], { stdin: bare });
    expect(stdout).toContain("shop/product-service:http\n");
  });

  test("what can be read is shown, whatever else is wrong", async () => {
    const broken = EXAMPLE_DUMP.replace("--probability 0.33333333349", "--probabilty 0.33333333349");
    const { code, stdout, stderr } = await landfall(["services", "-"], { stdin: broken });
    expect(code).toBe(0);
    expect(stderr).toContain("did you mean --probability?");
    expect(stdout).toContain("default/cart:http");
  });

  test("no rules at all: 3; no input at all: 2", async () => {
    const objects = await landfall(["services", "cluster.yaml"]);
    expect(objects).toMatchObject({ code: 3, stdout: "" });
    expect(objects.stderr).toContain("no input holds rules or virtual servers");
    expect(await landfall(["services"])).toMatchObject({ code: 2, stdout: "" });
    expect(await landfall(["services", "-"], { stdin: "" })).toMatchObject({ code: 3, stdout: "" });
    expect(
      await landfall(["services", "-"], { stdin: "*nat\n:PREROUTING ACCEPT [0:0]\nCOMMIT\n" }),
    ).toMatchObject({
      code: 0,
      stdout: "",
    });
  });

  test("IPVS", async () => {
    const stdin =
      "-A -t 10.96.0.10:53 -s rr\n-a -t 10.96.0.10:53 -r 10.244.1.5:53 -m -w 1\n-a -t 10.96.0.10:53 -r 10.244.2.7:53 -m -w 1\n";
    const { stdout } = await landfall(["services"], { stdin });
    expect(stdout).toContain(
      "10.96.0.10:53   -      10.96.0.10   <none>        53/TCP    50 % each: 10.244.1.5:53, 10.244.2.7:53   None       rr",
    );
  });

  test("control characters reach no terminal", async () => {
    const stdin = EXAMPLE_DUMP.replaceAll("default/web:http", "default/w\u001b[31mb");
    for (const words of [
      ["services"],
      ["services", "-o", "json"],
      ["services", "-o", "name"],
      ["explain"],
      ["explain", "-o", "markdown"],
      ["explain", "-o", "mermaid"],
      ["explain", "-o", "json"],
    ]) {
      const shown = await landfall([...words, "-"], {
        stdin,
        terminal: true,
        stdinIsTerminal: false,
        env: { NO_COLOR: "1" },
      });
      expect(shown.stdout).not.toBe("");
      // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for.
      expect(shown.stdout + shown.stderr).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/);
    }
  });
});

describe("who fares how", () => {
  // One of two endpoints is on this node; clients of the load balancer are limited.
  const objects = `apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop, labels: {app: web}}
spec:
  type: LoadBalancer
  clusterIP: 10.96.0.9
  externalTrafficPolicy: Local
  loadBalancerSourceRanges: [203.0.113.0/24]
  ports: [{name: http, port: 80, targetPort: 8080, nodePort: 30080}]
status: {loadBalancer: {ingress: [{ip: 192.0.2.50}]}}
---
apiVersion: v1
kind: Service
metadata: {name: api, namespace: shop, labels: {app: api, tier: back}}
spec:
  clusterIP: 10.96.0.10
  internalTrafficPolicy: Local
  ports: [{name: http, port: 80, targetPort: 8080}]
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: web-1, namespace: shop, labels: {kubernetes.io/service-name: web}}
addressType: IPv4
ports: [{name: http, port: 8080, protocol: TCP}]
endpoints:
- {addresses: [10.244.1.5], nodeName: n1, conditions: {ready: true}}
- {addresses: [10.244.2.5], nodeName: n2, conditions: {ready: true}}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: api-1, namespace: shop, labels: {kubernetes.io/service-name: api}}
addressType: IPv4
ports: [{name: http, port: 8080, protocol: TCP}]
endpoints: [{addresses: [10.244.1.6], nodeName: n1, conditions: {ready: true}}]
---
apiVersion: v1
kind: Node
metadata: {name: n1}
status: {addresses: [{type: InternalIP, address: 10.0.0.1}]}
---
apiVersion: kubeproxy.config.k8s.io/v1alpha1
kind: KubeProxyConfiguration
clusterCIDR: 10.244.0.0/16
`;
  const addresses = "2: eth0    inet 10.0.0.1/24 brd 10.0.0.255 scope global eth0\n";
  const files = { "objects.yaml": objects, "addresses.txt": addresses };
  const dump = async () => (await landfall(["compile", "objects.yaml", "--node", "n1"], { files })).stdout;
  const services = async (...words: readonly string[]) =>
    landfall(["services", "-", ...words], { files, stdin: await dump() });

  test("NOTE tells who is dropped, and who gets some endpoints alone", async () => {
    const { stdout } = await services("web");
    expect(stdout).toContain("50 % each: 10.244.1.5:8080, 10.244.2.5:8080");
    for (const note of [
      "load balancer IP: dropped without an answer if the source is not in 203.0.113.0/24;",
      "load balancer IP: 1 of 2 endpoints if the source is in 203.0.113.0/24;",
      "node port: 1 of 2 endpoints if the source is not in 10.244.0.0/16\n",
    ])
      expect(stdout).toContain(note);
    // All clients of a cluster IP fare alike.
    expect((await services("api")).stdout).toMatch(/Local +\n|Local\n/);
  });

  test("-o wide tells what each gets; the node itself where its addresses are known", async () => {
    const wide = await services("addresses.txt", "web", "-o", "wide");
    expect(wide.stdout).toContain(
      "node port if the source is in 10.244.0.0/16, and from the node itself: 50 % each:",
    );
    expect(wide.stdout).toContain(
      "load balancer IP if the source is not in 203.0.113.0/24, and from the node itself: dropped without an answer",
    );
    // Not known: it hangs on the source, and is said so.
    const unknown = await services("web", "-o", "wide");
    expect(unknown.stdout).toContain(
      "load balancer IP from the node itself if the source is in 203.0.113.0/24: 50 % each:",
    );
    expect(unknown.stdout).toContain("node port if the source is in 10.244.0.0/16: 50 % each");
    expect((await services("api", "-o", "wide")).stdout).toContain("all alike");
  });

  test("what is said of the node itself is what trace says", async () => {
    const { stdout } = await services("addresses.txt", "web", "-o", "json");
    const [service] = servicesSchema.parse(JSON.parse(stdout)).services;
    for (const { address, port, ownClients } of service?.entrances ?? []) {
      const traced = await landfall(
        [
          "trace",
          "-",
          "addresses.txt",
          `to ${address ?? "10.0.0.1"}:${port} from node`,
          "--fresh",
          "-o",
          "json",
        ],
        { files, stdin: await dump() },
      );
      const [only, ...others] = JSON.parse(traced.stdout).cases;
      expect(others).toEqual([]);
      expect(
        ownClients.map(({ outcomes }) => outcomes.map((one) => one.endpoint?.address ?? one.kind)),
      ).toEqual([
        only.landings.map((one: { verdict: string; dst: string }) =>
          one.verdict === "drop" ? "drop" : one.dst,
        ),
      ]);
    }
  });

  test("-l chooses by the labels of objects", async () => {
    const names = async (...words: readonly string[]) => {
      const { stdout } = await services("objects.yaml", "-o", "name", ...words);
      return stdout.trimEnd().split("\n");
    };
    expect(await names("-l", "app=web")).toEqual(["shop/web:http"]);
    expect(await names("-l", "app in (web, api),tier")).toEqual(["shop/api:http"]);
    expect(await names("--selector", "app!=web")).toEqual(["shop/api:http"]);
    const compiled = await landfall(["compile", "objects.yaml", "--node", "n1", "-l", "app=api"], { files });
    expect(compiled.stdout).toContain("shop/api:http");
    expect(compiled.stdout).not.toContain("shop/web:http");
    const explained = await landfall(["explain", "-", "objects.yaml", "-l", "app=web"], {
      files,
      stdin: await dump(),
    });
    expect(explained.stdout).toContain("shop/web:http  →");
    expect(explained.stdout).not.toContain("shop/api:http");
    for (const [words, message] of [
      [["-l", "app=web"], "-l needs the Service objects"],
      [["objects.yaml", "-l", "app=none"], "no Service object has the labels"],
      [["-l", "app in web"], "'-l, --selector <labels>' argument 'app in web' is invalid"],
    ] as const) {
      const ran = await services(...words);
      expect(ran).toMatchObject({ code: 2, stdout: "" });
      expect(ran.stderr).toContain(message);
    }
  });
});

describe("explain rules", () => {
  test("a grepped fragment", async () => {
    const { code, stdout, stderr } = await landfall(["explain"], { stdin: FRAGMENT });
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toBe(`13 rules, no table header: read as nat, by the names of chains and targets

default/web:http  →  3 endpoints, picked at random, even shares
  reached by    10.96.41.17:80/tcp            cluster IP   line 9
                any local address:30080/tcp   node port    line 2
  chosen by     line 11   1 in 3               → 10.244.1.14:8080   33.3 %
                line 12   1 in 2 of the rest   → 10.244.2.21:8080   33.3 %
                line 13   the rest             → 10.244.3.9:8080    33.3 %
  together      each endpoint gets 33.3 % of new connections: a rule draws among those that are left
                drawn once for each connection: what is sent over one that stays open goes one way
  source kept   cluster IP if the source is in 10.244.0.0/16
  source lost   cluster IP if the source is not in 10.244.0.0/16 · node port: always · an endpoint that reaches itself

assumed, because the lines are not here
  KUBE-MARK-MASQ marks with 0x4000 and KUBE-POSTROUTING masquerades that mark (kube-proxy's default)
  KUBE-EXT-CDGGSHYLG3RE2FKL ends in KUBE-SVC-CDGGSHYLG3RE2FKL (same hash; that jump has no comment, so grep for a name drops it)
  PREROUTING and OUTPUT go to KUBE-SERVICES, and KUBE-SERVICES sends what is for this node to KUBE-NODEPORTS

help: \`iptables-save -t nat | landfall explain -n default\` needs no grep
`);
  });

  test("a whole dump: tables, whose rules, services", async () => {
    const { stdout } = await landfall(["explain", "node-a.save"]);
    expect(stdout).toMatch(/^IPv4 rules\n {2}nat {3}19 chains {3}40 rules\n/);
    expect(stdout).toContain("kube-proxy   15 chains   40 rules   as version 1.24 or newer writes them");
    expect(stdout).toContain("3 service ports\n");
  });

  test("policies and rules that refuse, and other programs", async () => {
    const dumps = new Map(realDumps().map((dump) => [dump.name.slice(0, 3), dump.text]));
    const calico = await landfall(["explain", "-"], { stdin: dumps.get("008") ?? "" });
    expect(calico.stdout).toContain("filter:FORWARD   DROP");
    expect(calico.stdout).toContain("Docker ");
    expect(calico.stdout).toContain("no endpoints: refused at once (icmp-port-unreachable)");
    expect(calico.stdout).toMatch(/kube-proxy .* as version 1\.22 or older writes them/);
    const portmap = await landfall(["explain", "-"], { stdin: dumps.get("069") ?? "" });
    expect(portmap.stdout).toContain("CNI plugin portmap (hostPort)");
  });

  test("a service, a chain, a rule", async () => {
    const cart = await landfall(["explain", "node-a.save", "default/cart"]);
    expect(cart.stdout).toContain("affinity      a client goes back to its endpoint for 10800 s");
    const chain = await landfall(["explain", "node-a.save", "KUBE-SVC-CDGGSHYLG3RE2FKL"]);
    expect(chain.stdout).toContain("led to by\n  nat:KUBE-EXT-CDGGSHYLG3RE2FKL:rule:2");
    expect(chain.stdout).toContain(
      "  nat:KUBE-SVC-CDGGSHYLG3RE2FKL:rule:2   1 in 3 → KUBE-SEP-2HP72ZIPYAM5HUSK",
    );
    const named = await landfall(["explain", "node-a.save", "nat:KUBE-SVC-CDGGSHYLG3RE2FKL", "-o", "json"]);
    expect(explainSchema.parse(JSON.parse(named.stdout)).chains[0]?.rules).toHaveLength(4);
    const rule = await landfall(["explain", "node-a.save", "nat:KUBE-SERVICES:rule:1"]);
    expect(rule.stdout).toBe(`nat:KUBE-SERVICES:rule:1
  -A KUBE-SERVICES -d 10.96.0.10/32 -p udp -m comment --comment "kube-system/kube-dns:dns cluster IP" -m udp --dport 53 -j KUBE-SVC-TCOU7JCQXEZGVUNU
  asks    to 10.96.0.10, udp, port 53
  does    sends the packet through KUBE-SVC-TCOU7JCQXEZGVUNU
  next    the rules of that chain, then the next rule here unless one of them decides
  whose   kube-proxy
`);
  });

  test("one rule, pasted", async () => {
    const stdin = "-A KUBE-SEP-2HP72ZIPYAM5HUSK -p tcp -m tcp -j DNAT --to-destination 10.244.1.14:8080\n";
    const { stdout } = await landfall(["explain"], { stdin });
    expect(stdout).toContain("  asks    tcp\n  does    DNAT 10.244.1.14:8080\n");
    const json = await landfall(["explain", "-o", "json"], { stdin });
    expect(explainSchema.parse(JSON.parse(json.stdout)).rules).toMatchObject([
      { table: "nat", rule: 1, line: 1, words: "tcp → DNAT 10.244.1.14:8080" },
    ]);
  });

  test("rules of a fragment that are nobody's service", async () => {
    const { stdout } = await landfall(["explain"], {
      stdin: `${FRAGMENT}-A FORWARD -s 192.0.2.7/32 -j DROP\n`,
    });
    expect(stdout).toMatch(/other rules\n {2}filter:FORWARD:rule:1 {3}from 192\.0\.2\.7 → DROP/);
  });

  test("Markdown and Mermaid", async () => {
    const { stdout: markdown } = await landfall(["explain", "node-a.save", "default/web", "-o", "markdown"]);
    expect(markdown).toContain("## default/web:http  →  3 endpoints, picked at random, even shares\n");
    expect(markdown).toContain("- **chosen by**\n  - line 51 1 in 3 → 10.244.1.14:8080 33.3 %\n");
    const { stdout: drawing } = await landfall(["explain", "node-a.save", "default/web", "-o", "mermaid"]);
    const lines = drawing.trimEnd().split("\n");
    expect(lines[0]).toBe("flowchart LR");
    expect(lines).toContain('  n0(["cluster IP 10.96.41.17:80/tcp"])');
    for (const line of lines.slice(1))
      expect(line).toMatch(/^ {2}n\d+(?:\["[^"]*"\]|\(\["[^"]*"\]\)| -->(?:\|"[^"]*"\|)? n\d+)$/);
  });

  test.each([
    [["KUBE-SVC-CDGGSHYLG3RE2FKX"], "did you mean KUBE-SVC-CDGGSHYLG3RE2FKL?"],
    [["default/wbe"], "did you mean default/web?"],
    [["nat:KUBE-SERVICES:rule:99"], "error: KUBE-SERVICES has no rule 99"],
    [["constructor"], "error: constructor is no chain, no rule, no service and no code"],
  ])("%j is not there", async (words, message) => {
    const ran = await landfall(["explain", "node-a.save", ...words]);
    expect(ran).toMatchObject({ code: 2, stdout: "" });
    expect(ran.stderr).toContain(message);
  });

  test("rules and codes together", async () => {
    const { code, stdout } = await landfall(["explain", "node-a.save", "default/web", "LF1007"]);
    expect(code).toBe(0);
    expect(stdout).toContain("default/web:http  →  3 endpoints");
    expect(stdout).toContain("LF1007  unknown option\n");
  });
});

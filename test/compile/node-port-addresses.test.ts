// Which of the node's addresses serve node ports, by version: what no golden file shows.
import { describe, expect, test } from "vitest";
import type { Family } from "../../grammar/address.js";
import type { Version } from "../../src/compile/versions.js";
import { compileObjects, configuration, node, rulesIn, service, slice } from "./objects.js";

const NODE = node(["10.0.1.50", "10.0.1.9", "fd00:1::50"]);
const BOTH = service({
  type: "NodePort",
  clusterIPs: ["10.96.0.1", "fd00:96::1"],
  ipFamilies: ["IPv4", "IPv6"],
  ports: [{ port: 80, nodePort: 30080 }],
});
const SLICES = [
  slice([{ addresses: ["10.244.0.5"] }]),
  slice([{ addresses: ["fd00:244::5"] }], "IPv6", "web-2"),
];

interface Row {
  readonly version: Version;
  readonly family?: Family;
  readonly addresses: readonly string[];
  readonly localhostNodePorts?: boolean;
  readonly bindAddress?: string;
  /** What stands between the comment and the jump in the last rules of KUBE-SERVICES. */
  readonly last: readonly string[];
  /** Whether node ports have rules of their own. */
  readonly rules: boolean;
  /** Whether loopback is opened for them. */
  readonly routeLocalnet: boolean;
}

const ALL = "-m addrtype --dst-type LOCAL";
const ROWS: readonly Row[] = [
  { version: "1.24", addresses: [], last: [ALL], rules: true, routeLocalnet: true },
  { version: "1.24", family: "ipv6", addresses: [], last: [ALL], rules: true, routeLocalnet: false },
  {
    version: "1.26",
    family: "ipv6",
    addresses: [],
    last: [`${ALL} ! -d ::1/128`],
    rules: true,
    routeLocalnet: false,
  },
  // A list for the other family alone says nothing.
  { version: "1.30", addresses: ["fd00::/8"], last: [ALL], rules: true, routeLocalnet: true },
  // Addresses in the order of their text, each once.
  {
    version: "1.30",
    addresses: ["10.0.0.0/8", "10.0.1.0/24"],
    last: ["-d 10.0.1.50", "-d 10.0.1.9"],
    rules: true,
    routeLocalnet: false,
  },
  // Loopback: ::1 served in versions that had no option against it.
  {
    version: "1.24",
    family: "ipv6",
    addresses: ["::1/128"],
    last: ["-d ::1"],
    rules: true,
    routeLocalnet: false,
  },
  // The list holds an address of the node, be it one that may not serve: node ports keep their rules.
  { version: "1.26", family: "ipv6", addresses: ["::1/128"], last: [], rules: true, routeLocalnet: false },
  {
    version: "1.26",
    addresses: ["127.0.0.0/8"],
    localhostNodePorts: false,
    last: [],
    rules: true,
    routeLocalnet: false,
  },
  {
    version: "1.26",
    addresses: ["127.0.0.1/32"],
    last: ["-d 127.0.0.1"],
    rules: true,
    routeLocalnet: true,
  },
  // An option that the version does not have.
  {
    version: "1.25",
    addresses: ["127.0.0.0/8"],
    localhostNodePorts: false,
    last: ["-d 127.0.0.1"],
    rules: true,
    routeLocalnet: true,
  },
  // No address of the node in the list.
  { version: "1.26", addresses: ["192.168.0.0/16"], last: [], rules: false, routeLocalnet: false },
  { version: "1.27", addresses: ["192.168.0.0/16"], last: [], rules: true, routeLocalnet: false },
  // All addresses, by text and by value.
  {
    version: "1.30",
    addresses: ["10.0.0.0/8", "0.0.0.0/0"],
    last: [ALL],
    rules: true,
    routeLocalnet: true,
  },
  {
    version: "1.30",
    addresses: ["10.0.0.0/0"],
    last: ["-d 10.0.1.50", "-d 10.0.1.9", "-d 127.0.0.1"],
    rules: true,
    routeLocalnet: true,
  },
  { version: "1.31", addresses: ["10.0.0.0/0"], last: [ALL], rules: true, routeLocalnet: true },
  // primary
  {
    version: "1.31",
    addresses: ["primary"],
    last: ["-d 10.0.1.50"],
    rules: true,
    routeLocalnet: false,
  },
  {
    version: "1.31",
    family: "ipv6",
    addresses: ["primary"],
    last: ["-d fd00:1::50"],
    rules: true,
    routeLocalnet: false,
  },
  {
    version: "1.31",
    addresses: ["primary"],
    bindAddress: "10.0.1.9",
    last: ["-d 10.0.1.9"],
    rules: true,
    routeLocalnet: false,
  },
];

describe("nodePortAddresses", () => {
  test.each(ROWS)("$version $family $addresses $localhostNodePorts $bindAddress", (row) => {
    const { version, family = "ipv4", addresses, localhostNodePorts = true, bindAddress = "0.0.0.0" } = row;
    const compiled = compileObjects(
      [
        NODE,
        BOTH,
        ...SLICES,
        configuration({ nodePortAddresses: addresses, bindAddress, iptables: { localhostNodePorts } }),
      ],
      { version, family },
    );
    const note = `-m comment --comment "kubernetes service nodeports; NOTE: this must be the last rule in this chain" `;
    const last = rulesIn(compiled, "nat", "KUBE-SERVICES")
      .filter((rule) => rule.startsWith(note))
      .map((rule) => rule.slice(note.length).replace(" -j KUBE-NODEPORTS", ""));
    expect(last).toEqual(row.last);
    expect(rulesIn(compiled, "nat", "KUBE-NODEPORTS").length > 0).toBe(row.rules);
    const sysctl = compiled.state.network?.sysctls.get("net.ipv4.conf.all.route_localnet");
    expect(sysctl).toBe(row.routeLocalnet ? "1" : undefined);
  });

  test("primary without an address of the family means all", () => {
    const compiled = compileObjects(
      [node(["10.0.1.50"]), BOTH, ...SLICES, configuration({ nodePortAddresses: ["primary"] })],
      { version: "1.31", family: "ipv6" },
    );
    expect(rulesIn(compiled, "nat", "KUBE-SERVICES").at(-1)).toContain(`${ALL} ! -d ::1/128`);
  });
});

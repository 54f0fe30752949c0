/**
 * What `ip -j` prints → the lines that `ip -d` prints for the same: so there is one reader for each listing, and one place
 * that knows what is right. Keys as iproute2 4.x to 6.x has them, measured with 6.1.
 */

/** Values that have no place in a line are left out: nothing of an object becomes a line of its own. */
type Json = { readonly [key: string]: unknown };

function isRecord(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function own(object: Json, key: string): unknown {
  return Object.hasOwn(object, key) ? object[key] : undefined;
}

function recordsIn(value: unknown): readonly Json[] {
  return Array.isArray(value) ? value.filter(isRecord) : [];
}

/** A word of a line: a text without blanks, or a number. */
function word(value: unknown): string | undefined {
  if (typeof value === "number") return String(value);
  return typeof value === "string" && /^\S+$/.test(value) ? value : undefined;
}

/** `name value` where the key has a value. */
function named(object: Json, key: string, name = key): readonly string[] {
  const value = word(own(object, key));
  return value === undefined ? [] : [name, value];
}

function wordsIn(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.flatMap((one) => word(one) ?? []) : [];
}

/** An object of `ip -j addr` or `ip -j link`. Filters leave empty objects, which are nothing. */
export function interfaceLines(value: unknown): readonly string[] {
  if (!isRecord(value) || word(own(value, "ifname")) === undefined) return [];
  const link = word(own(value, "link"));
  const linkIndex = word(own(value, "link_index"));
  const below = link ?? (linkIndex === undefined ? undefined : `if${linkIndex}`);
  const header = [
    `${word(own(value, "ifindex")) ?? 0}:`,
    `${word(own(value, "ifname"))}${below === undefined ? "" : `@${below}`}:`,
    `<${wordsIn(own(value, "flags")).join(",")}>`,
    ...named(value, "mtu"),
    ...named(value, "qdisc"),
    ...named(value, "master"),
    ...named(value, "operstate", "state"),
    ...named(value, "linkmode", "mode"),
    ...named(value, "group"),
    ...named(value, "txqlen", "qlen"),
  ];
  const type = word(own(value, "link_type"));
  const peer = own(value, "link_pointtopoint") === true ? "peer" : "brd";
  const info = own(value, "linkinfo");
  const kind = isRecord(info) ? word(own(info, "info_kind")) : undefined;
  const linkLine = [
    `    link/${type}`,
    word(own(value, "address")) ?? "",
    ...named(value, "broadcast", peer),
    ...named(value, "link_netnsid", "link-netnsid"),
    ...named(value, "permaddr"),
    ...(kind === undefined ? [] : ["promiscuity 0"]),
  ];
  const alias = own(value, "ifalias");
  return [
    header.join(" "),
    ...(type === undefined ? [] : [linkLine.join(" ")]),
    ...(kind === undefined ? [] : [`    ${kind}`]),
    ...(typeof alias === "string" && !/[\r\n]/.test(alias) ? [`    alias ${alias}`] : []),
    ...wordsIn(own(value, "altnames")).map((name) => `    altname ${name}`),
    ...recordsIn(own(value, "addr_info")).flatMap(addressLines),
  ];
}

function addressLines(object: Json): readonly string[] {
  const local = word(own(object, "local"));
  if (local === undefined) return [];
  const length = `/${word(own(object, "prefixlen")) ?? ""}`;
  const peer = word(own(object, "address"));
  const line = [
    `    ${word(own(object, "family")) ?? ""}`,
    ...(peer === undefined ? [local + length] : [local, "peer", peer + length]),
    ...named(object, "metric"),
    ...named(object, "broadcast", "brd"),
    ...named(object, "anycast", "any"),
    ...named(object, "scope"),
    ...named(object, "protocol", "proto"),
    ...Object.keys(object).filter((key) => own(object, key) === true),
    ...named(object, "ifa_flags", "flags"),
    ...named(object, "label").slice(1),
  ];
  const lifetime = (key: string) => {
    const seconds = own(object, key);
    return seconds === FOREVER ? "forever" : `${word(seconds)}sec`;
  };
  if (!Object.hasOwn(object, "valid_life_time")) return [line.join(" ")];
  const lifetimes = [
    "valid_lft",
    lifetime("valid_life_time"),
    "preferred_lft",
    lifetime("preferred_life_time"),
  ];
  return [line.join(" "), `       ${lifetimes.join(" ")}`];
}

const FOREVER = 0xffffffff;

/** An object of `ip -j route`. An encapsulation repeats the key of the destination: such an object is not read. */
export function routeLines(value: unknown): readonly string[] {
  if (!isRecord(value)) return [];
  const expires = word(own(value, "expires"));
  const flow = own(value, "flow");
  const line = [
    ...named(value, "type").slice(1),
    ...named(value, "dst").slice(1),
    ...named(value, "from"),
    ...(Object.hasOwn(value, "encap") ? ["encap"] : []),
    ...named(value, "tos"),
    ...named(value, "nhid"),
    ...gateway(value),
    ...named(value, "dev"),
    ...named(value, "table"),
    ...named(value, "protocol", "proto"),
    ...named(value, "scope"),
    ...named(value, "prefsrc", "src"),
    ...named(value, "metric"),
    ...wordsIn(own(value, "flags")),
    ...(isRecord(flow) ? named(flow, "to", "realm") : []),
    ...(expires === undefined ? [] : ["expires", `${expires}sec`]),
    ...recordsIn(own(value, "metrics")).flatMap((metrics) =>
      Object.keys(metrics).flatMap((name) => named(metrics, name)),
    ),
    ...named(value, "iif"),
    ...named(value, "pref"),
  ];
  const hops = recordsIn(own(value, "nexthops")).map((hop) =>
    [
      "\tnexthop",
      ...gateway(hop),
      ...named(hop, "dev"),
      ...named(hop, "weight"),
      ...wordsIn(own(hop, "flags")),
    ].join(" "),
  );
  return [line.join(" "), ...hops];
}

function gateway(object: Json): readonly string[] {
  const other = own(object, "via");
  if (!isRecord(other)) return named(object, "gateway", "via");
  return ["via", ...named(other, "family").slice(1), ...named(other, "host").slice(1)];
}

/** An object of `ip -j rule`. */
export function policyRuleLines(value: unknown): readonly string[] {
  if (!isRecord(value)) return [];
  const has = (key: string, words: string): readonly string[] => (Object.hasOwn(value, key) ? [words] : []);
  const prefix = (key: string, length: string, name: string): readonly string[] => {
    const address = word(own(value, key));
    const bits = word(own(value, length));
    return address === undefined ? [] : [name, bits === undefined ? address : `${address}/${bits}`];
  };
  const range = (name: string, key = name): readonly string[] => {
    const from = word(own(value, `${key}_start`));
    return from === undefined ? named(value, name) : [name, `${from}-${word(own(value, `${key}_end`))}`];
  };
  const mask = word(own(value, "fwmask"));
  const line = [
    `${word(own(value, "priority")) ?? ""}:`,
    ...has("not", "not"),
    ...prefix("src", "srclen", "from"),
    ...prefix("dst", "dstlen", "to"),
    ...named(value, "tos"),
    ...named(value, "fwmark").map((one, index) =>
      index === 1 && mask !== undefined ? `${one}/${mask}` : one,
    ),
    ...named(value, "iif"),
    ...has("iif_detached", "[detached]"),
    ...named(value, "oif"),
    ...has("oif_detached", "[detached]"),
    ...range("uidrange", "uid"),
    ...named(value, "ipproto"),
    ...range("sport"),
    ...range("dport"),
    ...named(value, "tun_id"),
    ...named(value, "table", "lookup"),
    ...has("l3mdev", "lookup [l3mdev-table]"),
    ...named(value, "suppress_prefixlen", "suppress_prefixlength"),
    ...named(value, "suppress_ifgroup"),
    ...named(value, "goto"),
    ...has("unresolved", "[unresolved]"),
    ...has("nop", "nop"),
    ...named(value, "action").slice(1),
    ...named(value, "protocol", "proto"),
  ];
  return [line.join(" ")];
}

import P from "parsimmon";
import { defineMatch, type GivenOption, type ValueKind } from "../description.js";
import { listedOption } from "../listing.js";
import { type Condition, type NumberField, negatedIf, type Range } from "../meaning.js";
import { PORT_PROTOCOLS } from "../protocols.js";
import { servicePort } from "../services.js";
import { resolvedPortRangeKind, wholeNumber } from "../values.js";

/** A range counts twice. */
const PORTS_MAX = 15;

/** Ports, and the names of services among them: whether the rule's protocol has those is known at the end. */
interface NamedRange extends Range {
  readonly services?: readonly string[];
}

const named = P.regexp(/[A-Za-z][A-Za-z0-9_+.-]*/).chain((name) => {
  const port = servicePort(name, "ip");
  return port === undefined ? P.fail("a port from 0 to 65535") : P.of({ port, services: [name] });
});
const end = P.alt(
  wholeNumber(0, 65535, "a port from 0 to 65535").map((port) => ({ port, services: [] })),
  named,
);

const single = end.map(({ port, services }): NamedRange => ({ from: port, to: port, services }));
// `5:5` is refused, too.
const range = P.seqMap(
  end,
  P.string(":"),
  end,
  (from, _colon, to): NamedRange => ({
    from: from.port,
    to: to.port,
    services: [...from.services, ...to.services],
  }),
).chain((ports) =>
  ports.from < ports.to ? P.of(ports) : P.fail("a range whose first port is below its last"),
);

const grammar: P.Parser<readonly NamedRange[]> = P.alt(range, single)
  .sepBy1(P.string(","))
  .chain((ranges) =>
    ranges.reduce((count, { from, to }) => count + (from === to ? 1 : 2), 0) <= PORTS_MAX
      ? P.of(ranges)
      : P.fail(`at most ${PORTS_MAX} ports, of which a range counts twice`),
  );

const portListKind: ValueKind<readonly NamedRange[]> = {
  expects: `at most ${PORTS_MAX} ports and ranges, for example 80,8000:8080`,
  grammar: () => grammar,
  print: (ranges, family) => ranges.map((range) => resolvedPortRangeKind.print(range, family)).join(","),
};

const ports = (name: string, ...aliases: readonly string[]) =>
  ({ name, aliases, value: portListKind, negatable: true }) as const;

/** xt_multiport: the ports are among several. `--ports` holds for either side. */
export const multiport = defineMatch({
  name: "multiport",
  summary: "the packet's ports are among several",
  protocols: PORT_PROTOCOLS,
  options: {
    source: ports("--sports", "--source-ports"),
    destination: ports("--dports", "--destination-ports"),
    either: ports("--ports"),
  },
  complete(given, { protocol, protocolBefore }) {
    if (protocolBefore === undefined)
      return { refused: "the protocol must be given before the ports", help: "put -p first" };
    const [[key, option] = []] = Object.entries(given);
    if (key === undefined || option === undefined || Object.keys(given).length > 1)
      return { refused: "one of --sports, --dports and --ports must be given, and only one" };
    const names = option.value.flatMap(({ services = [] }) => services);
    const strange = names.find((name) => servicePort(name, protocol?.value) === undefined);
    if (strange !== undefined) return { refused: `the protocol of the rule has no service ${strange}` };
    const value = option.value.map(({ from, to }) => ({ from, to }));
    return { [key]: { value, negated: option.negated } } as typeof given;
  },
  meaning({ source, destination, either }) {
    const [option, fields] = asked(source, destination, either);
    const among = fields.map((field): Condition => ({ kind: "within", field, ranges: option?.value ?? [] }));
    const condition: Condition =
      among.length === 1 && among[0] !== undefined ? among[0] : { kind: "any", of: among };
    return { condition: negatedIf(option?.negated ?? false, condition) };
  },
  listed: ["sports", "dports", "ports"].map((side) => listedOption(`multiport ${side} `, `--${side}`)),
  examples: [
    { typed: "-p tcp -m multiport --sports 53,1024:65535" },
    { typed: "-p udp -m multiport ! --dports 80,443" },
    { typed: "-p tcp -m multiport --ports http,8080", saved: "-p tcp -m multiport --ports 80,8080" },
    { typed: "-p tcp -m multiport --dports 1:2,3:4,5:6,7:8,9:10,11:12,13:14,15" },
    { typed: "-p tcp -m multiport --dports 1:2,3:4,5:6,7:8,9:10,11:12,13:14,15,16", refused: true },
    { typed: "-p udp -m multiport --ports http", refused: true },
    { typed: "-p tcp -m multiport --dports 5:3", refused: true },
    { typed: "-p tcp -m multiport --dports 5:5", refused: true },
    { typed: "-p tcp -m multiport --dports 1,", refused: true },
    { typed: "-p tcp -m multiport --dports :5", refused: true },
    { typed: "-p tcp -m multiport --sports 1 --dports 2", refused: true },
    { typed: "-p icmp -m multiport --dports 1", refused: true },
    { typed: "-m multiport --dports 1", refused: true },
    { typed: "-p tcp -m multiport", refused: true },
  ],
});

type Asked = GivenOption<readonly Range[]> | undefined;

function asked(source: Asked, destination: Asked, either: Asked): [Asked, readonly NumberField[]] {
  if (source) return [source, ["sourcePort"]];
  if (destination) return [destination, ["destinationPort"]];
  return [either, ["sourcePort", "destinationPort"]];
}

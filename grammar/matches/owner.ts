import { GROUPS, USERS } from "../accounts.js";
import { defineMatch, flag, type ValueKind } from "../description.js";
import { listedFlag, listedLater, listedOption } from "../listing.js";
import { allOf, type Condition, hidden, NEVER, negatedIf, type Range } from "../meaning.js";
import { reading, readLong } from "../values.js";

/** The last id is not one: it stands for "no user". */
const ID_MAX = 0xfffffffen;
const expects = "an id or a range of ids, for example 1000-1999 (names hang on the node)";

const idRangeKind = (names: ReadonlyMap<string, number>): ValueKind<Range> => ({
  expects,
  grammar: () =>
    reading(expects, (text) => {
      const named = names.get(text);
      const [from = "", to = from, ...more] = named === undefined ? text.split(/[-:]/) : [`${named}`];
      const low = readLong(from, ID_MAX);
      const high = readLong(to, ID_MAX);
      if (low === undefined || high === undefined || low > high || more.length > 0) return undefined;
      return { from: Number(low), to: Number(high) };
    }),
  print: ({ from, to }) => (from === to ? `${from}` : `${from}-${to}`),
});

/** xt_owner: whose process sent the packet. */
export const owner = defineMatch({
  name: "owner",
  summary: "whose process of this node sent the packet",
  hooks: ["OUTPUT", "POSTROUTING"],
  options: {
    socket: flag("--socket-exists", { negatable: true }),
    user: { name: "--uid-owner", value: idRangeKind(USERS), negatable: true },
    group: { name: "--gid-owner", value: idRangeKind(GROUPS), negatable: true },
    supplementary: flag("--suppl-groups"),
  },
  complete(given) {
    const order = Object.keys(given);
    if (given.supplementary && !order.slice(0, order.indexOf("supplementary")).includes("group"))
      return { refused: "--suppl-groups needs --gid-owner before it" };
    return given.socket || given.user || given.group
      ? given
      : { refused: "one of --uid-owner, --gid-owner and --socket-exists must be given" };
  },
  meaning(given) {
    const { socket: exists, user, group, supplementary } = given;
    const sentBy = (word: string): Condition => ({ kind: "oneOf", field: "sender", words: [word] });
    const ofProcess = allOf([
      sentBy("process"),
      ...(user ? [negatedIf(user.negated, { kind: "within", field: "user", ranges: [user.value] })] : []),
      ...(group ? [negatedIf(group.negated, groupCondition(group.value, supplementary !== undefined))] : []),
    ]);
    // The kernel's own socket belongs to nobody; without a socket, all that is asked must be turned round.
    const isTurned = (option: { readonly negated: boolean } | undefined) => option?.negated ?? true;
    const turned = isTurned(user) && isTurned(group);
    const ofKernel = turned && !exists?.negated ? [sentBy("kernel")] : [];
    const ofNobody = turned && isTurned(exists) && supplementary === undefined ? [sentBy("none")] : [];
    const ways = [...(exists?.negated ? [] : [ofProcess]), ...ofKernel, ...ofNobody];
    const [only = NEVER] = ways;
    return { condition: ways.length > 1 ? { kind: "any", of: ways } : only };
  },
  listed: [
    listedOption("owner UID match ", "--uid-owner"),
    listedOption("owner GID match ", "--gid-owner"),
    listedFlag("owner socket exists", "--socket-exists"),
    ...listedLater(listedFlag("incl\\. suppl\\. groups", "--suppl-groups")),
  ],
  examples: [
    { typed: "-m owner ! --uid-owner 0-10 --gid-owner 5 --suppl-groups" },
    { typed: "-m owner --uid-owner root", saved: "-m owner --uid-owner 0" },
    { typed: "-m owner --gid-owner nogroup", saved: "-m owner --gid-owner 65534" },
    { typed: "-m owner --uid-owner 5:7", saved: "-m owner --uid-owner 5-7" },
    { typed: "-m owner ! --socket-exists" },
    { typed: "-m owner --suppl-groups", refused: true },
    { typed: "-m owner --suppl-groups --gid-owner 5", refused: true },
    { typed: "-m owner --uid-owner 0-4294967295", refused: true },
    { typed: "-m owner --uid-owner 10-5", refused: true },
    { typed: "-m owner", refused: true },
  ],
});

/** Of a process that has the group as one of its others nothing is known. */
function groupCondition({ from, to }: Range, supplementary: boolean): Condition {
  const own: Condition = { kind: "within", field: "group", ranges: [{ from, to }] };
  if (!supplementary) return own;
  const groups = from === to ? `group ${from}` : `a group from ${from} to ${to}`;
  const other = hidden(
    `the process that sends the packet has ${groups} as a supplementary group`,
    `the process that sends the packet does not have ${groups} as a supplementary group`,
  );
  return { kind: "any", of: [own, other] };
}

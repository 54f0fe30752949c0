import { prefixMask } from "../address.js";
import { defineMatch, flag, type GivenOption } from "../description.js";
import { hidden, negatedIf } from "../meaning.js";
import { numberKind, prefixLengthKind } from "../values.js";

const MAX = 0xffffffff;
const limit = (name: string) => ({ name, value: numberKind(0, MAX), negatable: true }) as const;

/** xt_connlimit: how many connections the source (or destination) network has open. `! --upto` is saved as `--above`. */
export const connlimit = defineMatch({
  name: "connlimit",
  summary: "how many connections a client has open",
  tracksConnections: true,
  options: {
    upto: limit("--connlimit-upto"),
    above: limit("--connlimit-above"),
    mask: { name: "--connlimit-mask", value: prefixLengthKind },
    source: flag("--connlimit-saddr"),
    destination: flag("--connlimit-daddr"),
  },
  complete(given, { family }) {
    const { upto, above, mask, source, destination, ...rest } = given;
    if ((upto === undefined) === (above === undefined)) {
      return { refused: "one of --connlimit-upto and --connlimit-above must be given" };
    }
    if (source && destination)
      return { refused: "--connlimit-saddr and --connlimit-daddr exclude each other" };
    const asked: GivenOption<number> = { value: (upto ?? above)?.value ?? 0, negated: false };
    const isUpto = (upto !== undefined) !== ((upto ?? above)?.negated ?? false);
    const set: GivenOption<true> = { value: true, negated: false };
    return {
      ...rest,
      ...(isUpto ? { upto: asked } : { above: asked }),
      mask: mask ?? { value: family === "ipv4" ? 32 : 128, negated: false },
      ...(destination ? { destination } : { source: source ?? set }),
    };
  },
  meaning({ upto, above, mask, destination }, { family }) {
    const side = destination ? "destination" : "source";
    const full = mask === undefined || mask.value === (family === "ipv4" ? 32 : 128);
    const whose = full ? `the ${side}` : `the /${mask.value} network of the ${side}`;
    const count = (upto ?? above)?.value ?? 0;
    const many = `connections of ${whose} are open, this one included`;
    return {
      condition: negatedIf(upto !== undefined, {
        ...hidden(`more than ${count} ${many}`, `at most ${count} ${many}`),
        counts: {
          kind: "connections",
          above: count,
          side,
          mask: prefixMask(mask?.value ?? (family === "ipv4" ? 32 : 128), family),
        },
      }),
    };
  },
  listed: [
    {
      form: /^#conn (src|dst)\/(\d+) (<=|>) (\d+)/,
      words: ([side, mask = "", how, count = ""]) => [
        how === ">" ? "--connlimit-above" : "--connlimit-upto",
        count,
        "--connlimit-mask",
        mask,
        `--connlimit-${side === "src" ? "saddr" : "daddr"}`,
      ],
    },
  ],
  examples: [
    {
      typed: "-m connlimit ! --connlimit-above 5",
      saved: "-m connlimit --connlimit-upto 5 --connlimit-mask 32 --connlimit-saddr",
    },
    { typed: "-m connlimit --connlimit-upto 5 --connlimit-mask 0 --connlimit-daddr" },
    {
      typed: "-m connlimit --connlimit-above 5",
      saved: "-m connlimit --connlimit-above 5 --connlimit-mask 128 --connlimit-saddr",
      family: "ipv6",
    },
    { typed: "-m connlimit --connlimit-above 5 --connlimit-saddr --connlimit-daddr", refused: true },
    { typed: "-m connlimit --connlimit-mask 8", refused: true },
  ],
});

import { defineMatch, type Given, type Option } from "../description.js";
import { listedLater, listedName, listedOption } from "../listing.js";
import { numberKind, unmaskedNetworkKind } from "../values.js";

const octet = (name: string) =>
  ({ name, value: numberKind(0, 255), negatable: true }) satisfies Option<number>;
const segment = (name: string) =>
  ({ name, value: unmaskedNetworkKind, negatable: true }) satisfies Option<{
    readonly address: number | bigint;
    readonly mask: number | bigint;
  }>;

const OPTIONS = {
  nextHeader: octet("--srh-next-hdr"),
  lengthEqual: octet("--srh-hdr-len-eq"),
  lengthAbove: octet("--srh-hdr-len-gt"),
  lengthBelow: octet("--srh-hdr-len-lt"),
  segmentsEqual: octet("--srh-segs-left-eq"),
  segmentsAbove: octet("--srh-segs-left-gt"),
  segmentsBelow: octet("--srh-segs-left-lt"),
  lastEqual: octet("--srh-last-entry-eq"),
  lastAbove: octet("--srh-last-entry-gt"),
  lastBelow: octet("--srh-last-entry-lt"),
  tag: { name: "--srh-tag", value: numberKind(0, 65535), negatable: true },
  previous: segment("--srh-psid"),
  next: segment("--srh-nsid"),
  last: segment("--srh-lsid"),
} as const;

/** Options that share one place in the kernel's record: the last one given counts for all of them. */
const SHARED = [
  ["lengthEqual", "lengthAbove", "lengthBelow"],
  ["segmentsEqual", "segmentsAbove", "segmentsBelow"],
  ["lastEqual", "lastAbove", "lastBelow"],
] as const;

/** ip6t_srh: the segment routing header. */
export const srh = defineMatch({
  name: "srh",
  summary: "the IPv6 segment routing header",
  families: ["ipv6"],
  options: OPTIONS,
  complete(given) {
    const result: Record<string, unknown> = { ...given };
    for (const group of SHARED) {
      const last = Object.keys(given)
        .filter((key) => (group as readonly string[]).includes(key))
        .at(-1);
      if (last === undefined) continue;
      const { value } = given[last as (typeof group)[number]] ?? { value: 0 };
      for (const key of group) if (given[key]) result[key] = { ...given[key], value };
    }
    return result as Given<typeof OPTIONS>;
  },
  // Without such a header nothing holds, nor its opposite.
  meaning: () => ({ condition: { kind: "oneOf", field: "extraHeader", words: ["route"] } }),
  listed: [
    listedName("srh"),
    ...listedLater(
      ...[
        "next-hdr",
        "hdr-len-eq",
        "hdr-len-gt",
        "hdr-len-lt",
        "segs-left-eq",
        "segs-left-gt",
        "segs-left-lt",
        "last-entry-eq",
        "last-entry-gt",
        "last-entry-lt",
        "tag",
      ].map((name) => listedOption(`${name}:`, `--srh-${name}`)),
      ...["psid", "nsid", "lsid"].map((name) => listedOption(`${name} `, `--srh-${name}`)),
    ),
  ],
  examples: [
    {
      typed: "-m srh ! --srh-next-hdr 17 --srh-psid a::/64 --srh-nsid b::/128 --srh-tag 0",
      saved: "-m srh ! --srh-next-hdr 17 --srh-tag 0 --srh-psid a::/64 --srh-nsid b::/128",
      family: "ipv6",
    },
    {
      typed: "-m srh --srh-hdr-len-eq 8 ! --srh-hdr-len-gt 3 --srh-hdr-len-lt 9",
      saved: "-m srh --srh-hdr-len-eq 9 ! --srh-hdr-len-gt 9 --srh-hdr-len-lt 9",
      family: "ipv6",
    },
    { typed: "-m srh --srh-tag 65536", family: "ipv6", refused: true },
  ],
});

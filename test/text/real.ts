/** Texts of real nodes, and what iptables-save printed after loading them, where it did. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import type { Family } from "../../grammar/address.js";
import type { Flavour } from "../../grammar/description.js";

export interface RealDump {
  readonly name: string;
  readonly text: string;
  readonly family: Family | undefined;
  readonly flavour: Flavour;
  readonly canonical: string | undefined;
}

const PACKED = join(import.meta.dirname, "../../fixtures/real/dumps.txt.gz");

function files(): ReadonlyMap<string, string> {
  const packed = gunzipSync(readFileSync(PACKED)).toString();
  const texts = new Map<string, string>();
  for (const part of packed.split(/^@@@@ /m).slice(1)) {
    const end = part.indexOf("\n");
    texts.set(part.slice(0, end), part.slice(end + 1));
  }
  return texts;
}

/** All of them; IPv6 halves count as dumps of their own. */
export function realDumps(): readonly RealDump[] {
  const texts = files();
  return [...texts].flatMap(([key, text]): readonly RealDump[] => {
    const [name = "", file = ""] = key.split(" ");
    if (!/^(?:dump6?|payload)\.txt$/.test(file)) return [];
    const six = file === "dump6.txt";
    return [
      {
        name: `${name} ${file}`,
        text,
        family: six ? "ipv6" : undefined,
        flavour: /-nft$/.test(name) ? "nft" : "legacy",
        canonical: file === "payload.txt" ? undefined : texts.get(`${name} canonical${six ? "6" : ""}.txt`),
      },
    ];
  });
}

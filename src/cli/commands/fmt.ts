/** `landfall fmt`: texts of a node as the real tools print them, and all problems of an input. */

import type { Family } from "../../../grammar/address.js";
import type { Flavour } from "../../../grammar/description.js";
import type { Problem } from "../../problems/problem.js";
import type { TextKind } from "../../text/segments.js";
import { type CommonFlags, inputNames, report, write } from "../common.js";
import { EXIT } from "../exit.js";
import { readInputs, readTexts } from "../inputs.js";
import type { IO } from "../io.js";

export interface FmtFlags extends CommonFlags {
  readonly family?: Family;
  readonly flavour?: Flavour;
  readonly as?: TextKind;
  readonly partial?: boolean;
}

export async function fmt(named: readonly string[], flags: FmtFlags, io: IO): Promise<number> {
  const names = inputNames(named, flags, io, "landfall fmt FILE, or … | landfall fmt -");
  const inputs = await readInputs(names, io, flags.as);
  const problems: Problem[] = [...inputs.problems];
  const texts = readTexts(inputs, problems, {
    ...(flags.family === undefined ? {} : { family: flags.family }),
    ...(flags.flavour === undefined ? {} : { flavour: flags.flavour }),
    keepUnread: flags.partial === true,
  });
  if (texts.length === 0 && problems.every(({ severity }) => severity !== "error")) {
    problems.push({
      code: "LF1034",
      severity: "error",
      message: "no input holds a node's text",
      help: "fmt reads what iptables-save, ipset save, ipvsadm -Sn, conntrack -L, ip addr and ip route print",
    });
  }
  const failed = report(problems, io, flags);
  if (failed !== undefined && !(flags.partial && texts.length > 0)) return failed;
  write(io, texts.map((one) => one.print()).join(""));
  return failed ?? EXIT.done;
}

/** All checks, by number. */
import type { Check } from "./finding.js";
import { noEndpoints } from "./findings/f01-no-endpoints.js";
import { noLocalEndpoints } from "./findings/f02-no-local-endpoints.js";
import { forwardDrops } from "./findings/f03-forward-drops.js";
import { masqueradeSkipped } from "./findings/f04-masquerade-skipped.js";
import { noHairpin } from "./findings/f05-no-hairpin.js";
import { otherMark } from "./findings/f06-other-mark.js";
import { repeatedRules } from "./findings/f07-repeated-rules.js";
import { hostPortTwice } from "./findings/f08-host-port-twice.js";
import { unusedChains } from "./findings/f09-unused-chains.js";
import { missingChains } from "./findings/f10-missing-chains.js";
import { twoModes } from "./findings/f11-two-modes.js";
import { twoBackEnds } from "./findings/f12-two-back-ends.js";
import { uneven } from "./findings/f13-uneven.js";
import { fiveDigits } from "./findings/f14-five-digits.js";
import { fallsThrough } from "./findings/f15-falls-through.js";
import { neverMatches } from "./findings/f16-never-matches.js";
import { shortAffinity } from "./findings/f17-short-affinity.js";
import { halfAffinity } from "./findings/f18-half-affinity.js";
import { dropMark } from "./findings/f19-drop-mark.js";
import { dropsAll } from "./findings/f20-drops-all.js";
import { mixedVersions } from "./findings/f21-mixed-versions.js";
import { behindNodePorts } from "./findings/f22-behind-node-ports.js";
import { portTaken } from "./findings/f23-port-taken.js";
import { inputBypassed } from "./findings/f24-input-bypassed.js";
import { returnThenDrop } from "./findings/f25-return-then-drop.js";
import { podsOutside } from "./findings/f26-pods-outside.js";
import { sourceLost } from "./findings/f27-source-lost.js";
import { sourceRanges } from "./findings/f28-source-ranges.js";
import { weightZero } from "./findings/f29-weight-zero.js";
import { noRealServers } from "./findings/f30-no-real-servers.js";
import { halfWritten } from "./findings/f31-half-written.js";
import { loopBack } from "./findings/f32-loop-back.js";
import { tooFewDirections } from "./findings/f33-too-few-directions.js";
import { unknownSets } from "./findings/f34-unknown-sets.js";
import { staleFlow } from "./findings/f35-stale-flow.js";
import { notTranslated } from "./findings/f36-not-translated.js";
import { noReplies } from "./findings/f37-no-replies.js";
import { toLoopback } from "./findings/f38-to-loopback.js";
import { randomFully } from "./findings/f39-random-fully.js";
import { twoPlugins } from "./findings/f40-two-plugins.js";
import { policyBypassed } from "./findings/f41-policy-bypassed.js";
import { openRules } from "./findings/f42-open-rules.js";
import { countedLosses } from "./findings/f43-counted-losses.js";
import { manyRules } from "./findings/f44-many-rules.js";
import { notInIptables } from "./findings/f45-not-in-iptables.js";
import { severalDumps } from "./findings/f46-several-dumps.js";
import { hostPortsFlushed } from "./findings/f47-host-ports-flushed.js";

export const CHECKS: readonly Check[] = [
  noEndpoints,
  noLocalEndpoints,
  forwardDrops,
  masqueradeSkipped,
  noHairpin,
  otherMark,
  repeatedRules,
  hostPortTwice,
  unusedChains,
  missingChains,
  twoModes,
  twoBackEnds,
  uneven,
  fiveDigits,
  fallsThrough,
  neverMatches,
  shortAffinity,
  halfAffinity,
  dropMark,
  dropsAll,
  mixedVersions,
  behindNodePorts,
  portTaken,
  inputBypassed,
  returnThenDrop,
  podsOutside,
  sourceLost,
  sourceRanges,
  weightZero,
  noRealServers,
  halfWritten,
  loopBack,
  tooFewDirections,
  unknownSets,
  staleFlow,
  notTranslated,
  noReplies,
  toLoopback,
  randomFully,
  twoPlugins,
  policyBypassed,
  openRules,
  countedLosses,
  manyRules,
  notInIptables,
  severalDumps,
  hostPortsFlushed,
];

/** The check of a code, or of the short name that its number makes: `LF3001` or `F1`. */
export function checkNamed(name: string): Check | undefined {
  return CHECKS.find(({ code }) => code === name.toUpperCase() || aliasOf(code) === name.toUpperCase());
}

/** `F1` of `LF3001`; no two codes of lint have the same. */
export function aliasOf(code: string): string {
  return `F${Number(code.slice(3))}`;
}

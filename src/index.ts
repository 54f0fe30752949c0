/** The library: everything that is meant to be used from outside. */

export { type Address, type Family, printAddress, readAddress } from "../grammar/address.js";
export type { Packet } from "../grammar/packet.js";
export { type PacketQuestion, readPacketQuestion } from "../grammar/packet-question.js";
export { readSeenClient, type SeenClient } from "../grammar/seen-client.js";
export type * from "./cluster/model.js";
export { readNetworkDocument } from "./cluster/network.js";
export { chooseNode, networkOfNode } from "./cluster/node.js";
export { readCluster } from "./cluster/read.js";
export { resolveQuestion } from "./cluster/resolve.js";
export { withSlicesFromPods } from "./cluster/slices-from-pods.js";
export { familiesOf } from "./compile/common/families.js";
export { type Payload, printPayload } from "./compile/common/payload.js";
export { type Compiled, type CompileOptions, compileIptables } from "./compile/iptables/compile.js";
export { compileNextSync } from "./compile/iptables/next-sync.js";
export {
  type CompiledIpvs,
  compileIpvs,
  compileNextIpvsSync,
  type IpvsOptions,
} from "./compile/ipvs/compile.js";
export { NEWEST_VERSION, readVersion, VERSIONS, type Version } from "./compile/versions.js";
export { type CompareStatesOptions, compareStates, type Differences } from "./diff/compare.js";
export { makeSide, type Side } from "./diff/side.js";
export { readDocuments } from "./documents/read.js";
export {
  type ConversationStep,
  type Course,
  type Courses,
  converse,
} from "./evaluate/conversation.js";
export { evaluate } from "./evaluate/evaluate.js";
export type { EvaluateOptions } from "./evaluate/options.js";
export type { Assumption, Case, Distribution, Landing, Share, Step, Verdict } from "./evaluate/outcome.js";
export { lowestTerms, toNumber } from "./evaluate/share.js";
export { servicesOf } from "./explain/services.js";
export { printTraceLine, type TraceLine, traceLines } from "./explain/trace-lines.js";
export type { Finding, FindingSeverity, Sighting, Sureness } from "./lint/finding.js";
export { lint } from "./lint/lint.js";
export { CODES, type Code } from "./problems/codes.js";
export type { Place, Problem, Severity, Source } from "./problems/problem.js";
export type { Connection } from "./state/connections.js";
export type { Network } from "./state/network.js";
export { mergeStates, type NodeState } from "./state/nodestate.js";
export type { RecentList } from "./state/recent.js";
export { chainOf, type Rule, type Ruleset, rulesOf } from "./state/rules.js";
export type { IpSet, IpSets } from "./state/sets.js";
export type { VirtualServer, VirtualServers } from "./state/virtual-servers.js";
export { type NodeText, type NodeTextOptions, readNodeText } from "./text/read.js";
export { applyRestore, readRules } from "./text/rules.js";
export { printRule, printRuleset } from "./text/save.js";
export { type Segment, segmentsOf, type TextKind } from "./text/segments.js";

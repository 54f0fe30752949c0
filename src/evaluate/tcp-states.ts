/**
 * How connection tracking follows TCP: which state an entry comes to by which flags in which direction, and how long it
 * then waits. From the kernel's nf_conntrack_proto_tcp (Linux 6.x). Sequence numbers are taken to lie in the window.
 */

export type TcpState =
  | "SYN_SENT"
  | "SYN_RECV"
  | "ESTABLISHED"
  | "FIN_WAIT"
  | "CLOSE_WAIT"
  | "LAST_ACK"
  | "TIME_WAIT"
  | "CLOSE"
  | "SYN_SENT2";

/** A packet that does not fit, and one that changes nothing. */
type Move = TcpState | "invalid" | "ignored";

const [SS, SR, ES, FW, CW, LA, TW, CL, S2] = [
  "SYN_SENT",
  "SYN_RECV",
  "ESTABLISHED",
  "FIN_WAIT",
  "CLOSE_WAIT",
  "LAST_ACK",
  "TIME_WAIT",
  "CLOSE",
  "SYN_SENT2",
] as const;
const IV = "invalid";
const IG = "ignored";

const STATES: readonly TcpState[] = [SS, SR, ES, FW, CW, LA, TW, CL, S2];

type Kind = "syn" | "synack" | "fin" | "ack" | "rst" | "none";

/** A column for each of STATES. */
const MOVES: Readonly<Record<"ORIGINAL" | "REPLY", Readonly<Record<Kind, readonly Move[]>>>> = {
  ORIGINAL: {
    syn: [SS, IG, IG, IG, IG, IG, SS, SS, S2],
    synack: [IV, SR, IV, IV, IV, IV, IV, IV, SR],
    fin: [IV, FW, FW, LA, LA, LA, TW, CL, IV],
    ack: [IV, ES, ES, CW, CW, TW, TW, CL, IV],
    rst: [CL, CL, CL, CL, CL, CL, CL, CL, CL],
    none: [IV, IV, IV, IV, IV, IV, IV, IV, IV],
  },
  REPLY: {
    syn: [S2, IV, IV, IV, IV, IV, SS, IV, S2],
    synack: [SR, IG, IG, IG, IG, IG, IG, IG, SR],
    fin: [IV, FW, FW, LA, LA, LA, TW, CL, IV],
    ack: [IG, SR, ES, CW, CW, TW, TW, CL, IG],
    rst: [CL, CL, CL, CL, CL, CL, CL, CL, CL],
    none: [IV, IV, IV, IV, IV, IV, IV, IV, IV],
  },
};

const FIN = 1;
const SYN = 2;
const RST = 4;
const ACK = 16;

function kindOf(flags: number): Kind {
  if (flags & RST) return "rst";
  if (flags & SYN) return flags & ACK ? "synack" : "syn";
  if (flags & FIN) return "fin";
  return flags & ACK ? "ack" : "none";
}

/** PSH and the two ECN bits never matter. */
const IGNORED_FLAGS = 8 | 64 | 128;
const URG = 32;

/** Sets of flags that some packet of a connection may have; anything else is INVALID. */
const VALID_FLAGS = [SYN, SYN | URG, SYN | ACK, RST, RST | ACK, FIN | ACK, FIN | ACK | URG, ACK, ACK | URG];

/** Whether connection tracking takes the flags for those of a TCP packet at all. */
export function areValidFlags(flags: number): boolean {
  return VALID_FLAGS.includes(flags & ~IGNORED_FLAGS);
}

/** Whether a packet without an entry opens a connection; `pickUp`: also one in mid-stream. */
export function opensConnection(flags: number, pickUp: boolean): boolean {
  const kind = kindOf(flags);
  return areValidFlags(flags) && (kind === "syn" || (kind === "ack" && pickUp));
}

/** The state after a packet; `invalid`: connection tracking takes it for none of the connection. */
export function tcpMove(
  state: TcpState,
  direction: "ORIGINAL" | "REPLY",
  flags: number,
): TcpState | "invalid" {
  const move = MOVES[direction][kindOf(flags)][STATES.indexOf(state)] ?? IV;
  return move === IG ? state : move;
}

/** The state of a first packet; a connection that is picked up in mid-stream counts as established. */
export function tcpStart(flags: number): TcpState {
  return flags & SYN ? SS : ES;
}

/** Seconds without a packet after which the entry ends, and the sysctl (net.netfilter.nf_conntrack_tcp_timeout_…). */
export const TCP_TIMEOUTS: Readonly<Record<TcpState, readonly [string, number]>> = {
  SYN_SENT: ["syn_sent", 120],
  SYN_RECV: ["syn_recv", 60],
  ESTABLISHED: ["established", 432000],
  FIN_WAIT: ["fin_wait", 120],
  CLOSE_WAIT: ["close_wait", 60],
  LAST_ACK: ["last_ack", 30],
  TIME_WAIT: ["time_wait", 120],
  CLOSE: ["close", 10],
  SYN_SENT2: ["syn_sent", 120],
};

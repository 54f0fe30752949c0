/**
 * How IPVS follows a connection of TCP: its own states, which connection tracking does not share. Half of a connection is
 * enough for it: what decides are the flags of each packet and its direction. Facts: Linux 6.1, ip_vs_proto_tcp.c
 * (`tcp_states`, `tcp_timeouts`, `tcp_state_active_table`).
 */

/** As `ipvsadm -Lc` names them. */
export type IpvsTcpState =
  | "NONE"
  | "ESTABLISHED"
  | "SYN_SENT"
  | "SYN_RECV"
  | "FIN_WAIT"
  | "TIME_WAIT"
  | "CLOSE"
  | "CLOSE_WAIT"
  | "LAST_ACK"
  | "LISTEN"
  | "SYNACK";

const NAMES = {
  NO: "NONE",
  ES: "ESTABLISHED",
  SS: "SYN_SENT",
  SR: "SYN_RECV",
  FW: "FIN_WAIT",
  TW: "TIME_WAIT",
  CL: "CLOSE",
  CW: "CLOSE_WAIT",
  LA: "LAST_ACK",
  LI: "LISTEN",
  SA: "SYNACK",
} as const;

const STATES = Object.values(NAMES);

function row(text: string): readonly IpvsTcpState[] {
  return text.split(" ").map((short) => NAMES[short as keyof typeof NAMES]);
}

/** The next state, by what the packet says and the state before, in the order of NAMES. */
const REQUEST = {
  syn: row("SR ES ES SR SR SR SR SR SR SR SR"),
  fin: row("CL CW SS TW TW TW CL CW LA LI TW"),
  ack: row("ES ES SS ES FW TW CL CW CL LI ES"),
  rst: row("CL CL CL SR CL CL CL CL LA LI SR"),
};
const ANSWER = {
  syn: row("SS ES SS SR SS SS SS SS SS LI SR"),
  fin: row("TW FW SS TW FW TW CL TW LA LI TW"),
  ack: row("ES ES SS ES FW TW CL CW LA ES ES"),
  rst: row("CL CL SS CL CL TW CL CL CL CL CL"),
};

const FIN = 1;
const SYN = 2;
const RST = 4;
const ACK = 16;

/** The state after a packet with these flags of TCP; NONE before the first. */
export function nextState(before: IpvsTcpState, flags: number, isRequest: boolean): IpvsTcpState {
  const kind =
    flags & RST ? "rst" : flags & SYN ? "syn" : flags & FIN ? "fin" : flags & ACK ? "ack" : undefined;
  if (kind === undefined) return before;
  return (isRequest ? REQUEST : ANSWER)[kind][STATES.indexOf(before)] ?? before;
}

/** Whether schedulers count the connection as active. */
export function isActive(state: IpvsTcpState): boolean {
  return ["ESTABLISHED", "SYN_SENT", "SYN_RECV", "SYNACK"].includes(state);
}

/** Whether a SYN begins another connection in its place (`conn_reuse_mode` 1, which kube-proxy leaves on new kernels). */
export function isOver(state: IpvsTcpState): boolean {
  return state === "TIME_WAIT" || state === "CLOSE";
}

/** Seconds that a connection stays in each state; those of ESTABLISHED and FIN_WAIT can be set (`ipvsadm --set`). */
const SECONDS: Readonly<Record<IpvsTcpState, number>> = {
  NONE: 2,
  ESTABLISHED: 900,
  SYN_SENT: 120,
  SYN_RECV: 60,
  FIN_WAIT: 120,
  TIME_WAIT: 120,
  CLOSE: 10,
  CLOSE_WAIT: 60,
  LAST_ACK: 30,
  LISTEN: 120,
  SYNACK: 120,
};

export function secondsIn(
  state: IpvsTcpState,
  { tcp, tcpFin }: { readonly tcp?: number | undefined; readonly tcpFin?: number | undefined },
): number {
  const set = state === "ESTABLISHED" ? tcp : state === "FIN_WAIT" ? tcpFin : undefined;
  return set ?? SECONDS[state];
}

/** Sets of hooks that several extensions are bound to. */
import type { Hook } from "./meaning.js";

/** Where a packet has come in by an interface. */
export const INGRESS: readonly Hook[] = ["PREROUTING", "INPUT", "FORWARD"];
/** Where a packet leaves by an interface. */
export const EGRESS: readonly Hook[] = ["FORWARD", "OUTPUT", "POSTROUTING"];
/** Where the packet's route is known. */
export const PREROUTING_FREE: readonly Hook[] = ["INPUT", "FORWARD", "OUTPUT", "POSTROUTING"];

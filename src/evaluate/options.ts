/** What is known of a node beyond its texts when a question is asked. */
import type { Hook } from "../../grammar/meaning.js";
import type { SeenClient } from "../../grammar/seen-client.js";

export interface EvaluateOptions {
  /** The connection table and all xt_recent lists are empty, rules were just loaded. Default: nothing is known of them. */
  readonly fresh?: boolean;
  /**
   * The virtual servers were just made by the commands that tell of them, in their order, as `ipvsadm -R` makes them: the
   * order of the real servers and whose turn it is are known. Default: a listing tells of them, which is sorted.
   */
  readonly serversInOrder?: boolean;
  /**
   * Clients that were last seen on an endpoint so long ago: each is in the xt_recent lists whose rules translate to that
   * endpoint, beside what the dumps show, and in no other list of the same Service. One whose endpoint has no list counts
   * for nothing.
   */
  readonly seenClients?: readonly SeenClient[];
  /**
   * The packet is at this hook, as rules there see it, and meets the rules of this hook alone. Default: it takes its whole
   * way. Counts for single packets.
   */
  readonly hook?: Hook;
}

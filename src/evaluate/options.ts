/** What is known of a node beyond its texts when a question is asked. */

export interface EvaluateOptions {
  /** The connection table and all xt_recent lists are empty, rules were just loaded. Default: nothing is known of them. */
  readonly fresh?: boolean;
  /**
   * The virtual servers were just made by the commands that tell of them, in their order, as `ipvsadm -R` makes them: the
   * order of the real servers and whose turn it is are known. Default: a listing tells of them, which is sorted.
   */
  readonly serversInOrder?: boolean;
}

/** KUBE-FORWARD: what is masqueraded or answered may pass, whatever the policy of FORWARD. */
import type { Context } from "./context.js";
import { append, comment, type Draft } from "./payload.js";

export function forwardRules(draft: Draft, { mark }: Context): void {
  append(
    draft,
    "KUBE-FORWARD",
    comment("kubernetes forwarding rules"),
    `-m mark --mark ${mark}/${mark} -j ACCEPT`,
  );
  append(
    draft,
    "KUBE-FORWARD",
    comment("kubernetes forwarding conntrack rule"),
    "-m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
  );
}

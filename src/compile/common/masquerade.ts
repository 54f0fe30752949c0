/** Marking for masquerade, and KUBE-POSTROUTING, which does it. */
import type { Context } from "./context.js";
import { append, comment, type Draft } from "./payload.js";

export function masqueradeChains(draft: Draft, { mark }: Context): void {
  append(draft, "KUBE-POSTROUTING", `-m mark ! --mark ${mark}/${mark} -j RETURN`);
  // The mark is taken off again, so that a packet that passes here twice is not masqueraded twice.
  append(draft, "KUBE-POSTROUTING", `-j MARK --xor-mark ${mark}`);
  append(
    draft,
    "KUBE-POSTROUTING",
    comment("kubernetes service traffic requiring SNAT"),
    "-j MASQUERADE --random-fully",
  );
  append(draft, "KUBE-MARK-MASQ", `-j MARK --or-mark ${mark}`);
}

/** landfall/compile@1: what a node holds after a sync of kube-proxy. */
import * as z from "zod/mini";
import { about, maybe, text } from "./parts.js";
import { state } from "./state.js";

export const compileSchema = z
  .strictObject({
    schema: z.literal("landfall/compile@1"),
    kubeProxy: text.check(about("the version whose rules these are, for example 1.30")),
    mode: z.enum(["iptables", "ipvs"]),
    node: maybe.check(about("the node's name; null when none was given")),
    state,
  })
  .check(about("what a node holds after kube-proxy's sync"));

export type CompileDocument = z.infer<typeof compileSchema>;

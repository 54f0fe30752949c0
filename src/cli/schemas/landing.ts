/** Where a packet ends, in landfall/trace@1, landfall/conversation@1 and landfall/diff@1. */
import * as z from "zod/mini";
import { about, count, maybe, port, probability, step, text } from "./parts.js";

export const landing = z.strictObject({
  verdict: z
    .enum(["forward", "local", "drop", "reject", "error", "queue", "nothing to answer"])
    .check(
      about(
        "what becomes of the packet; error: the sending process gets an errno; queue: user space decides; nothing to answer: in a conversation, no packet was delivered before",
      ),
    ),
  in: maybe.check(about("the interface it came in by")),
  out: maybe.check(about("the interface it leaves by")),
  src: maybe,
  sport: port,
  dst: maybe,
  dport: port,
  with: maybe.check(about("what a rejection or an error answers with")),
  from: maybe.check(about("who sends the rejection")),
  answered: z.nullable(z.boolean()).check(about("whether the rejection leaves the node")),
  processSees: maybe.check(
    about("what a process of the node that sent it notices: EPERM, ECONNREFUSED, timeout"),
  ),
  endpoint: maybe.check(about("namespace/name:port of the Service whose endpoint this is")),
  ipvs: z
    .optional(
      z.strictObject({
        service: text.check(about("ADDRESS:PORT/PROTOCOL, or mark NUMBER")),
        scheduler: maybe,
      }),
    )
    .check(about("the virtual server that took the packet; absent: none did")),
  masqueraded: z.boolean(),
  sportKept: z.boolean().check(about("whether the source port is the one it came with, known or not")),
  icmp: z.nullable(z.strictObject({ type: count, code: count })),
  inner: z
    .nullable(z.strictObject({ src: maybe, sport: port, dst: maybe, dport: port, proto: text }))
    .check(about("the packet that an ICMP error quotes, as its receiver sees it")),
  conntrack: maybe.check(about("its connection as `conntrack -L` prints it; ? for what the kernel chooses")),
  probability,
  rules: z.array(step).check(about("the rules that matched, in the order in which the packet met them")),
});

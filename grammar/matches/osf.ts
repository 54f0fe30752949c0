import { INGRESS } from "../hooks.js";
import { listedOption } from "../listing.js";
import { PROTOCOL } from "../protocols.js";
import { defineUnmodelledMatch } from "../unmodelled.js";
import { cutNameKind, numberKind } from "../values.js";

/** xt_osf: the operating system that the packet's TCP options look like. */
export const osf = defineUnmodelledMatch({
  name: "osf",
  summary: "the operating system that the sender looks like",
  families: ["ipv4"],
  protocols: [PROTOCOL.tcp],
  hooks: INGRESS,
  options: {
    genre: {
      name: "--genre",
      value: cutNameKind("a name of at most 31 characters", 31),
      negatable: true,
      required: true,
    },
    ttl: { name: "--ttl", value: numberKind(0, 2) },
    log: { name: "--log", value: numberKind(0, 2) },
  },
  unmodelled: { hangsOn: "the TCP options of the sender" },
  listed: [listedOption("OS fingerprint match ", "--genre")],
  examples: [
    { typed: "-p tcp -m osf ! --genre Linux" },
    { typed: "-p tcp -m osf --genre linux --ttl 0 --log 1" },
    { typed: "-p tcp -m osf --genre linux --ttl 3", refused: true },
    { typed: "-m osf --genre linux", refused: true },
    { typed: "-p tcp -m osf", refused: true },
  ],
});

import { defineMatch } from "../description.js";
import { headerOptions } from "../ipv6-options.js";
import { listedLater, listedName, listedOption } from "../listing.js";

/** ip6t_dst: the header with destination options. */
export const dst = defineMatch({
  name: "dst",
  summary: "the IPv6 header with destination options",
  families: ["ipv6"],
  options: headerOptions("dst"),
  // Without such a header nothing holds, nor its opposite.
  meaning: () => ({ condition: { kind: "oneOf", field: "extraHeader", words: ["dst"] } }),
  listed: [
    listedName("dst"),
    ...listedLater(listedOption("length:", "--dst-len"), listedOption("opts ", "--dst-opts")),
  ],
  examples: [
    { typed: "-m dst", family: "ipv6" },
    { typed: "-m dst ! --dst-len 5 --dst-opts 1:2,3", family: "ipv6" },
    { typed: "-m dst --dst-opts 1:2,0x3:300", saved: "-m dst --dst-opts 1:2,3:44", family: "ipv6" },
    { typed: "-m dst --dst-opts 1:255,257:-2,256", saved: "-m dst --dst-opts 1,1:254,0", family: "ipv6" },
    { typed: "-m dst --dst-opts 1:2:3", family: "ipv6", refused: true },
    { typed: "-m dst --dst-opts 0:1", family: "ipv6", refused: true },
    { typed: "-m dst --dst-opts x", family: "ipv6", refused: true },
  ],
});

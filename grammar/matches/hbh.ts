import { defineMatch } from "../description.js";
import { headerOptions } from "../ipv6-options.js";
import { listedLater, listedName, listedOption } from "../listing.js";

/** ip6t_hbh: the header with hop-by-hop options. */
export const hbh = defineMatch({
  name: "hbh",
  summary: "the IPv6 header with hop-by-hop options",
  families: ["ipv6"],
  options: headerOptions("hbh"),
  // Without such a header nothing holds, nor its opposite.
  meaning: () => ({ condition: { kind: "oneOf", field: "extraHeader", words: ["hop"] } }),
  listed: [
    listedName("hbh"),
    ...listedLater(listedOption("length:", "--hbh-len"), listedOption("opts ", "--hbh-opts")),
  ],
  examples: [
    { typed: "-m hbh", family: "ipv6" },
    { typed: "-m hbh ! --hbh-len 5 --hbh-opts 1:2,3", family: "ipv6" },
    { typed: "-m hbh --hbh-opts 1:2,0x3:300", saved: "-m hbh --hbh-opts 1:2,3:44", family: "ipv6" },
    { typed: "-m hbh --hbh-opts 1:255,257:-2,256", saved: "-m hbh --hbh-opts 1,1:254,0", family: "ipv6" },
    { typed: "-m hbh --hbh-opts 1:2:3", family: "ipv6", refused: true },
    { typed: "-m hbh --hbh-opts 0:1", family: "ipv6", refused: true },
    { typed: "-m hbh --hbh-opts x", family: "ipv6", refused: true },
  ],
});

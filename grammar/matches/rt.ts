import { type Address, printAddress, readIPv6 } from "../address.js";
import { defineMatch, flag } from "../description.js";
import { listedFlag, listedLater, listedName, listedOption } from "../listing.js";
import { isWhole, listKind, numberKind, numberRangeKind } from "../values.js";

const MAX = 0xffffffff;
const ADDRESSES_MAX = 16;

/** ip6t_rt: the routing header; the last three options are about type 0 alone. */
export const rt = defineMatch({
  name: "rt",
  summary: "the IPv6 routing header",
  families: ["ipv6"],
  options: {
    type: { name: "--rt-type", value: numberKind(0, MAX), negatable: true },
    segmentsLeft: {
      name: "--rt-segsleft",
      value: numberRangeKind(MAX),
      negatable: true,
      hidden: isWhole(MAX),
    },
    length: { name: "--rt-len", value: numberKind(0, MAX), negatable: true },
    reserved: flag("--rt-0-res"),
    addresses: {
      name: "--rt-0-addrs",
      value: listKind<Address>(
        `at most ${ADDRESSES_MAX} IPv6 addresses`,
        ADDRESSES_MAX,
        readIPv6,
        printAddress,
      ),
    },
    notStrict: flag("--rt-0-not-strict"),
  },
  complete(given) {
    const { type, reserved, addresses, notStrict } = given;
    const order = Object.keys(given);
    const before = (first: string, second: string) =>
      order.includes(first) && order.indexOf(first) < order.indexOf(second);
    const ofTypeZero = type !== undefined && type.value === 0 && !type.negated;
    const early = ["reserved", "addresses", "notStrict"].some(
      (key) => order.includes(key) && !before("type", key),
    );
    if ((reserved || addresses || notStrict) && (!ofTypeZero || early))
      return { refused: "--rt-0-… need --rt-type 0 before them" };
    return notStrict && !before("addresses", "notStrict")
      ? { refused: "--rt-0-not-strict needs --rt-0-addrs before it" }
      : given;
  },
  // Without such a header nothing holds, nor its opposite.
  meaning: () => ({ condition: { kind: "oneOf", field: "extraHeader", words: ["route"] } }),
  listed: [
    listedName("rt"),
    ...listedLater(
      listedOption("type:", "--rt-type"),
      listedOption("segslefts?:", "--rt-segsleft"),
      listedOption("length:", "--rt-len"),
      listedFlag("reserved", "--rt-0-res"),
      listedOption("0-addrs ", "--rt-0-addrs"),
      listedFlag("0-not-strict", "--rt-0-not-strict"),
    ),
  ],
  examples: [
    {
      typed:
        "-m rt --rt-type 0 --rt-segsleft 1:23 --rt-len 42 --rt-0-res --rt-0-addrs ::1,::2 --rt-0-not-strict",
      family: "ipv6",
    },
    { typed: "-m rt ! --rt-type 1 ! --rt-segsleft 12 ! --rt-len 42", family: "ipv6" },
    { typed: "-m rt --rt-0-res --rt-type 0", family: "ipv6", refused: true },
    { typed: "-m rt --rt-0-res", family: "ipv6", refused: true },
    { typed: "-m rt --rt-type 1 --rt-0-res", family: "ipv6", refused: true },
  ],
});

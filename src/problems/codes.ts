/**
 * The closed list of problem codes. LF1xxx reading, LF2xxx unmodelled or assumed, LF3xxx and LF4xxx lint, LF5xxx objects
 * and compiling, LF9xxx internal. A code is never reused for something else.
 */
export const CODES = {
  // Reading: rules
  LF1001: "a line that is no part of a dump",
  LF1002: "a rule outside a table",
  LF1003: "unknown match",
  LF1004: "unknown target or chain",
  LF1005: "an option without its value",
  LF1006: "a value that the option does not take",
  LF1007: "unknown option",
  LF1008: "an option given twice",
  LF1009: "a negation where none may stand",
  LF1010: "options that a match or target needs or does not allow",
  LF1011: "a target in a table that may not hold it",
  LF1012: "a chain used before it is declared",
  LF1013: "a malformed chain line",
  LF1014: "a malformed or unknown command",
  LF1015: "COMMIT is missing",
  LF1016: "a quote that is not closed",
  LF1017: "a word that belongs to no option",
  LF1018: "a table that iptables does not have",
  LF1019: "an option before the protocol it needs",
  LF1020: "chains that jump in a circle",
  LF1021: "a chain that is named and not there",
  LF1022: "a listing that leaves parts of rules out",
  LF1023: "a table that comes twice",
  // Reading: ipsets
  LF1024: "an ipset that is not there, is there already, or is in use",
  LF1025: "a type of set that ipset does not have",
  LF1026: "an element that the ipset cannot take",
  // Reading: inputs in general
  LF1030: "empty input",
  LF1031: "a kind of text that landfall does not read",
  LF1032: "a binary file",
  LF1033: "a file that cannot be read",
  LF1034: "text whose kind is not recognised",
  // Reading: connections and xt_recent lists
  LF1040: "a connection entry or xt_recent line that is cut off or malformed",
  LF1041: "connections that are gone",
  LF1042: "a connection that is listed twice",
  LF1043: "an xt_recent list whose name is not given",
  // Packet questions
  LF1050: "a packet question that cannot be read",
  LF1051: "a packet record that cannot be read",
  LF1052: "an expectation that cannot be read",
  LF1053: "an event of a replay that cannot be read",
  // Unmodelled or assumed
  LF2001: "an assumption about the node",
  LF2003: "a match or target that is not modelled",
  LF2010: "a default that was used",
  // Objects and compiling
  LF5001: "YAML or JSON that cannot be read",
  LF5002: "a field of the wrong kind or value",
  LF5003: "a kind of object that landfall does not use",
  LF5004: "which node is not clear",
  LF5005: "something kube-proxy would skip",
  LF5006: "an alias that expands too far",
  LF5007: "an unknown kube-proxy version",
  LF5008: "no such object",
  LF5009: "two objects that exclude each other",
  LF5010: "a sync that the node would refuse",
  LF5011: "a mode of kube-proxy that landfall does not compile",
  LF9001: "an internal error",
} as const;

export type Code = keyof typeof CODES;

/** LF1050 to LF1069: packets that were asked about. */
import type { Code } from "../../problems/codes.js";
import type { Explanation } from "./explanation.js";

const SERVICE_RULES = `*nat
:PREROUTING ACCEPT [0:0]
-A PREROUTING -d 10.96.0.10/32 -p udp -m udp --dport 53 -j DNAT --to-destination 10.244.1.5:53
COMMIT
`;

export const PACKETS = {
  LF1050: {
    means: [
      "The packet in words does not follow `[SOURCE[:PORT]] to DESTINATION:PORT/PROTOCOL`, or names an object that is not there.",
      "The marks stand under the first word that does not fit, and beside them is what would.",
    ],
    matters: [
      "The rules look at all of it: UDP port 53 and TCP port 53 of one address are two Service ports with chains of their own.",
      "So landfall does not guess a part that is wrong, and gives no answer. What is left out altogether is left open instead.",
    ],
    example: {
      command: "trace node.save 10.1.2.3 to 10.96.0.10:99999/udp",
      files: { "node.save": SERVICE_RULES },
    },
    remedy: [
      "Write for example `10.1.2.3:4567 to 10.96.0.10:53/udp`; IPv6 addresses stand in brackets: `[fd00::1]:4567`.",
      "An arrow is `→`, or `->` in quotes: without quotes the shell takes the `>` for a redirection.",
      "Names such as svc/NAMESPACE/NAME:PORT need the objects among the inputs.",
    ],
  },
  LF1051: {
    means: [
      "A record of --packets or --packet-json is no JSON object, or a field of it is missing or cannot be what it says.",
      "Fields: src, sport, dst, dport, proto, in, flags, icmpType, icmpCode, mark, id. Only dst and proto must be there, and dport for protocols with ports.",
    ],
    matters: [
      "No record is answered when one cannot be read, so that the answers always stand for the questions, line by line.",
    ],
    example: {
      command: "trace node.save --packets asked.ndjson",
      files: {
        "node.save": SERVICE_RULES,
        "asked.ndjson": '{"src": "10.1.2.3", "dst": "10.96.0.10", "dport": 70000, "proto": "udp"}\n',
      },
    },
    remedy: [
      "Write one object a line, or one array of them, with addresses as strings and ports as numbers.",
      "`jq -c '.[]' FILE` turns an array into lines.",
    ],
  },
  LF1052: {
    means: [
      "What is expected of a packet does not follow the language of expectations, or names a service port or a step that is not there.",
      "The marks stand under the first word that does not fit, and beside them is what would.",
    ],
    matters: [
      "An expectation that is read otherwise than it was meant would be met for the wrong reason, so a doubtful one is refused.",
      "So is one about a service port that no input names: `never lands on` a name with a slip in it would always be met.",
    ],
    example: {
      command: "check -f expectations.yaml node.save",
      files: {
        "node.save": SERVICE_RULES,
        "expectations.yaml":
          "version: 1\nexpect:\n  - packet: 10.1.2.3 to 10.96.0.10:53/udp\n    expect: never droped and lands on 10.244.1.5:53\n",
      },
    },
    remedy: [
      "Write for example `lands on 10.244.1.5:53`, `never dropped`, `share of default/web:http about 1/3`.",
      "Before an `or`, put parentheses around what `not` or `never` speaks of: `never (dropped or rejected)`.",
      "The language and the file are described in docs/expectations.md.",
    ],
  },
  LF1053: {
    means: [
      "A line of the file that `simulate --connections` names is no event, or a column of it cannot be what it says.",
      "Events are open, close, expire, ipvs and wait; an open one needs proto, src, sport, dst and dport.",
    ],
    matters: [
      "Which real server IPVS takes hangs on all that came before: one connection more or less, and the turn is another's.",
      "So nothing is answered when a line cannot be read.",
    ],
    example: {
      command: "simulate ipvsadm.txt --connections events.tsv",
      files: {
        "ipvsadm.txt": "-A -t 10.96.0.10:80 -s rr\n-a -t 10.96.0.10:80 -r 10.244.1.10:8080 -m -w 1\n",
        "events.tsv":
          "event\tid\tproto\tsrc\tsport\tdst\tdport\nopen\t0\ttcp\t10.9.0.1\t70000\t10.96.0.10\t80\n",
      },
    },
    remedy: [
      "Put a tab between columns: `printf 'close\\t0\\n'` writes one.",
      "A first line that begins with `event` names the columns, in any order.",
    ],
  },
  LF1054: {
    means: [
      "What --affinity says does not follow CLIENT=ENDPOINT@AGE, or no rule remembers clients for that endpoint.",
      "The marks stand under the first part that does not fit.",
    ],
    matters: [
      "With session affinity, kube-proxy keeps an xt_recent list for each endpoint, and asks them all before it draws one.",
      "A client that is put into no list would be answered for as if it had never been there.",
    ],
    example: {
      command: "trace node.save 10.1.2.3 to 10.96.0.10:53/udp --affinity 10.1.2.3=10.244.1.5:53@2h",
      files: { "node.save": SERVICE_RULES },
    },
    remedy: [
      "Write for example `--affinity 10.1.2.3=10.244.1.30:8080@2h`; an IPv6 endpoint stands in brackets before its port.",
      "Only Services with `sessionAffinity: ClientIP` remember clients: `landfall services` lists them in the column AFFINITY.",
      "In IPVS mode the clients are in the connection table: give what `ipvsadm -Lcn` prints.",
    ],
  },
} satisfies Partial<Record<Code, Explanation>>;

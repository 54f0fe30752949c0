/** LF1030 to LF1039: inputs as a whole. */
import type { Code } from "../../problems/codes.js";
import type { Explanation } from "./explanation.js";

export const INPUTS = {
  LF1030: {
    means: ["The input has no text at all, or nothing but blanks and empty lines."],
    matters: [
      "Most often the command before the pipe failed: iptables-save without root prints nothing on standard output.",
      "An empty dump is also what iptables-save prints where no table was ever used, or where the rules live in the other of iptables-legacy and iptables-nft.",
      "iptables-restore takes an empty text without a word; landfall does not take it for a node without rules.",
    ],
    example: { command: "fmt node.save", files: { "node.save": "" } },
    remedy: [
      "Run the command before the pipe alone and look at its errors; use sudo.",
      "On the node, compare `iptables-legacy-save | wc -l` with `iptables-nft-save | wc -l`: one of them has the rules.",
    ],
  },
  LF1031: {
    means: [
      "The text was recognised, but it is of a kind that this command cannot answer from, such as `nft list ruleset` or an error message of iptables.",
    ],
    matters: [
      "`nft list ruleset` shows the rules of iptables-nft too, but in another language, in which some matches are named without their options.",
      "iptables-nft-save prints the same rules in the language of iptables, without loss.",
    ],
    example: { command: "fmt node.nft", files: { "node.nft": "table ip nat {\n}\n" } },
    remedy: ["Give what the help line names instead, or leave this input out."],
  },
  LF1032: {
    means: [
      "The input holds bytes of value 0, as programs do and text does not, or it is an archive that is damaged.",
    ],
    matters: [
      "iptables-save, kubectl and ip print text. A program in place of its output is a slip, and an archive that ends too early cannot be unpacked.",
    ],
    example: {
      command: "fmt iptables-save",
      files: { "iptables-save": "\u007fELF\u0002\u0001\u0001\u0000\n" },
    },
    remedy: [
      "Give the output of the program: `iptables-save | landfall fmt -`. Files of gzip and tar are unpacked as they are read.",
      "Text in UTF-16, as PowerShell's `>` writes it, is read as long as its byte order mark is there.",
    ],
  },
  LF1033: {
    means: [
      "The file is not there, may not be read by this user, or is something that cannot be read as a file.",
    ],
    matters: [
      "Without it an answer would rest on fewer inputs than were named, so there is none.",
      "A flag that was taken for a file also ends here: inputs come first, then the packet, and flags may stand anywhere.",
    ],
    example: { command: "fmt node.save", files: {} },
    remedy: ["Look at the name and the folder you are in (`ls -l`), or give `-` and a pipe."],
  },
  LF1034: {
    means: [
      "Nothing in this text tells what it is, or what was given holds nothing that the command works on.",
      "The kind is told by the content, never by the file's name: a dump by lines such as `*nat` and `-A CHAIN …`, objects by `apiVersion:`.",
    ],
    matters: [
      "A log or an error message that was saved in place of a dump would otherwise pass for a node without rules.",
    ],
    example: {
      command: "fmt node.save",
      files: {
        "node.save":
          "iptables-save v1.8.9 (nf_tables): Could not fetch rule set generation id: Permission denied (you must be root)\n",
      },
    },
    remedy: [
      "Look at the first lines of the file. Is it an error message? iptables-save needs root, and is often in /usr/sbin.",
      "`landfall COMMAND --help` names the inputs that the command takes.",
    ],
  },
} satisfies Partial<Record<Code, Explanation>>;

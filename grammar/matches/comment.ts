import { defineMatch } from "../description.js";
import { ALWAYS } from "../meaning.js";
import { quote, textKind } from "../values.js";

export const comment = defineMatch({
  name: "comment",
  summary: "a remark for readers; never decides anything",
  options: {
    comment: { name: "--comment", value: textKind("a text", 255), required: true },
  },
  meaning: () => ({ condition: ALWAYS }),
  remark: ({ comment }) => comment?.value,
  listed: [{ form: /^\/\* (.{0,300}?) \*\/(?= |$)/s, words: ([text = ""]) => ["--comment", quote(text)] }],
  examples: [
    { typed: '-m comment --comment "default/web:http cluster IP"' },
    { typed: "-m comment --comment default/web:http", saved: '-m comment --comment "default/web:http"' },
    { typed: "-m comment --comment plain_word-1" },
    { typed: '-m comment --comment ""' },
    { typed: '-m comment --comment "it\'s \\"so\\""', saved: '-m comment --comment "it\\\'s \\"so\\""' },
    { typed: "-m comment", refused: true },
    { typed: "-m comment ! --comment x", refused: true },
  ],
});

import type { ValueKind } from "../description.js";
import { defineTarget, flag } from "../description.js";
import { listedFlag, listedOption } from "../listing.js";
import { quote, reading, readLong, shortTextKind } from "../values.js";

const expects = "milliseconds, or inf";
const delayKind: ValueKind<number> = {
  expects,
  grammar: () =>
    reading(expects, (text) => {
      const delay = readLong(text, 0xffffffffn);
      return text === "inf" ? Number.POSITIVE_INFINITY : delay === undefined ? undefined : Number(delay);
    }),
  print: (delay) => (delay === Number.POSITIVE_INFINITY ? "inf" : `${delay}`),
};

/** xt_LED. */
export const LED = defineTarget({
  name: "LED",

  summary: "switches a light on and goes on",

  options: {
    trigger: {
      name: "--led-trigger-id",
      value: shortTextKind("a name of at most 16 bytes", 16, true),
      required: true,
    },
    delay: { name: "--led-delay", value: delayKind, hidden: (delay) => delay === 0 },
    always: flag("--led-always-blink"),
  },

  meaning: () => ({ kind: "note", what: "LED" }),
  listed: [
    {
      form: /^led-trigger-id:"([^"]*)"/,
      words: ([id = ""]) => ["--led-trigger-id", quote(id)],
    },
    listedOption("led-delay:", "--led-delay", "inf|\\d+(?=ms)"),
    { form: /^ms(?= |$)/, words: () => [], later: true },
    listedFlag("led-always-blink", "--led-always-blink"),
  ],
  examples: [
    { typed: '-j LED --led-trigger-id "foo"' },
    { typed: '-j LED --led-trigger-id "foo" --led-delay 42 --led-always-blink' },
    { typed: '-j LED --led-trigger-id "foo" --led-delay inf' },
    { typed: "-j LED --led-trigger-id a1234567890123456", refused: true },
    { typed: "-j LED", refused: true },
  ],
});

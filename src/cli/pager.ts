/** Answers that are longer than the screen go through a pager, where a person reads them: both ends are a terminal. */
import type { IO, Stream } from "./io.js";
import { widthOf } from "./table.js";

/** A world in which text for the screen is held back until it is known how long it is. */
export interface Screen {
  readonly io: IO;
  /** Shows what was held back; `wanted`: in a pager, if it is long. */
  end(wanted: boolean): Promise<void>;
}

export function screenOf(world: IO): Screen {
  const { stdout, stderr, env } = world;
  if (!stdout.isTerminal || !world.stdinIsTerminal) return { io: world, end: async () => {} };
  let held: { readonly stream: Stream; readonly text: string }[] = [];
  const show = (): void => {
    for (const { stream, text } of held) stream.write(text);
    held = [];
  };
  return {
    io: {
      ...world,
      stdout: { ...stdout, write: (text) => void held.push({ stream: stdout, text }) },
      // What comes before the answer is seen at once, such as progress; what comes after it stays behind it.
      stderr: {
        ...stderr,
        write: (text) => (held.length === 0 ? stderr.write(text) : void held.push({ stream: stderr, text })),
      },
      readLine() {
        show();
        return world.readLine();
      },
    },
    async end(wanted) {
      const answer = held.flatMap(({ stream, text }) => (stream === stdout ? [text] : [])).join("");
      const pager = pagerOf(env);
      if (wanted && pager !== undefined && isLong(answer, stdout)) {
        for (const { stream, text } of held) if (stream === stderr) stream.write(text);
        if (await world.page(pager, answer)) return;
        held = held.filter(({ stream }) => stream === stdout);
      }
      show();
    },
  };
}

/** Undefined: none is wanted. */
function pagerOf(env: IO["env"]): string | undefined {
  const pager = (env.LANDFALL_PAGER ?? env.PAGER ?? "less -FIRX").trim();
  return pager === "" || pager === "cat" || env.TERM === "dumb" ? undefined : pager;
}

/** Whether a text needs more lines than the screen has; the last is the prompt's. */
function isLong(text: string, { rows, columns }: Stream): boolean {
  if (rows === undefined || columns === undefined) return false;
  let left = rows - 1;
  for (const line of text.replace(/\n$/, "").split("\n")) {
    left -= Math.max(1, Math.ceil(widthOf(line) / columns));
    if (left < 0) return true;
  }
  return false;
}

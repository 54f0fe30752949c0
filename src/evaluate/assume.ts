/** A question that nothing given answers splits a world in two, each with its assumption. */
import type { EvaluationContext } from "./context.js";
import { assumedAnswer, assuming } from "./facts.js";
import type { Atom, World } from "./world.js";

export interface Tested {
  readonly world: World;
  readonly holds: boolean;
}

/** The answer that the world's assumptions give, else both. */
export function assume(atom: Atom, world: World, { start }: EvaluationContext): readonly Tested[] {
  const known = assumedAnswer(atom, world.assumed, start);
  if (known !== undefined) return [{ world, holds: known }];
  return [true, false].map((holds) => ({
    world: { ...world, assumed: assuming(world.assumed, atom, holds, start) },
    holds,
  }));
}

/** How the schedulers that count connections compare servers. Products are exact: weights and counts go beyond 2^26. */
import { isOpen, type Load, type Moment, type RealServer } from "./description.js";

/** The kernel's measure of a server's connections. */
export function overhead({ active, inactive }: Load): number {
  return 256 * active + inactive;
}

/** The first open server in the list whose `cost / weight` is smallest. */
export function least(
  moment: Moment,
  costOf: (load: Load) => number,
  among: readonly RealServer[] = moment.servers,
): RealServer | undefined {
  let best: RealServer | undefined;
  for (const server of among) {
    if (!isOpen(server, moment)) continue;
    if (best === undefined || isMore(best, server, moment, costOf)) best = server;
  }
  return best;
}

/** Whether `left` has more to do than `right`, for its weight. */
export function isMore(
  left: RealServer,
  right: RealServer,
  { loadOf }: Moment,
  costOf: (load: Load) => number = overhead,
): boolean {
  const one = costOf(loadOf(left));
  const other = costOf(loadOf(right));
  const product = one * right.weight;
  const crossed = other * left.weight;
  if (product <= Number.MAX_SAFE_INTEGER && crossed <= Number.MAX_SAFE_INTEGER) return product > crossed;
  return BigInt(one) * BigInt(right.weight) > BigInt(other) * BigInt(left.weight);
}

/** lblc and lblcr leave a server that has more connections than weight while another has less than half of its own. */
export function shouldLeave(server: RealServer, { servers, loadOf }: Moment): boolean {
  return (
    loadOf(server).active > server.weight && servers.some((other) => loadOf(other).active * 2 < other.weight)
  );
}

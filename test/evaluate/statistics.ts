/** Tests of counts against exact probabilities. */

/** The chance that a binomial variable is as far or farther to its side as `count` (one tail). */
export function binomialTail(count: number, trials: number, probability: number): number {
  if (probability <= 0) return count === 0 ? 1 : 0;
  if (probability >= 1) return count === trials ? 1 : 0;
  const log = (k: number) =>
    logFactorial(trials) -
    logFactorial(k) -
    logFactorial(trials - k) +
    k * Math.log(probability) +
    (trials - k) * Math.log1p(-probability);
  let sum = 0;
  if (count >= trials * probability) for (let k = count; k <= trials; k++) sum += Math.exp(log(k));
  else for (let k = 0; k <= count; k++) sum += Math.exp(log(k));
  return Math.min(1, sum);
}

/** The chance of a chi-square value at least as large (Wilson and Hilferty's approximation). */
export function chiSquareTail(value: number, degrees: number): number {
  if (degrees < 1) return 1;
  const z = (Math.cbrt(value / degrees) - (1 - 2 / (9 * degrees))) / Math.sqrt(2 / (9 * degrees));
  return normalTail(z);
}

function normalTail(z: number): number {
  // Abramowitz and Stegun 26.2.17, good to 7.5e-8 absolute; far out its leading term decides.
  const t = 1 / (1 + 0.2316419 * Math.abs(z));
  const series =
    t * (0.31938153 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))));
  const tail = (Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI)) * series;
  return z >= 0 ? tail : 1 - tail;
}

const factorials: number[] = [0];

function logFactorial(n: number): number {
  for (let k = factorials.length; k <= n; k++) factorials.push((factorials[k - 1] ?? 0) + Math.log(k));
  return factorials[n] ?? 0;
}

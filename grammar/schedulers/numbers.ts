/** The greatest common divisor; that of 0 and n is n. */
export function gcd(left: number, right: number): number {
  return right === 0 ? left : gcd(right, left % right);
}

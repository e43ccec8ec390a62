const MOST = 2n ** 63n - 1n;
const LEAST = -(2n ** 63n);

interface Numbers {
  readonly values: readonly bigint[];
  readonly total: bigint;
}

/**
 * Sums as the wire's 64 bits have them: those that do not fit are cut to the nearest number that does, and it is said.
 * One hostile order so spoils its own numbers and no others.
 */
export function fitInt64({ values, total }: Numbers): {
  values: bigint[];
  total: bigint;
  outOfRange: boolean;
} {
  const outOfRange = !fits(total) || !values.every(fits);
  return { values: values.map(cut), total: cut(total), outOfRange };
}

function fits(value: bigint): boolean {
  return value >= LEAST && value <= MOST;
}

function cut(value: bigint): bigint {
  return value > MOST ? MOST : value < LEAST ? LEAST : value;
}

/** Registers of a sketch: the first 14 bits of a hash choose one. */
export const REGISTERS = 1 << 14;

/** Bits of a hash that a register's value is made of. */
const VALUE_BITS = 64 - 14;

/** How often a value occurs among a sketch's registers. */
export interface RegisterCount {
  /** The lowest bit that is set among VALUE_BITS of a hash, as a number; 2 ** VALUE_BITS where none is. */
  readonly lowestBit: bigint;
  readonly registers: bigint;
}

/** Standard error of an estimate, relative to it: Ertl's sqrt((3 ln 2 - 1) / m), 0.81 %; less for small counts. */
export const STANDARD_ERROR = Math.sqrt((3 * Math.LN2 - 1) / REGISTERS);

/**
 * How many different hashes a HyperLogLog sketch has seen, by the improved raw estimator of Otmar Ertl, New cardinality
 * estimation algorithms for HyperLogLog sketches (2017, arXiv:1702.01284), algorithm 6: without bias from the first
 * hash on, so that it needs neither linear counting nor tables of corrections.
 *
 * @param counts by value, in any order; registers that saw nothing are left out.
 */
export function estimate(counts: readonly RegisterCount[]): bigint {
  const multiplicities = new Array<number>(VALUE_BITS + 2).fill(0);
  for (const { lowestBit, registers } of counts) {
    multiplicities[Math.log2(Number(lowestBit)) + 1]! += Number(registers);
  }
  const seen = multiplicities.reduce((sum, count) => sum + count, 0);
  if (seen === 0) return 0n;
  let z = REGISTERS * tau(1 - multiplicities[VALUE_BITS + 1]! / REGISTERS);
  for (let value = VALUE_BITS; value >= 1; value--) z = 0.5 * (z + multiplicities[value]!);
  z += REGISTERS * sigma(1 - seen / REGISTERS);
  return BigInt(Math.round(REGISTERS ** 2 / (2 * Math.LN2) / z));
}

/** x + the sum of x^(2^k) 2^(k-1) over k >= 1; for 0 <= x < 1. */
function sigma(x: number): number {
  let power = x;
  let factor = 1;
  let sum = x;
  for (let last = Number.NaN; sum !== last; factor += factor) {
    power *= power;
    last = sum;
    sum += power * factor;
  }
  return sum;
}

/** (1 - x - the sum of (1 - x^(2^-k))^2 2^-k over k >= 1) / 3. */
function tau(x: number): number {
  if (x === 0 || x === 1) return 0;
  let root = x;
  let factor = 1;
  let sum = 1 - x;
  for (let last = Number.NaN; sum !== last; ) {
    root = Math.sqrt(root);
    last = sum;
    factor *= 0.5;
    sum -= (1 - root) ** 2 * factor;
  }
  return sum / 3;
}

/**
 * A small seeded generator of random numbers: sfc32 (Chris Doty-Humphrey, PractRand 0.95, `sfc.cpp`; public
 * domain), with 128 bits of state and a period of at least 2^32. Seeds go through the finaliser of
 * MurmurHash3 (Austin Appleby, `fmix32`; public domain), so that near seeds give unrelated sequences.
 *
 * Not for secrets.
 */
export class Random {
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;

  /** @param seeds whole numbers; each one, and their order, matters. Up to 2^53 of each are told apart. */
  constructor(...seeds: readonly number[]) {
    this.#a = hash(0x9e3779b9, seeds);
    this.#b = hash(0x243f6a88, seeds);
    this.#c = hash(0xb7e15162, seeds);
    // PractRand's own warm-up: after 12 rounds every bit of the seed has reached every bit of the state.
    for (let round = 0; round < 12; round++) this.uint32();
  }

  /** A whole number in [0, 2^32). */
  uint32(): number {
    const result = (this.#a + this.#b + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + result) | 0;
    return result >>> 0;
  }

  /** A number in [0, 1), in steps of 2^-32. */
  unit(): number {
    return this.uint32() / 0x1_0000_0000;
  }

  /** A whole number in [0, limit); `limit` from 1 to 2^32. */
  below(limit: number): number {
    return Math.floor(this.unit() * limit);
  }

  /** True with the given probability. */
  chance(probability: number): boolean {
    return this.unit() < probability;
  }

  /** A waiting time of the exponential distribution with the given mean, in the mean's unit; never 0. */
  exponential(mean: number): number {
    return -Math.log((this.uint32() + 0.5) / 0x1_0000_0000) * mean;
  }

  /** One of `values`, which must not be empty, all equally likely. */
  of<T>(values: readonly T[]): T {
    return values[this.below(values.length)]!;
  }
}

/** Values with weights, drawn in proportion to them. */
export class Weighted<T> {
  readonly #values: readonly T[];
  readonly #cumulative: Float64Array;

  /** @param entries at least one; weights above 0, of any sum. */
  constructor(entries: readonly (readonly [value: T, weight: number])[]) {
    this.#values = entries.map(([value]) => value);
    let sum = 0;
    this.#cumulative = Float64Array.from(entries, ([, weight]) => (sum += weight));
  }

  /** Draws one value. */
  pick(random: Random): T {
    const cumulative = this.#cumulative;
    const last = cumulative.length - 1;
    const point = random.unit() * cumulative[last]!;
    let index = 0;
    // The lists are short and begin with their likeliest values: a linear scan beats a binary search.
    while (index < last && cumulative[index]! <= point) index++;
    return this.#values[index]!;
  }
}

/** A hash of whole numbers to 32 bits, spread evenly; not for secrets. */
export function hash(start: number, values: readonly number[]): number {
  let state = start;
  for (const value of values) {
    state = mix((state ^ value) | 0);
    state = mix((state + Math.floor(value / 0x1_0000_0000) + 0x6d2b79f5) | 0);
  }
  return state >>> 0;
}

function mix(value: number): number {
  let bits = value;
  bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
  return bits ^ (bits >>> 16);
}

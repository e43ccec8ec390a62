import type { Random } from "./random.ts";

/**
 * Ranks whose weights fall as 1 / rank^exponent, drawn in constant time and memory however many there are:
 * rejection-inversion (W. Hörmann, G. Derflinger, "Rejection-inversion to generate variates from monotone
 * discrete distributions", ACM TOMACS 6(3), 1996).
 */
export class Zipf {
  readonly #size: number;
  readonly #exponent: number;
  readonly #top: number;
  readonly #bottom: number;
  readonly #sure: number;

  /**
   * @param size how many ranks, 1 or more.
   * @param exponent 0 (all alike) and up; near 1 for the sizes of shops.
   */
  constructor(size: number, exponent: number) {
    this.#size = size;
    this.#exponent = exponent;
    this.#top = this.#integral(1.5) - 1;
    this.#bottom = this.#integral(size + 0.5);
    this.#sure = 2 - this.#inverse(this.#integral(2.5) - zipfWeight(1, exponent));
  }

  /** A rank, from 0 (the heaviest) to size - 1. */
  sample(random: Random): number {
    for (;;) {
      const area = this.#bottom + random.unit() * (this.#top - this.#bottom);
      const point = this.#inverse(area);
      const rank = Math.min(Math.max(Math.floor(point + 0.5), 1), this.#size);
      if (rank - point <= this.#sure) return rank - 1;
      if (area >= this.#integral(rank + 0.5) - zipfWeight(rank - 1, this.#exponent)) return rank - 1;
    }
  }

  /** The area under x^-exponent from 1 to x. */
  #integral(x: number): number {
    const log = Math.log(x);
    return expm1Over((1 - this.#exponent) * log) * log;
  }

  #inverse(area: number): number {
    const t = Math.max(area * (1 - this.#exponent), -1);
    return Math.exp(log1pOver(t) * area);
  }
}

/** The weight of a rank (from 0): 1 for the heaviest. */
export function zipfWeight(rank: number, exponent: number): number {
  return (rank + 1) ** -exponent;
}

/** (e^x - 1) / x, also near 0, where the exponent is 1. */
function expm1Over(x: number): number {
  return Math.abs(x) > 1e-8 ? Math.expm1(x) / x : 1 + x / 2;
}

/** ln(1 + x) / x, also near 0. */
function log1pOver(x: number): number {
  return Math.abs(x) > 1e-8 ? Math.log1p(x) / x : 1 - x / 2;
}

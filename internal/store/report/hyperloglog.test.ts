import { hash } from "node:crypto";
import { expect, test } from "vitest";
import { estimate, REGISTERS, STANDARD_ERROR } from "./hyperloglog.ts";

/** A sketch that is filled by words of a hash, as the aggregates fill theirs. */
class Sketch {
  readonly #values = new Uint8Array(REGISTERS);

  add(low: number, high: number): void {
    const rest = low >>> 14;
    const zeros = rest !== 0 ? trailingZeros(rest) : high !== 0 ? 18 + trailingZeros(high) : 50;
    const register = low & (REGISTERS - 1);
    if (zeros + 1 > this.#values[register]!) this.#values[register] = zeros + 1;
  }

  estimate(): number {
    const counts = new Map<number, bigint>();
    for (const value of this.#values) if (value > 0) counts.set(value, (counts.get(value) ?? 0n) + 1n);
    return Number(
      estimate([...counts].map(([value, registers]) => ({ lowestBit: 1n << BigInt(value - 1), registers }))),
    );
  }
}

const trailingZeros = (word: number) => 31 - Math.clz32(word & -word);

/** sfc32 (Chris Doty-Humphrey, public domain): 32-bit words. */
function randomWords(seed: number): () => number {
  let [a, b, c, counter] = [seed, seed ^ 0x9e3779b9, 0x243f6a88, 1];
  const next = () => {
    const t = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = ((c << 21) | (c >>> 11)) + t;
    return t | 0;
  };
  for (let i = 0; i < 20; i++) next();
  return next;
}

const CARDINALITIES = [10, 100, 1_000, 5_000, 20_000, 50_000, 100_000, 300_000, 1_000_000];

test("the error is below 1 % (rms) at every cardinality, and without bias", { timeout: 60_000 }, () => {
  const runs = 80;
  const errors = CARDINALITIES.map(() => [] as number[]);
  for (let run = 0; run < runs; run++) {
    const word = randomWords(run + 1);
    const sketch = new Sketch();
    let added = 0;
    for (const [index, cardinality] of CARDINALITIES.entries()) {
      for (; added < cardinality; added++) sketch.add(word(), word());
      errors[index]!.push(sketch.estimate() / cardinality - 1);
    }
  }
  for (const [index, ofOne] of errors.entries()) {
    const rms = Math.sqrt(ofOne.reduce((sum, error) => sum + error ** 2, 0) / runs);
    const bias = ofOne.reduce((sum, error) => sum + error, 0) / runs;
    expect(rms).toBeLessThan(0.01);
    // Of a mean of 80; and an estimate is a whole number.
    const rounding = 0.5 / CARDINALITIES[index]!;
    expect(Math.abs(bias)).toBeLessThan((4 * STANDARD_ERROR) / Math.sqrt(runs) + rounding);
  }
});

test("the first bits of SHA-256, of which ids are, fill registers evenly", () => {
  const sketch = new Sketch();
  const ids = 200_000;
  for (let id = 0; id < ids; id++) {
    const digest = hash("sha256", JSON.stringify(["visitor", 1, `v${id}`]), "buffer");
    sketch.add(digest.readInt32LE(0), digest.readInt32LE(4));
  }
  expect(Math.abs(sketch.estimate() / ids - 1)).toBeLessThan(3 * STANDARD_ERROR);
});

test("nothing is 0, one is 1, and registers that are all full are no number that breaks", () => {
  expect(estimate([])).toBe(0n);
  expect(estimate([{ lowestBit: 1n, registers: 1n }])).toBe(1n);
  expect(STANDARD_ERROR).toBeCloseTo(0.0081, 4);
  expect(estimate([{ lowestBit: 1n << 49n, registers: BigInt(REGISTERS) }])).toBeGreaterThan(2n ** 60n);
});

import { summaryOf, type Times } from "./times.ts";

/** One question, by whoever answers it. */
export type Ask = () => Promise<unknown>;

export interface Rate extends Times {
  readonly per_second: number;
}

const ROUNDS = 3;

/**
 * Questions a second, and how long each took, of several ways to answer, with so many clients that ask one after
 * another. The ways take turns, so that a drift of the machine's speed meets all of them alike.
 * @param seconds of each way.
 */
export async function ratesOf<K extends string>(
  ways: Readonly<Record<K, () => Ask>>,
  clients: number,
  seconds: number,
): Promise<Record<K, Rate>> {
  const names = Object.keys(ways) as K[];
  const seen = new Map(names.map((name) => [name, { ms: [] as number[], seconds: 0 }]));
  for (let round = 0; round < ROUNDS; round++) {
    for (const name of names) {
      const one = seen.get(name)!;
      const start = performance.now();
      const until = start + (seconds * 1_000) / ROUNDS;
      await Promise.all(Array.from({ length: clients }, () => client(ways[name], until, one.ms)));
      one.seconds += (performance.now() - start) / 1_000;
    }
  }
  const rates = names.map((name) => {
    const { ms, seconds: passed } = seen.get(name)!;
    return [name, { per_second: Number((ms.length / passed).toFixed(1)), ...summaryOf(ms) }] as const;
  });
  return Object.fromEntries(rates) as Record<K, Rate>;
}

async function client(next: () => Ask, until: number, ms: number[]): Promise<void> {
  while (performance.now() < until) {
    const start = performance.now();
    await next()();
    ms.push(performance.now() - start);
  }
}

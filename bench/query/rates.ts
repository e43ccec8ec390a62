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
 * @param seconds of each way; what takes longer is asked once by each client.
 */
export async function ratesOf(
  ways: Readonly<Record<string, () => Ask>>,
  clients: number,
  seconds: number,
): Promise<Record<string, Rate>> {
  const seen = new Map(Object.keys(ways).map((name) => [name, { ms: [] as number[], seconds: 0 }]));
  for (let round = 0; round < ROUNDS; round++) {
    for (const [name, next] of Object.entries(ways)) {
      const one = seen.get(name)!;
      if (round > 0 && one.seconds >= seconds) continue;
      const start = performance.now();
      const until = start + (seconds * 1_000) / ROUNDS;
      await together(clients, async () => {
        do one.ms.push(await msOf(next()));
        while (performance.now() < until);
      });
      one.seconds += (performance.now() - start) / 1_000;
    }
  }
  return Object.fromEntries([...seen].map(([name, { ms, seconds: passed }]) => [name, rateOf(ms, passed)]));
}

/** The same of asking each of some questions once. */
export async function rateOfOnce(asks: readonly Ask[], clients: number): Promise<Rate> {
  const ms: number[] = [];
  const left = asks.values();
  const start = performance.now();
  await together(clients, async () => {
    for (const ask of left) ms.push(await msOf(ask));
  });
  return rateOf(ms, (performance.now() - start) / 1_000);
}

function rateOf(ms: readonly number[], seconds: number): Rate {
  return { per_second: Number((ms.length / seconds).toFixed(1)), ...summaryOf(ms) };
}

async function together(clients: number, client: () => Promise<void>): Promise<void> {
  await Promise.all(Array.from({ length: clients }, client));
}

async function msOf(ask: Ask): Promise<number> {
  const start = performance.now();
  await ask();
  return performance.now() - start;
}

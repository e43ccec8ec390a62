import { setTimeout as sleep } from "node:timers/promises";
import { countConvertible } from "../store/maintenance/columnstore.ts";
import type { Pool } from "../store/pool.ts";
import { readProgress } from "../store/positions.ts";
import type { NatsConnection } from "../stream/connect.ts";
import { storedTimeOf } from "../stream/stream-check.ts";
import { streamEnd } from "../stream/streams.ts";
import type { Lags } from "./lags.ts";
import type { AggregateMetrics } from "./metrics.ts";

export interface WatcherDeps {
  /** A connection of its own, whose statements are short: a database that hangs is to be noticed. */
  readonly pool: Pool;
  readonly nats: NatsConnection;
  readonly partitions: number;
  readonly metrics: Pick<AggregateMetrics, "refreshLag" | "unconverted">;
  readonly lags: Lags;
  /** Age at which a chunk goes to the columnstore, days after its end; 0: never. */
  readonly columnstoreAfterDays: number;
}

/** How often it is looked, ms. Of chunks, which change by the hour, less often. */
const LOOK_MS = 1_000;
const CHUNKS_MS = 60_000;
const DAY_MS = 86_400_000;

/** Streams that are asked at a time. */
const AT_A_TIME = 32;

/**
 * Watches how far the whole installation is, until the signal is aborted: each aggregator does, whatever it works, so
 * that what nobody works is seen too. What cannot be asked now is asked again; the database does not wait for
 * JetStream, nor the other way.
 */
export async function keepWatching(deps: WatcherDeps, signal: AbortSignal): Promise<void> {
  const refreshing = new RefreshLag(deps.metrics);
  let chunksTime = 0;
  const look = {
    positions: async () => {
      const asked = performance.now();
      for (const { partition, ...progress } of await readProgress(deps.pool)) {
        deps.lags.committed(partition, progress.position);
        refreshing.read(partition, progress.unrefreshedMs, asked);
      }
    },
    streams: () => askStreams(deps),
    chunks: async () => {
      if (performance.now() < chunksTime) return;
      chunksTime = performance.now() + CHUNKS_MS;
      const { pool, metrics, columnstoreAfterDays: days } = deps;
      metrics.unconverted.set(days === 0 ? 0 : await countConvertible(pool, Date.now() - days * DAY_MS));
    },
  };
  await Promise.all(Object.values(look).map((work) => again(work, signal)));
}

async function again(work: () => Promise<void>, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    // Who is away is told of by the probes.
    await work().catch(() => {});
    await sleep(LOOK_MS, undefined, { signal }).catch(() => {});
  }
}

async function askStreams({ nats, lags, partitions }: WatcherDeps): Promise<void> {
  for (let first = 0; first < partitions; first += AT_A_TIME) {
    const count = Math.min(AT_A_TIME, partitions - first);
    const asked = Array.from({ length: count }, async (_, at) => {
      const partition = first + at;
      await lags.streamEnds(partition, await streamEnd(nats, partition), (seq) =>
        storedTimeOf(nats, partition, seq),
      );
    });
    // One stream without a leader must not hide the others.
    await Promise.allSettled(asked);
  }
}

/** The age of the oldest commit that the aggregates do not hold; what was known goes on growing older. */
class RefreshLag {
  readonly #since = new Map<number, number>();

  constructor({ refreshLag }: Pick<AggregateMetrics, "refreshLag">) {
    const collect = () => {
      const now = performance.now();
      const longest = [...this.#since.values()].reduce((most, since) => Math.max(most, now - since), 0);
      refreshLag.set(longest / 1_000);
    };
    Object.assign(refreshLag, { collect });
  }

  read(partition: number, ageMs: number | undefined, at: number): void {
    if (ageMs === undefined) this.#since.delete(partition);
    else this.#since.set(partition, at - ageMs);
  }
}

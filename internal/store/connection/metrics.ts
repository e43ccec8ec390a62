import type pg from "pg";
import { Gauge, type Histogram, latency, type Registry } from "../../telemetry/metrics.ts";

interface Watched {
  /** By what the pools are called. */
  readonly pools: Map<string, pg.Pool>;
  readonly wait: Histogram<"pool">;
}

const watchedIn = new WeakMap<Registry, Watched>();

/** Tells of a pool's connections and the waits for them, with a sample of each from the start. */
export function watchPool(registry: Registry, label: string, pool: pg.Pool): void {
  const { pools, wait } = watchedIn.get(registry) ?? watch(registry);
  pools.set(label, pool);
  wait.zero({ pool: label });
  const connect = pool.connect.bind(pool) as (...args: unknown[]) => unknown;
  // pool.query comes by here too, with a callback.
  const timed = (callback?: (...args: unknown[]) => void) => {
    const stop = wait.startTimer({ pool: label });
    if (callback === undefined) return (connect() as Promise<unknown>).finally(stop);
    return connect((...answer: unknown[]) => {
      stop();
      callback(...answer);
    });
  };
  pool.connect = timed as typeof pool.connect;
}

function watch(registry: Registry): Watched {
  const pools = new Map<string, pg.Pool>();
  const read = (name: string, help: string, of: (pool: pg.Pool) => number) =>
    new Gauge({
      name: `footfall_database_${name}`,
      help,
      labelNames: ["pool"],
      registers: [registry],
      collect() {
        for (const [label, pool] of pools) this.set({ pool: label }, of(pool));
      },
    });
  read("connections", "Connections to the database.", ({ totalCount }) => totalCount);
  read("connections_in_use", "... of them at work.", ({ totalCount, idleCount }) => totalCount - idleCount);
  read("connections_max", "Most connections.", ({ options }) => options.max);
  read("connections_awaited", "Statements and transactions that wait for one.", (pool) => pool.waitingCount);
  const wait = latency(registry, "footfall_database_wait_seconds", "The wait for a connection.", ["pool"]);
  const watched = { pools, wait };
  watchedIn.set(registry, watched);
  return watched;
}

import type { Life } from "../lifecycle/run-program.ts";
import type { Probe } from "../program/probes.ts";
import { createPool, type PoolOptions } from "./pool.ts";

export interface DatabaseProbeOptions {
  readonly url: PoolOptions["url"];
  readonly program: string;
  /** Longest time of one answer, ms. */
  readonly limitMs: number;
  readonly life: Pick<Life, "onClose">;
}

/**
 * Asks the database whether it answers, on a connection of its own: a program whose connections are all at work is
 * busy, not cut off. One that hangs fails within the limit and a quarter.
 */
export function databaseProbe({ url, program, limitMs, life }: DatabaseProbeOptions): Probe {
  const pool = createPool({
    url,
    name: `${program} probe`,
    maxConnections: 1,
    statementTimeoutMs: limitMs,
    connectTimeoutMs: limitMs,
  });
  life.onClose("database probe", () => pool.end());
  return { part: "database", ask: () => pool.query("SELECT 1") };
}

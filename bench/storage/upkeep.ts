import { existsSync, readFileSync } from "node:fs";
import { CONTINUOUS_AGGREGATES } from "../../internal/store/continuous-aggregates.ts";
import { convertOld } from "../../internal/store/maintenance/columnstore.ts";
import type { Client, Pool } from "../../internal/store/pool.ts";
import { cpuSeconds } from "../lib/cpu.ts";

/** Wider on both sides than the buckets of any aggregate: only what was written to is refreshed. */
const MARGIN = "32 days";

/** Refreshes and conversions, and what they cost so far. */
export class Upkeep {
  /** By aggregate. */
  readonly refreshSeconds: Record<string, number> = {};
  convertSeconds = 0;
  /** Whether refreshSeconds are of CPU, or of the clock where the server's processes cannot be seen. */
  readonly isCpu: boolean;
  readonly #pool: Pool;
  readonly #client: Client;
  readonly #pid: number | undefined;

  private constructor(pool: Pool, client: Client, pid: number | undefined) {
    this.#pool = pool;
    this.#client = client;
    this.#pid = pid;
    this.isCpu = pid !== undefined;
  }

  /** @param embeddedPid the server's process, where it is our own. */
  static async open(pool: Pool, embeddedPid: number | undefined): Promise<Upkeep> {
    const client = await pool.connect();
    // One process does all the work of a connection, so that its CPU is the refresh's.
    await client.query("SET max_parallel_workers_per_gather = 0");
    const { rows } = await client.query<{ pid: number }>("SELECT pg_backend_pid() AS pid");
    return new Upkeep(pool, client, embeddedPid ?? localBackend(rows[0]!.pid));
  }

  /** Refreshes what was written, each aggregate by itself, and converts the chunks that ended before a time, ms. */
  async keepUp(before: number): Promise<void> {
    const { rows } = await this.#client.query<{ from: string | null; to: string | null }>(
      `SELECT (min(bucket) - $1::interval)::text AS "from", (max(bucket) + $1::interval)::text AS "to" FROM stale_buckets`,
      [MARGIN],
    );
    const { from, to } = rows[0]!;
    if (from !== null) {
      for (const name of CONTINUOUS_AGGREGATES) {
        const start = this.#spent();
        await this.#client.query(`CALL refresh_continuous_aggregate('${name}', '${from}', '${to}')`);
        this.refreshSeconds[name] = (this.refreshSeconds[name] ?? 0) + this.#spent() - start;
      }
      await this.#client.query("TRUNCATE stale_buckets");
    }
    const start = performance.now();
    await convertOld(this.#pool, before);
    this.convertSeconds += (performance.now() - start) / 1_000;
  }

  close(): void {
    this.#client.release(true);
  }

  #spent(): number {
    if (this.#pid === undefined) return performance.now() / 1_000;
    return cpuSeconds({ server: this.#pid }).server!;
  }
}

/** The pid of a backend if it runs on this machine. */
function localBackend(pid: number): number | undefined {
  const name = `/proc/${pid}/comm`;
  return existsSync(name) && readFileSync(name, "utf8").startsWith("postgres") ? pid : undefined;
}

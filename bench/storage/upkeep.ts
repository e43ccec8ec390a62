import { existsSync, readFileSync } from "node:fs";
import { AGGREGATES, grainOf } from "../../internal/store/continuous-aggregates.ts";
import { forceRefresh } from "../../internal/store/force-refresh.ts";
import { convertOld } from "../../internal/store/maintenance/columnstore.ts";
import { createPool, type Pool } from "../../internal/store/pool.ts";
import { cpuSeconds } from "../lib/cpu.ts";
import type { Database } from "../lib/database.ts";
import { inTries } from "./in-tries.ts";

const DAY_MS = 86_400_000;

/** Longer than the buckets of any aggregate, days: at the end, those that the data ends in are refreshed too. */
const LONGEST_BUCKET_DAYS = 28;

/**
 * Refreshes and conversions, and what they cost so far. Whenever the data has come past the end of a chunk, a round of
 * them begins: every bucket that is over is refreshed, once, and every chunk that is over converted. On a server of
 * several processes that is done beside the loading, one round behind it at most, so that few rows lie unconverted.
 */
export class Upkeep {
  /** By aggregate. */
  readonly refreshSeconds: Record<string, number> = {};
  convertSeconds = 0;
  rounds = 0;
  /** Whether the seconds are of CPU, or of the clock where the server's processes cannot be seen. */
  isCpu = false;
  readonly #stepMs: number;
  readonly #embeddedPid: number | undefined;
  /** Of one connection: one process does all the work, so that its CPU is the upkeep's. */
  readonly #pool: Pool;
  /** What the rounds begun so far have come to, ms; at first, where the data begins. */
  #through: number | undefined;
  #round: Promise<void> = Promise.resolve();

  /** @param chunkDays how many days a chunk of events spans. */
  constructor({ url, pid }: Pick<Database, "url" | "pid">, chunkDays: number) {
    this.#stepMs = chunkDays * DAY_MS;
    this.#embeddedPid = pid;
    this.#pool = createPool({
      url,
      name: "bench upkeep",
      maxConnections: 1,
      statementTimeoutMs: 0,
      connectTimeoutMs: 60_000,
    });
  }

  /** Told that all events before a time, ms, are committed; waits where upkeep has fallen behind. */
  async reached(before: number): Promise<void> {
    if (!Number.isFinite(before)) return;
    const to = Math.floor(before / this.#stepMs) * this.#stepMs;
    // Where the data begins, nothing is over yet.
    this.#through ??= to;
    if (to <= this.#through) return;
    await this.#round;
    this.#round = this.#keepUp(to);
    // Met at the next one.
    this.#round.catch(() => {});
    if (this.#embeddedPid !== undefined) await this.#round;
  }

  /** When no round is under way any more. */
  settled(): Promise<void> {
    return this.#round;
  }

  /** The last round, when all is committed. @param end of the data, ms. */
  async finish(end: number): Promise<void> {
    await this.#round;
    await this.#keepUp(end + LONGEST_BUCKET_DAYS * DAY_MS);
  }

  async close(): Promise<void> {
    await this.#pool.end();
  }

  async #keepUp(to: number): Promise<void> {
    // Buckets that began before the last round's end are over only now.
    const { rows } = await this.#pool.query<{ from: string | null }>(
      `SELECT least(min(start), to_timestamp($1::float8 / 1000))::text AS "from" FROM invalidations
       WHERE start < to_timestamp($2::float8 / 1000)`,
      [this.#through, to],
    );
    this.#through = to;
    this.rounds++;
    const from = rows[0]!.from;
    if (from !== null) {
      for (const { name, grain } of AGGREGATES)
        await this.#refresh(name, `${grainOf(grain).ms} ms`, from, to);
      await this.#pool.query(
        "DELETE FROM invalidations WHERE start >= $1 AND start < to_timestamp($2::float8 / 1000)",
        [from, to],
      );
    }
    this.convertSeconds += await this.#spent(() => convertOld(this.#pool, to));
  }

  /** Of the buckets from that which `from` is in, those that are over at `to`: the next round begins with the others. */
  async #refresh(name: string, bucket: string, from: string, to: number): Promise<void> {
    const { rows } = await this.#pool.query<{ start: string; stop: string }>(
      `SELECT time_bucket($1::interval, $2::timestamptz)::text AS start,
         time_bucket($1::interval, to_timestamp($3::float8 / 1000))::text AS stop`,
      [bucket, from, to],
    );
    const { start, stop } = rows[0]!;
    if (start === stop) return;
    const spent = await this.#spent(() => forceRefresh(this.#pool, [name], start, stop));
    this.refreshSeconds[name] = (this.refreshSeconds[name] ?? 0) + spent;
  }

  /** How long work of this connection took, seconds. */
  async #spent(work: () => Promise<unknown>): Promise<number> {
    const { rows } = await this.#pool.query<{ pid: number }>(
      "SELECT pg_backend_pid() AS pid, set_config('max_parallel_workers_per_gather', '0', false)",
    );
    const server = this.#embeddedPid ?? localBackend(rows[0]!.pid);
    this.isCpu = server !== undefined;
    const read = () => (server === undefined ? performance.now() / 1_000 : cpuSeconds({ server }).server!);
    const before = read();
    await inTries(work);
    return read() - before;
  }
}

/** The pid of a backend if it runs on this machine. */
function localBackend(pid: number): number | undefined {
  const name = `/proc/${pid}/comm`;
  return existsSync(name) && readFileSync(name, "utf8").startsWith("postgres") ? pid : undefined;
}

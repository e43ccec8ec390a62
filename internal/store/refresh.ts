import { failpoint } from "../failpoint/failpoint.ts";
import { aggregatesOf, GRAINS, type Grain, type GrainName, grainOf } from "./continuous-aggregates.ts";
import { clear, type Invalidation } from "./invalidations.ts";
import type { Pool } from "./pool.ts";
import { moveRefreshed, type PartitionPosition } from "./refreshed-through.ts";
import { wantRollups } from "./rollups.ts";
import type { SetApart } from "./set-apart.ts";
import { type Refresh, spanKey, tryRefresh } from "./try-refresh.ts";

/** A span of event time, [from, to), ms since 1970-01-01 UTC. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

export interface RefreshOptions {
  /** Ends it between two spans; what is not refreshed then stays marked. */
  readonly signal?: AbortSignal | undefined;
  /** Takes the buckets whose refresh fails: the others go on. Default: what fails ends it. */
  readonly apart?: SetApart | undefined;
  /** It ends at the first span behind this time, ms, so that others have their turn. Default: none. */
  readonly budgetMs?: number | undefined;
  /** So many events on a UTC day and more make a merchant one that is to have rollups. Default: 0, none. */
  readonly rollupEventsPerDay?: number | undefined;
}

export interface Refreshed {
  /** Starts of the buckets that were refreshed, ms since 1970-01-01 UTC. */
  readonly starts: readonly number[];
  /** False where it ended early: there is more to be refreshed now. */
  readonly isDone: boolean;
}

/** Marked buckets and how far each partition was committed, as of one moment. */
interface Snapshot {
  readonly found: readonly Invalidation[];
  /** Partitions to be moved whose quarter hours are all in `found`. */
  readonly positions: readonly PartitionPosition[];
  /** Whether any merchant has rollups: without one, only aggregates of everybody can have changed. */
  readonly hasLargeMerchants: boolean;
}

/** So many marks are looked at in a round, the newest: history that is being imported may have millions. */
const MOST_FOUND = 20_000;

/** One statement, and so one moment: what is committed by then is marked. $1 grain, $2 how long it must be over, or null. */
const READ_SNAPSHOT = `WITH found AS MATERIALIZED (
    SELECT start, partition_id, version FROM invalidations
    WHERE grain = $1 AND ($2::interval IS NULL OR start + $2::interval <= now())
    ORDER BY start DESC LIMIT ${MOST_FOUND}
  )
  SELECT
    (SELECT coalesce(json_agg(json_build_object('start', extract(epoch FROM start) * 1000,
       'partition', partition_id, 'version', version::text)), '[]') FROM found) AS found,
    (SELECT coalesce(json_agg(json_build_object('partition', p.partition_id, 'through', p.committed_through)), '[]')
       FROM partitions p
       WHERE $2::interval IS NULL AND p.committed_through IS DISTINCT FROM p.refreshed_through
         AND ((SELECT count(*) FROM found) < ${MOST_FOUND} OR NOT EXISTS (
           SELECT FROM invalidations i WHERE i.grain = $1 AND i.partition_id = p.partition_id
             AND i.start <= (SELECT min(start) FROM found)))) AS positions,
    EXISTS (SELECT FROM merchants WHERE rollups_from IS NOT NULL) AS "hasLargeMerchants"`;

/**
 * Refreshes the aggregates of a grain over the buckets that are marked, newest first, and marks the longer ones that they
 * are in; of quarter hours, also moves each partition's refreshed_through to where it was committed when this began, if
 * all that it wrote is refreshed. A crash in between, or another program's refresh, repeats work and loses none: a mark
 * is cleared only after its refresh, and only if it was not made again.
 * @throws what fails, without `apart`; with it what says that nothing can be refreshed now.
 */
export async function refreshGrain(
  pool: Pool,
  name: GrainName,
  options: RefreshOptions = {},
): Promise<Refreshed> {
  const grain = grainOf(name);
  const over = grain.settledMs === undefined ? null : `${grain.ms + grain.settledMs} ms`;
  const { rows } = await pool.query<Snapshot>(READ_SNAPSHOT, [name, over]);
  const { found, positions, hasLargeMerchants } = rows[0]!;
  const round = new Round(pool, grain, found, hasLargeMerchants, options);
  const isDone = await round.run();
  const lacking = new Set(
    found.flatMap(({ start, partition }) => (round.refreshed.has(start) ? [] : [partition])),
  );
  await moveRefreshed(
    pool,
    positions.filter(({ partition }) => !lacking.has(partition)),
  );
  return { starts: [...round.refreshed], isDone: isDone && found.length < MOST_FOUND };
}

/** Refreshes all grains over all that is marked and over, shorter ones first. */
export async function refreshAll(pool: Pool): Promise<void> {
  for (const { name } of GRAINS) {
    while (!(await refreshGrain(pool, name)).isDone);
  }
}

/** A span of buckets that took less is followed by one of twice as many, ms. */
const QUICK_MS = 1_000;

class Round {
  readonly refreshed = new Set<number>();
  readonly #pool: Pool;
  readonly #grain: Grain;
  readonly #found: readonly Invalidation[];
  readonly #aggregates: readonly string[];
  readonly #hasLargeMerchants: boolean;
  readonly #options: RefreshOptions;
  readonly #deadline: number;

  constructor(
    pool: Pool,
    grain: Grain,
    found: readonly Invalidation[],
    hasLarge: boolean,
    options: RefreshOptions,
  ) {
    this.#pool = pool;
    this.#grain = grain;
    this.#found = found;
    this.#aggregates = aggregatesOf(grain.name, hasLarge);
    this.#hasLargeMerchants = hasLarge;
    this.#options = options;
    this.#deadline = performance.now() + (options.budgetMs ?? Number.POSITIVE_INFINITY);
  }

  /** @returns whether all was tried. */
  async run(): Promise<boolean> {
    const { apart } = this.#options;
    const starts = [...new Set(this.#found.map(({ start }) => start))].sort((a, b) => b - a);
    const hasFailed = (start: number) => apart?.hasFailed(this.#keyOf(start)) === true;
    apart?.retain(
      `${this.#grain.name} `,
      starts.map((start) => this.#keyOf(start)),
    );
    if (!(await this.#refreshSpans(starts.filter((start) => !hasFailed(start))))) return false;
    // Those that failed, now or before, one by one: all others of their spans can be refreshed.
    for (const start of starts.filter(hasFailed)) {
      if (this.#isOver()) return false;
      if (apart?.isWaiting(this.#keyOf(start)) !== true) await this.#refresh(this.#spanOf(start, 1));
    }
    return true;
  }

  /** @param starts newest first. */
  async #refreshSpans(starts: readonly number[]): Promise<boolean> {
    const { ms, atOnce } = this.#grain;
    let most = atOnce.first;
    for (let at = 0; at < starts.length; ) {
      if (this.#isOver()) return false;
      const began = performance.now();
      const count = runLength(starts, at, ms, most);
      await this.#refresh(this.#spanOf(starts[at + count - 1]!, count));
      at += count;
      most = performance.now() - began < QUICK_MS ? Math.min(2 * most, atOnce.most) : atOnce.first;
    }
    return true;
  }

  async #refresh(span: Span): Promise<void> {
    const { ms } = this.#grain;
    const starts = Array.from({ length: (span.to - span.from) / ms }, (_, at) => span.from + at * ms);
    const parts = starts.length === 1 ? [] : starts.map((start) => this.#refreshOf(this.#spanOf(start, 1)));
    failpoint("refresh.before");
    if (this.#aggregates.length > 0) {
      if (!(await tryRefresh(this.#pool, this.#refreshOf(span), this.#options.apart, parts))) return;
    }
    failpoint("refresh.after");
    const { rollupEventsPerDay: eventsPerDay = 0 } = this.#options;
    if (eventsPerDay > 0 && this.#grain.name === "1d")
      await wantRollups(this.#pool, { ...span, eventsPerDay });
    const within = this.#found.filter(({ start }) => start >= span.from && start < span.to);
    // Days are marked without rollups too: by them merchants are found that have become large.
    await clear(this.#pool, this.#grain, within, this.#hasLargeMerchants || this.#grain.name === "15m");
    for (const start of starts) this.refreshed.add(start);
  }

  #isOver(): boolean {
    return this.#options.signal?.aborted === true || performance.now() > this.#deadline;
  }

  #spanOf(from: number, buckets: number): Span {
    return { from, to: from + buckets * this.#grain.ms };
  }

  #keyOf(start: number): string {
    return spanKey(this.#refreshOf(this.#spanOf(start, 1)));
  }

  #refreshOf({ from, to }: Span): Refresh {
    return {
      grain: this.#grain.name,
      aggregates: this.#aggregates,
      from: new Date(from).toISOString(),
      to: new Date(to).toISOString(),
    };
  }
}

/** How many of the buckets from one on, newest first, are neighbours; at most so many. */
export function runLength(starts: readonly number[], at: number, ms: number, most: number): number {
  let count = 1;
  while (count < most && starts[at + count] === starts[at]! - count * ms) count++;
  return count;
}

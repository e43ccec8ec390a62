import type { Merchant } from "../internal/report/get-report.ts";
import { setChunkDays } from "../internal/store/maintenance/chunk-interval.ts";
import type { Pool } from "../internal/store/pool.ts";
import { type Bench, type BenchOptions, type BenchResult, median, short } from "./lib/result.ts";
import { type Database, startDatabase } from "./lib/servers.ts";
import { askCold, askWarm, rounded, type Seen, summary } from "./storage/latency.ts";
import { compareLayouts } from "./storage/layouts.ts";
import { load, PARTITIONS, type Workload } from "./storage/load.ts";
import { createMerchants, regionOfMerchant } from "./storage/merchants.ts";
import { QUESTIONS } from "./storage/questions.ts";
import { aggregateBytes, bookBytes, bytesPerEvent, columnBytes } from "./storage/sizes.ts";
import { Upkeep } from "./storage/upkeep.ts";

const DAYS_OF_A_YEAR = 365;

/**
 * What stored events cost, and how fast the dashboard's questions are answered from them: loads simulated history,
 * keeps it up as the aggregator does, then asks by the product's own functions, and the same in plain SQL over the raw
 * rows. The figure is the largest merchant's p99 over a month, warm.
 */
export const storage: Bench = async ({ seconds, say, ...asked }) => {
  const work = workloadOf(asked);
  let database = await startDatabase(PARTITIONS);
  say(`servers: ${JSON.stringify(database.versions)}`);
  try {
    await setChunkDays(database.pool, work.chunkDays);
    await createMerchants(database.pool, work.merchants);
    const costs = await loadAndWeigh(database, work, say);
    const people = await chosenMerchants(database.pool);
    const layouts = await compareLayouts(database.pool, people.get("largest")!.merchant.merchantId);
    say(`layouts: ${JSON.stringify(layouts)}`);
    const questions = QUESTIONS.filter(({ reach }) => reach !== "year" || hasYear(work));
    const seen = new Map<string, Seen[]>();
    for (const [size, { merchant }] of people) {
      seen.set(size, await askWarm(database, merchant, questions, seconds));
    }
    for (const [size, { merchant }] of people) {
      database = (await database.restart?.()) ?? database;
      await askCold(database, merchant, questions, seen.get(size)!);
    }
    const cold = database.restart === undefined ? "a new connection for each question" : "a restarted server";
    const details = { workload: work, ...costs, layouts, cold, versions: database.versions };
    return resultOf(seen, latencies(people, seen, hasYear(work), say), details);
  } finally {
    await database.stop();
  }
};

interface Asked extends Workload {
  readonly chunkDays: number;
}

function workloadOf(asked: Omit<BenchOptions, "seconds" | "say">): Asked {
  const { events, merchants = 10_000, days = DAYS_OF_A_YEAR, chunkDays = 7 } = asked;
  const usual = process.env.DATABASE_URL === undefined ? 1_000_000 : 10_000_000;
  return { events: events ?? usual, merchants, days, chunkDays };
}

function hasYear({ days }: Workload): boolean {
  return days >= DAYS_OF_A_YEAR;
}

function resultOf(seen: ReadonlyMap<string, Seen[]>, latency: Latencies, details: object): BenchResult {
  const month = latency.largest!.month!;
  return {
    bench: "storage",
    figure: month.warm.p99,
    unit: "ms (p99, questions of a month, largest merchant)",
    ratio: month.warm.p99 / month.rows.p99,
    against: "plain SQL over raw rows",
    details: { ...details, latency_ms: latency, questions_ms: questionTable(seen.get("largest")!) },
  };
}

async function loadAndWeigh({ pool, pid }: Database, work: Workload, say: (text: string) => void) {
  const upkeep = await Upkeep.open(pool, pid);
  const start = performance.now();
  const loaded = await load(pool, work, upkeep, say).finally(() => upkeep.close());
  const loadSeconds = (performance.now() - start) / 1_000;
  await pool.query("VACUUM ANALYZE");
  const perMillion = (spent: number) => Number(((spent / loaded) * 1e6).toFixed(2));
  const bytes = await bytesPerEvent(pool, loaded);
  const refresh = Object.fromEntries(
    Object.entries(upkeep.refreshSeconds).map(([name, spent]) => [name, perMillion(spent)]),
  );
  const costs = {
    loaded,
    load_events_per_second: Math.round(loaded / loadSeconds),
    bytes_per_event: bytes,
    book_bytes_per_event: await bookBytes(pool, loaded),
    column_bytes_per_event: await columnBytes(pool),
    aggregates: await aggregateBytes(pool, loaded),
    refresh_seconds_per_million: refresh,
    refresh_seconds_are: upkeep.isCpu ? "CPU" : "of the clock",
    convert_seconds_per_million: perMillion(upkeep.convertSeconds),
  };
  for (const [name, cost] of Object.entries(costs)) say(`${name}: ${JSON.stringify(cost)}`);
  return costs;
}

type Chosen = Map<string, { readonly merchant: Merchant; readonly events: number }>;

/** The largest merchant, the one in the middle of the ranks on a logarithmic scale, and the median one. */
async function chosenMerchants(pool: Pool): Promise<Chosen> {
  const { rows } = await pool.query<{ id: number; events: string }>(
    "SELECT merchant_id AS id, sum(events) AS events FROM totals_15m GROUP BY 1 ORDER BY 2 DESC, 1",
  );
  const ranks = {
    largest: 0,
    middle: Math.floor(Math.sqrt(rows.length)),
    small: Math.floor(rows.length / 2),
  };
  return new Map(
    Object.entries(ranks).map(([size, rank]) => {
      const { id, events } = rows[rank]!;
      const { timeZone, currency } = regionOfMerchant(id);
      return [size, { merchant: { merchantId: id, timeZone, currency }, events: Number(events) }];
    }),
  );
}

type Latencies = Record<string, Record<string, ReturnType<typeof summary>>>;

function latencies(
  chosen: Chosen,
  seen: ReadonlyMap<string, Seen[]>,
  hasYear: boolean,
  say: (text: string) => void,
) {
  const found: Latencies = {};
  for (const [size, { events }] of chosen) {
    const spans = hasYear ? (["month", "year"] as const) : (["month"] as const);
    found[size] = Object.fromEntries(spans.map((span) => [span, summary(seen.get(size)!, span === "year")]));
    for (const [span, { warm, cold, rows, error }] of Object.entries(found[size])) {
      const of = ({ p50, p99 }: { p50: number; p99: number }) => `${p50}/${p99}`;
      say(
        `${size} merchant (${short(events)} events), ${span}: p50/p99 ms warm ${of(warm)}, cold ${of(cold)}, plain SQL ${of(rows)}; largest error ${(100 * error).toFixed(2)} %`,
      );
    }
  }
  return found;
}

function questionTable(seen: readonly Seen[]) {
  return seen.map(({ question, reach, warm, cold, rows, error }) => ({
    question: `${question}, ${reach}`,
    warm: rounded(median(warm)),
    cold: rounded(cold),
    rows: rounded(median(rows)),
    error: Number(error.toFixed(4)),
  }));
}

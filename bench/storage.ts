import { type Database, startDatabase } from "./lib/database.ts";
import { type Bench, type BenchResult, short } from "./lib/result.ts";
import { type Chosen, chosenMerchants } from "./storage/chosen.ts";
import { loadAll, weigh } from "./storage/costs.ts";
import { askCold, askWarm, questionTable, type Seen, summary } from "./storage/latency.ts";
import { compareLayouts } from "./storage/layouts.ts";
import { PARTITIONS } from "./storage/load.ts";
import { QUESTIONS } from "./storage/questions.ts";
import { hasYear, workloadIn, workloadOf } from "./storage/workload.ts";

type Say = (text: string) => void;

/**
 * What stored events cost, and how fast the dashboard's questions are answered from them: loads simulated history,
 * keeps it up as the aggregator does, then asks by the product's own functions, and the same in plain SQL over the raw
 * rows. The figure is the largest merchant's p99 over a month, warm.
 */
export const storage: Bench = async ({ seconds, say, keep, loaded, ...asked }) => {
  let database = await startDatabase(PARTITIONS, { keep, loaded });
  say(`servers: ${JSON.stringify(database.versions)}`);
  if (keep !== undefined) say(`kept: what is loaded stays there as the database ${JSON.stringify(keep)}`);
  try {
    const { pool } = database;
    const work = loaded === undefined ? workloadOf(asked) : await workloadIn(pool);
    say(`workload: ${JSON.stringify(work)}`);
    const loading = loaded === undefined ? await loadAll(database, work, say) : undefined;
    const events = loading?.loaded ?? work.events;
    const costs = { ...loading, ...(await weigh(pool, events, say)) };
    const chosen = await chosenMerchants(pool);
    const { merchantId } = chosen.get("largest")!.merchant;
    const { chunkDays, days } = work;
    const layouts = await compareLayouts(pool, { merchantId, eventsPerDay: events / days, chunkDays });
    say(`layouts: ${JSON.stringify(layouts)}`);
    const restarted = (next: Database) => {
      database = next;
    };
    const seen = await askAll(database, restarted, chosen, { seconds, hasYear: hasYear(work) });
    const cold = database.restart === undefined ? "a new connection for each question" : "a restarted server";
    const details = { workload: work, ...costs, layouts, cold, versions: database.versions };
    return resultOf(seen, latencies(chosen, seen, hasYear(work), say), details);
  } finally {
    await database.stop();
  }
};

type SeenBySize = ReadonlyMap<string, Seen[]>;

/** All questions of each merchant, first warm, then cold. @param restarted told when the database is another one. */
async function askAll(
  given: Database,
  restarted: (next: Database) => void,
  chosen: Chosen,
  { seconds, hasYear }: { seconds: number; hasYear: boolean },
): Promise<SeenBySize> {
  const questions = QUESTIONS.filter(({ reach }) => reach !== "year" || hasYear);
  const seen = new Map<string, Seen[]>();
  for (const [size, { merchant }] of chosen) {
    seen.set(size, await askWarm(given, merchant, questions, seconds));
  }
  let database = given;
  for (const [size, { merchant }] of chosen) {
    database = (await database.restart?.()) ?? database;
    restarted(database);
    await askCold(database, merchant, questions, seen.get(size)!);
  }
  return seen;
}

function resultOf(seen: SeenBySize, latency: Latencies, details: object): BenchResult {
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

type Latencies = Record<string, Record<string, ReturnType<typeof summary>>>;

function latencies(chosen: Chosen, seen: SeenBySize, hasYear: boolean, say: Say): Latencies {
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

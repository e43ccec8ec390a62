import { type Database, startDatabase } from "./lib/database.ts";
import { rankedMerchants } from "./lib/ranked-merchants.ts";
import type { Bench, BenchOptions } from "./lib/result.ts";
import { type Asking, withAsking } from "./query/asking.ts";
import { hasYear, loadYear } from "./query/load-year.ts";
import { askMonth, askYear } from "./query/merchant-questions.ts";
import { askMix } from "./query/mix.ts";
import { type Found, PARTS, type Part, type PartOptions } from "./query/part.ts";
import { compareSite, loadSite } from "./query/site.ts";
import { loadAll } from "./storage/costs.ts";
import { PARTITIONS } from "./storage/load.ts";
import { workloadOf } from "./storage/workload.ts";

/** The largest of 10,000 merchants has a tenth of the events: a million in its month. */
const DAYS = 30;

type Ask = (database: Database, asking: Asking, options: PartOptions) => Promise<Found>;

/**
 * How fast the query service answers, in a process of its own, asked by clients in another: the mix of a dashboard of
 * shops, long-tailed over the merchants; a month and a year of a large merchant; a counter's dashboard of one site. The
 * figure and the ratio are of the first part that is asked for.
 */
export const query: Bench = async ({ parts = PARTS, ...options }) => {
  const { say, keep, loaded, views } = options;
  const results: Partial<Record<Part, Found>> = {};
  let versions: Database["versions"] = {};
  const run = async (database: Database, part: Part, ask: Ask) => {
    if (!parts.includes(part)) return;
    const started = performance.now();
    results[part] = await withAsking(database, (asking) => ask(database, asking, options));
    say(`${part}: ${Math.round((performance.now() - started) / 1_000)} s`);
  };
  const site = (name: string | undefined) => (name === undefined ? undefined : `${name}_site`);
  if (parts.some((part) => part !== "site"))
    await withDatabase({ keep, loaded }, async (database) => {
      versions = database.versions;
      if (loaded === undefined) await loadShops(database, options);
      await run(database, "mix", askMix);
      await run(database, "month", askMonth);
      if (!parts.includes("year")) return;
      const [largest] = await rankedMerchants(database.pool);
      if (!(await hasYear(database.pool))) await loadYear(database, largest!.merchantId, say);
      await run(database, "year", askYear);
    });
  if (parts.includes("site"))
    await withDatabase({ keep: site(keep), loaded: site(loaded) }, async (database) => {
      versions = database.versions;
      if (loaded === undefined) await loadSite(database, views, say);
      await run(database, "site", compareSite);
    });
  const first = results[PARTS.find((part) => parts.includes(part))!]!;
  return { ...first, bench: "query", details: { versions, ...results } };
};

async function withDatabase(
  kept: { keep: string | undefined; loaded: string | undefined },
  work: (database: Database) => Promise<void>,
): Promise<void> {
  const database = await startDatabase(PARTITIONS, kept);
  try {
    await work(database);
  } finally {
    await database.stop();
  }
}

async function loadShops(database: Database, { events, merchants, chunkDays, days, say }: BenchOptions) {
  const work = workloadOf({ events, merchants, chunkDays, days: days ?? DAYS });
  say(`workload: ${JSON.stringify(work)}, servers: ${JSON.stringify(database.versions)}`);
  const started = performance.now();
  await loadAll(database, work, say);
  say(`loaded in ${Math.round((performance.now() - started) / 1_000)} s`);
}

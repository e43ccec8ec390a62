import { startDatabase } from "./lib/database.ts";
import type { Bench } from "./lib/result.ts";
import { askMix, askShops } from "./query/shops.ts";
import { compareSite } from "./query/site.ts";
import { loadAll } from "./storage/costs.ts";
import { PARTITIONS } from "./storage/load.ts";
import { hasYear, workloadIn, workloadOf } from "./storage/workload.ts";

/** The largest of 10,000 merchants has a tenth of the events: a million in its month. */
const DAYS = 30;

/**
 * How fast questions are answered: those of a dashboard of shops, long-tailed over the merchants, and those of a
 * counter's dashboard of one site. The figure is the mix's questions a second of 16 clients, of which pg answers so and
 * so many more that sends the same statements and does nothing else.
 */
export const query: Bench = async ({ seconds, say, keep, loaded, views, ...asked }) => {
  const site = (name: string | undefined) => (name === undefined ? undefined : `${name}_site`);
  const database = await startDatabase(PARTITIONS, { keep, loaded });
  say(`servers: ${JSON.stringify(database.versions)}`);
  try {
    const { pool, url } = database;
    const work =
      loaded === undefined ? workloadOf({ days: DAYS, ...defined(asked) }) : await workloadIn(pool);
    say(`workload: ${JSON.stringify(work)}`);
    if (loaded === undefined) await loadAll(database, work, say);
    const questions_ms = await askShops(url, pool, hasYear(work), seconds, say);
    const mix = await askMix(url, pool, seconds, say);
    const compared = await compareSite({ seconds, say, views, keep: site(keep), loaded: site(loaded) });
    return {
      bench: "query",
      figure: mix[16]!.product.per_second,
      unit: "questions a second (the dashboard's mix, 16 clients)",
      ratio: mix[16]!.ratio,
      against: "pg sending the same statements",
      details: { workload: work, questions_ms, mix, site: compared, versions: database.versions },
    };
  } finally {
    await database.stop();
  }
};

/** Options that were given: what was not takes this bench's defaults. */
function defined<T extends object>(options: T): Partial<T> {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as Partial<T>;
}

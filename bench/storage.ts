import { startDatabase } from "./lib/database.ts";
import { rankedMerchants } from "./lib/ranked-merchants.ts";
import type { Bench } from "./lib/result.ts";
import { loadAll, weigh } from "./storage/costs.ts";
import { compareLayouts } from "./storage/layouts.ts";
import { PARTITIONS } from "./storage/load.ts";
import { workloadIn, workloadOf } from "./storage/workload.ts";

/**
 * What stored events cost: loads simulated history, keeps it up as the aggregator does, and weighs it. The figure is what
 * an event takes in the columnstore, against what it took as a row.
 */
export const storage: Bench = async ({ say, keep, loaded, ...asked }) => {
  const database = await startDatabase(PARTITIONS, { keep, loaded });
  say(`servers: ${JSON.stringify(database.versions)}`);
  if (keep !== undefined) say(`kept: what is loaded stays there as the database ${JSON.stringify(keep)}`);
  try {
    const { pool } = database;
    const work = loaded === undefined ? workloadOf(asked) : await workloadIn(pool);
    say(`workload: ${JSON.stringify(work)}`);
    const loading = loaded === undefined ? await loadAll(database, work, say) : undefined;
    const events = loading?.loaded ?? work.events;
    const weight = await weigh(pool, events, say);
    const [largest] = await rankedMerchants(pool);
    const { chunkDays, days } = work;
    const about = { merchantId: largest!.merchantId, eventsPerDay: events / days, chunkDays };
    const layouts = await compareLayouts(pool, about);
    say(`layouts: ${JSON.stringify(layouts)}`);
    const { rows, columnstore } = weight.bytes_per_event.events!;
    return {
      bench: "storage",
      figure: columnstore,
      unit: "bytes an event in the columnstore",
      ratio: columnstore / rows,
      against: "the same as rows",
      details: { workload: work, ...loading, ...weight, layouts, versions: database.versions },
    };
  } finally {
    await database.stop();
  }
};

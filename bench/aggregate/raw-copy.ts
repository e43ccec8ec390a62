import { process as runSteps } from "../../internal/aggregate/steps/process.ts";
import { toColumns } from "../../internal/aggregate/to-columns.ts";
import { BatchView } from "../../internal/event/batch-view.ts";
import { copyRows } from "../../internal/store/copy-rows.ts";
import { CopyWriter } from "../../internal/store/copy-writer.ts";
import { COPY_EVENTS, COPY_ITEMS, encodeEvents } from "../../internal/store/event-copy.ts";
import type { Pool } from "../../internal/store/pool.ts";
import { testContext } from "../../test/kit/step-context.ts";
import type { batchesOf } from "../lib/batches.ts";
import { perMillion } from "../lib/cpu.ts";
import { sessionCpu } from "../lib/session-cpu.ts";

export type Batches = ReturnType<typeof batchesOf>;

/** How long some rows took, and what of it the server's process computed. */
export interface RawCopy {
  readonly rows: number;
  readonly seconds: number;
  /** CPU seconds a million rows of the connection's server process. */
  readonly cpu: number | undefined;
}

/**
 * Raw COPY BINARY of batches over one connection, a transaction each, into events and items: without ledger, keys
 * and aggregates. The rows are encoded before the time begins, and removed afterwards.
 */
export async function rawCopy(pool: Pool, batches: Batches): Promise<RawCopy> {
  const writers = batches.map(encoded);
  const client = await pool.connect();
  try {
    const before = await sessionCpu(pool);
    const start = performance.now();
    let rows = 0;
    for (const { events, items } of writers) {
      await client.query("BEGIN");
      await copyRows(client, COPY_EVENTS, events);
      await copyRows(client, COPY_ITEMS, items);
      await client.query("COMMIT");
      rows += events.rows;
    }
    const seconds = (performance.now() - start) / 1_000;
    const { bench: cpu } = perMillion(before, await sessionCpu(pool), rows);
    await client.query("TRUNCATE events, items");
    return { rows, seconds, cpu };
  } finally {
    client.release();
  }
}

function encoded({ sealed, batch }: Batches[number]): { events: CopyWriter; items: CopyWriter } {
  const view = new BatchView(sealed.batchId, batch);
  const columns = toColumns(view, runSteps(view, testContext()), new Map());
  const events = new CopyWriter();
  const items = new CopyWriter();
  encodeEvents(events, items, columns, {
    duplicates: new Uint8Array(columns.rows),
    repeats: new Uint8Array(columns.orders?.row.length ?? 0),
    excess: new Uint8Array(columns.orders?.row.length ?? 0),
  });
  return { events, items };
}

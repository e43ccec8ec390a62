import { setTimeout as sleep } from "node:timers/promises";
import type { Pool } from "../pool.ts";
import { removeByBlocks } from "./blocks.ts";
import { removeCells } from "./cells.ts";
import { removeByChunks } from "./chunks.ts";
import { transactionInTries } from "./in-tries.ts";
import { lossesOf } from "./losses.ts";
import { passOnOrders } from "./orders.ts";
import { finishErasure, type Receipt, readReceipt } from "./receipt.ts";
import { remainsOf } from "./remains.ts";
import { removeWindow } from "./rows.ts";
import { removeSessions } from "./sessions.ts";
import { awaitRefresh } from "./settle.ts";
import type { Erasure, Person } from "./subject.ts";
import { CONVERTED_TABLES, MERCHANT_TABLES } from "./tables.ts";
import { vacuumAfter } from "./vacuum.ts";
import { mendVisitors, removeVisitor } from "./visitors.ts";
import { eventChunks, windowsIn } from "./windows.ts";

export interface RunOptions {
  /** How long the aggregator has to refresh what lost events, before that is done here; ms. */
  readonly refreshWaitMs: number;
  /** How long JetStream keeps batches, for the receipt; ms. */
  readonly streamMaxAgeMs: number;
}

/**
 * Carries out an erasure that was begun (begin.ts), to its end. Every stage looks for what is left to do, in
 * transactions that are short and can be repeated: after a crash it is begun again, and goes on where it stood.
 */
export async function runErasure(pool: Pool, erasure: Erasure, options: RunOptions): Promise<Receipt> {
  await removeEvents(pool, erasure);
  if (erasure.person === undefined) await endMerchant(pool, erasure);
  else await endPerson(pool, erasure, erasure.person, options.refreshWaitMs);
  await vacuumAfter(pool, erasure);
  await finishErasure(pool, erasure.erasureId, await remainsOf(pool, erasure, options.streamMaxAgeMs));
  return readReceipt(pool, erasure.erasureId);
}

/**
 * Removes the events window by window, until there are none: one that another transaction changed while the
 * columnstore unpacked it may be missed the first time.
 */
async function removeEvents(pool: Pool, erasure: Erasure): Promise<void> {
  for (const chunk of await eventChunks(pool)) {
    for (let windows = await windowsIn(pool, erasure, chunk); windows.length > 0; ) {
      for (const window of windows) {
        const started = performance.now();
        await transactionInTries(pool, (client) => removeWindow(client, erasure, window));
        // Half of the time is left to others.
        await sleep(performance.now() - started);
      }
      windows = await windowsIn(pool, erasure, chunk);
    }
  }
}

async function endPerson(pool: Pool, erasure: Erasure, person: Person, refreshWaitMs: number): Promise<void> {
  await passOnOrders(pool, erasure);
  const losses = await lossesOf(pool, erasure, person);
  await transactionInTries(pool, (client) => removeSessions(client, erasure, losses));
  await transactionInTries(pool, (client) =>
    person.kind === "visitor"
      ? removeVisitor(client, erasure, person)
      : mendVisitors(client, erasure, losses),
  );
  await awaitRefresh(pool, erasure, refreshWaitMs);
}

async function endMerchant(pool: Pool, erasure: Erasure): Promise<void> {
  await removeCells(pool, erasure);
  await pool.query("UPDATE erasures SET refreshed_at = now() WHERE erasure_id = $1", [erasure.erasureId]);
  for (const relation of MERCHANT_TABLES) await removeByBlocks(pool, erasure, { relation });
  // Behind the rows: a chunk that was converted while these went still had some.
  for (const [name, time] of Object.entries(CONVERTED_TABLES)) {
    await removeByChunks(pool, erasure, { relation: `public.${name}`, name, time, onlyConverted: true });
  }
}

import { setTimeout as sleep } from "node:timers/promises";
import { Backoff } from "../../lifecycle/backoff.ts";
import { type Client, hasSqlState, type Pool, transaction } from "../pool.ts";
import { isTemporary } from "../temporary.ts";

/** About two minutes: a chunk that is being converted to the columnstore is locked for as long. */
const TRIES = 40;
const BACKOFF = { firstMs: 50, longestMs: 5_000 };

/** PostgreSQL's internal error: two statements met in a batch of the columnstore ("tuple concurrently deleted"). */
const INTERNAL = "XX000";

/**
 * Locks a merchant's partition: nobody commits to it until the transaction ends. It fails, to be tried again, where
 * another lock would make it long.
 */
export async function lockPartition(client: Client, partition: number): Promise<void> {
  await client.query("SET LOCAL lock_timeout = '2s'");
  await client.query("SELECT 1 FROM partitions WHERE partition_id = $1 FOR NO KEY UPDATE", [partition]);
}

/** Runs a step in a transaction, and again where only the moment was wrong: another's lock, a restart. */
export async function patiently<T>(pool: Pool, step: (client: Client) => Promise<T>): Promise<T> {
  const backoff = new Backoff(BACKOFF);
  for (let tried = 1; ; tried++) {
    try {
      return await transaction(pool, step);
    } catch (error) {
      const isMoment =
        isTemporary(error) || (hasSqlState(error, INTERNAL) && /concurrent/.test(String(error)));
      if (!isMoment || tried === TRIES) throw error;
      await sleep(backoff.next());
    }
  }
}

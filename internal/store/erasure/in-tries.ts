import { withRetry } from "../../lifecycle/retry.ts";
import { type Client, type Pool, transaction } from "../pool.ts";
import { isMomentary } from "../temporary.ts";

/** About two minutes: a chunk that is being converted to the columnstore is locked for as long. */
const AGAIN = { tries: 40, firstMs: 50, longestMs: 5_000 };

/**
 * Locks a merchant's partition: nobody commits to it until the transaction ends. It fails, to be tried again, where
 * another lock would make it long.
 */
export async function lockPartition(client: Client, partition: number): Promise<void> {
  await client.query("SET LOCAL lock_timeout = '2s'");
  await client.query("SELECT 1 FROM partitions WHERE partition_id = $1 FOR NO KEY UPDATE", [partition]);
}

/** Runs a step in a transaction, and again where only the moment was wrong: another's lock, a restart. */
export function transactionInTries<T>(pool: Pool, step: (client: Client) => Promise<T>): Promise<T> {
  return withRetry(() => transaction(pool, step), { ...AGAIN, isRetryable: isMomentary });
}

import type { Client } from "./pool.ts";

/**
 * Lets the rest of a transaction change as many rows in the columnstore as it must. TimescaleDB ends one that unpacks
 * more than 100,000 by default, which a day of an expired class of merchants, or late events that join sessions, may.
 */
export async function liftDecompressionLimit(client: Client): Promise<void> {
  await client.query("SET LOCAL timescaledb.max_tuples_decompressed_per_dml_transaction = 0");
}

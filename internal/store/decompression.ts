import type { Client } from "./pool.ts";

/**
 * From here to the end of the transaction, or until its savepoint is rolled back to, a statement that unpacks more than
 * one row of the columnstore fails with TOO_MUCH_UNPACKED. Whoever must unpack after it lifts the limit.
 */
export const LIMIT_DECOMPRESSION = "SET LOCAL timescaledb.max_tuples_decompressed_per_dml_transaction = 1";

/** SQLSTATE: a configured limit is exceeded. */
export const TOO_MUCH_UNPACKED = "53400";

/**
 * Lets the rest of a transaction change rows in the columnstore, as many as it must. TimescaleDB ends one that unpacks
 * more than 100,000 by default, which a day of an expired class of merchants, or late events that join sessions, may.
 */
export async function prepareForColumnstore(client: Client): Promise<void> {
  await client.query("SET LOCAL timescaledb.max_tuples_decompressed_per_dml_transaction = 0");
  await client.query(`SET LOCAL ${NO_BITMAPS}`);
}

/**
 * Whatever changes or deletes rows that may be in the columnstore runs under this. A statement unpacks them first, and
 * in TimescaleDB 2.22 a bitmap scan may then look for them as if they were not there yet: a refresh leaves old cells
 * beside its new ones, a DELETE with RETURNING fails ("attempted to delete invisible tuple").
 */
export const NO_BITMAPS = "enable_bitmapscan = off";

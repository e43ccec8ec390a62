import { type Goal, listGoals } from "../../store/goals.ts";
import type { Client, Pool } from "../../store/pool.ts";
import { inSnapshot, type ReadLimits } from "../../store/snapshot.ts";
import { sqlFile } from "../../store/sql-file.ts";
import type { Property } from "../schema/properties.ts";
import type { MerchantFields } from "../schema/schema.ts";
import { DAY_MS } from "../time/calendar.ts";

const NEWEST_ROWS = sqlFile("./newest-rows.sql", import.meta.url);
const OWN_PROPERTIES = sqlFile("./own-properties.sql", import.meta.url);

/** What is looked at for properties: newest rows, not older than so. */
const ROWS = 2_000;
const LONGEST_AGO_MS = 28 * DAY_MS;

/** Most properties that are listed, those first that most of the rows have. */
export const MOST_PROPERTIES = 100;

/**
 * A merchant's goals, and the properties that its newest events have: names that nobody sends any more go by themselves,
 * and no list has to be kept where events are written.
 * @param now ms since 1970-01-01 UTC. @throws as inSnapshot.
 */
export function readOwnFields(
  pool: Pool,
  merchantId: number,
  now: number,
  limits: ReadLimits,
): Promise<MerchantFields> {
  return inSnapshot(pool, limits, async (client) => {
    const goals = await goalsIn(client, merchantId, limits);
    const properties = await readProperties(client, merchantId, new Date(now - LONGEST_AGO_MS));
    limits.onRead?.(["raw"], properties.length);
    return { goals, properties };
  });
}

/** The merchant's goals, by id. @throws as inSnapshot. */
export function readGoals(pool: Pool, merchantId: number, limits: ReadLimits): Promise<Goal[]> {
  return inSnapshot(pool, limits, (client) => goalsIn(client, merchantId, limits));
}

async function goalsIn(client: Client, merchantId: number, { onRead }: ReadLimits): Promise<Goal[]> {
  const goals = await listGoals(client, merchantId);
  onRead?.(["goals"], goals.length);
  return goals;
}

/** Looks at no more of the columnstore than has the rows: sorting a large merchant's weeks would take its time. */
async function readProperties(client: Client, merchantId: number, earliest: Date): Promise<Property[]> {
  const newest = await client.query<{ since: Date }>(NEWEST_ROWS, [merchantId, earliest, ROWS]);
  const { since } = newest.rows[0]!;
  const { rows } = await client.query<{ name: string; is_numeric: boolean }>(OWN_PROPERTIES, [
    merchantId,
    since,
    ROWS,
    MOST_PROPERTIES,
  ]);
  return rows.map(({ name, is_numeric }) => ({ name, isNumeric: is_numeric }));
}

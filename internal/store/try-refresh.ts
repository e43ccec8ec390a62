import { type GrainName, TOTALS } from "./continuous-aggregates.ts";
import { forceRefresh } from "./force-refresh.ts";
import { type Client, onConnection, type Pool, sqlState } from "./pool.ts";
import type { SetApart } from "./set-apart.ts";

/** The aggregates of a grain over a span of time, [from, to), as PostgreSQL reads it. */
export interface Refresh {
  readonly grain: GrainName;
  readonly aggregates: readonly string[];
  readonly from: string;
  readonly to: string;
}

/** What a span is known by: its grain, and its start. */
export function spanKey({ grain, from }: Pick<Refresh, "grain" | "from">): string {
  return `${grain} ${from}`;
}

/**
 * forceRefresh, after which a span that fails is set apart.
 *
 * @param parts what the span is put together of, to be tried one by one where it fails; none: it is set apart itself.
 * @returns whether it was refreshed.
 * @throws what says that no span can be refreshed now: the database is away, or has no room. The span is set apart all
 * the same, as it may be what the server failed of. Without `apart`: whatever fails.
 */
export async function tryRefresh(
  pool: Pool,
  refresh: Refresh,
  apart?: SetApart,
  parts: readonly Refresh[] = [],
): Promise<boolean> {
  const { aggregates, from, to } = refresh;
  try {
    await forceRefresh(pool, aggregates, from, to);
  } catch (error) {
    if (apart === undefined) throw error;
    const ofServer = isOfServer(error);
    if (!ofServer) await forgetPending(pool, refresh).catch(() => {});
    for (const part of parts) apart.suspect(spanKey(part));
    if (parts.length === 0) {
      const merchantId = ofServer ? undefined : await findMerchant(pool, refresh).catch(() => undefined);
      apart.failed(spanKey(refresh), { ...refresh, merchantId, error });
    }
    if (ofServer) throw error;
    return false;
  }
  apart?.succeeded(spanKey(refresh));
  return true;
}

/**
 * TimescaleDB (2.22) remembers the range of a refresh that failed, and every later refresh that overlaps it works all of it
 * over, and so fails as well. Ours are forced, so that nothing rests on that memory. Needs the right to write to the
 * extension's catalogue, as the owner of a database of its own has; without it all parts of the span wait for the one.
 */
function forgetPending(pool: Pool, { aggregates, from, to }: Refresh): Promise<unknown> {
  return pool.query(
    `DELETE FROM _timescaledb_catalog.continuous_aggs_materialization_ranges
     WHERE materialization_id IN (
         SELECT mat_hypertable_id FROM _timescaledb_catalog.continuous_agg WHERE user_view_name = ANY ($1))
       AND lowest_modified_value >= (extract(epoch FROM $2::timestamptz) * 1000000)::bigint
       AND greatest_modified_value <= (extract(epoch FROM $3::timestamptz) * 1000000)::bigint`,
    [aggregates, from, to],
  );
}

/** Connections, passwords, the catalogue, read-only servers, no room, shutting down: other spans fail as well. */
const OF_SERVER = ["08", "28", "3D", "25006", "53", "57P"];

/** Whether an error says something about the server and nothing about what was refreshed. */
export function isOfServer(error: unknown): boolean {
  const state = sqlState(error);
  return state === undefined || OF_SERVER.some((prefix) => state.startsWith(prefix));
}

/** Of how many merchants one is looked for: each half of them costs a query. */
const MOST_MERCHANTS = 100_000;

/** The merchant whose rows an aggregate cannot be computed from; undefined: it is not the rows of one. */
function findMerchant(pool: Pool, refresh: Refresh): Promise<number | undefined> {
  return onConnection(pool, async (client) => {
    const merchants = await merchantsIn(client, refresh);
    for (const aggregate of refresh.aggregates) {
      const definition = await definitionOf(client, aggregate);
      const fails = (ids: readonly number[]) => failsFor(client, definition, refresh, ids);
      if (!(await fails(merchants))) continue;
      let suspects = merchants;
      while (suspects.length > 1) {
        const half = suspects.slice(0, suspects.length >> 1);
        suspects = (await fails(half)) ? half : suspects.slice(half.length);
      }
      return (await fails(suspects)) ? suspects[0] : undefined;
    }
    return undefined;
  });
}

async function merchantsIn(client: Client, { aggregates, from, to }: Refresh): Promise<number[]> {
  // Days and longer spans are refreshed after the quarter hours in them.
  const [table, time] = aggregates.includes(TOTALS) ? ["events", "ts"] : [TOTALS, "bucket"];
  const { rows } = await client.query<{ id: number }>(
    `SELECT DISTINCT merchant_id AS id FROM ${table} WHERE ${time} >= $1 AND ${time} < $2 ORDER BY 1 LIMIT $3`,
    [from, to, MOST_MERCHANTS],
  );
  return rows.map(({ id }) => id);
}

/** An aggregate's own definition, run over what it is built on. */
export async function definitionOf(client: Client, aggregate: string): Promise<string> {
  const { rows } = await client.query<{ definition: string }>(
    `SELECT view_definition AS definition FROM timescaledb_information.continuous_aggregates
     WHERE view_name = $1`,
    [aggregate],
  );
  return rows[0]!.definition.replace(/;\s*$/, "");
}

async function failsFor(
  client: Client,
  definition: string,
  { from, to }: Refresh,
  ids: readonly number[],
): Promise<boolean> {
  try {
    await client.query(
      `SELECT count(d.*) FROM (${definition}) d WHERE bucket >= $1 AND bucket < $2 AND merchant_id = ANY ($3::integer[])`,
      [from, to, ids],
    );
    return false;
  } catch (error) {
    if (isOfServer(error)) throw error;
    return true;
  }
}

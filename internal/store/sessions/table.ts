import type { Client } from "../pool.ts";
import { sqlFile } from "../sql-file.ts";
import type { Session, Visit } from "./assign.ts";
import { MAX_SESSION_MS, SESSION_GAP_MS, type StoredSession } from "./join.ts";

const FIND = sqlFile("./find.sql", import.meta.url);
const WRITE = sqlFile("./write.sql", import.meta.url);
const REMOVE = sqlFile("./remove.sql", import.meta.url);
const REWRITE = sqlFile("./rewrite.sql", import.meta.url);

/** The stored sessions that each visit's events may belong to, by start. */
export async function readAround(client: Client, visits: readonly Visit[]): Promise<StoredSession[][]> {
  const firsts = visits.map(({ events }) => events[0]!.time);
  const lasts = visits.map(({ events }) => events.at(-1)!.time);
  const { rows } = await client.query<{ n: number; session_id: string; start: number; end: number }>(FIND, [
    visits.map(({ merchantId }) => merchantId),
    visits.map(({ visitorId }) => visitorId),
    firsts,
    lasts,
    SESSION_GAP_MS,
    MAX_SESSION_MS,
    least(firsts),
    most(lasts),
  ]);
  const found: StoredSession[][] = visits.map(() => []);
  for (const { n, session_id, start, end } of rows) {
    found[n - 1]!.push({ start, end, sessionId: BigInt(session_id) });
  }
  return found;
}

/** Writes sessions down, new ones and those that are longer now. */
export async function writeAll(client: Client, sessions: readonly Session[]): Promise<void> {
  await client.query(WRITE, [
    sessions.map(({ visit }) => visit.merchantId),
    sessions.map(({ visit }) => visit.visitorId),
    sessions.map(({ start }) => start),
    sessions.map(({ end }) => end),
    sessions.map(({ sessionId }) => sessionId),
  ]);
}

/** Forgets the sessions of some visitors that began at some times. */
export async function removeAll(
  client: Client,
  gone: readonly { readonly visit: Visit; readonly start: number }[],
): Promise<void> {
  if (gone.length === 0) return;
  const starts = gone.map(({ start }) => start);
  await client.query(REMOVE, [
    gone.map(({ visit }) => visit.merchantId),
    gone.map(({ visit }) => visit.visitorId),
    starts,
    least(starts),
    most(starts),
  ]);
}

/** Gives the stored events of an old session the id of the session that it became part of. */
export async function rewriteEvents(
  client: Client,
  { visit, sessionId, old }: Session & { readonly old: StoredSession },
): Promise<void> {
  const { merchantId, visitorId } = visit;
  await client.query(REWRITE, [merchantId, visitorId, old.sessionId, sessionId, old.start, old.end]);
}

function least(values: readonly number[]): number {
  return values.reduce((a, b) => Math.min(a, b));
}

function most(values: readonly number[]): number {
  return values.reduce((a, b) => Math.max(a, b));
}

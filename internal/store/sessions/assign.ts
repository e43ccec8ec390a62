import { hash } from "node:crypto";
import { prepareForColumnstore } from "../decompression.ts";
import type { EventColumns } from "../event-columns.ts";
import type { Client } from "../pool.ts";
import { type Activity, type JoinedSession, joinSessions } from "./join.ts";
import { readAround, removeAll, rewriteEvents, writeAll } from "./table.ts";

/** New events of one visitor that no SDK gave a session. */
export interface Visit {
  readonly merchantId: number;
  /** The visitor's 64-bit hash, signed. */
  readonly visitorId: bigint;
  readonly events: { readonly columns: EventColumns; readonly row: number; readonly time: number }[];
}

/** Events of a batch, and which of them are not written. */
export interface Fresh {
  readonly columns: EventColumns;
  readonly duplicates: Uint8Array;
}

/**
 * Finds the session of every new event that came without one: 30 minutes without activity end a session, whatever
 * the batches and the order in which its events come. Fills in `columns.sessions` and writes the sessions down, in the
 * events' transaction. An event between two sessions makes them one: the later one's stored events get the id of
 * the earlier.
 *
 * @returns the spans of the events that were given another id.
 */
export async function assignSessions(client: Client, fresh: readonly Fresh[]): Promise<Activity[]> {
  const visits = visitsOf(fresh);
  if (visits.length === 0) return [];
  const stored = await readAround(client, visits);
  const sessions = visits.flatMap((visit, index) => {
    const times = visit.events.map(({ time }) => time);
    return joinSessions(times, stored[index]!).map((joined) => withId(visit, joined));
  });
  for (const session of sessions) fillIn(session);
  const absorbed = sessions.flatMap((session) => session.stored.slice(1).map((old) => ({ ...session, old })));
  if (absorbed.length > 0) await prepareForColumnstore(client);
  for (const one of absorbed) await rewriteEvents(client, one);
  await removeAll(
    client,
    sessions.flatMap((session) =>
      session.stored
        .filter(({ start }) => start !== session.start)
        .map((old) => ({ ...session, start: old.start })),
    ),
  );
  await writeAll(client, sessions);
  return absorbed.map(({ old }) => old);
}

export interface Session extends JoinedSession {
  readonly visit: Visit;
  readonly sessionId: bigint;
}

/** The visits of rows without a session, each one's events by time. */
function visitsOf(fresh: readonly Fresh[]): Visit[] {
  const visits = new Map<string, Visit>();
  for (const { columns, duplicates } of fresh) {
    const { sessionless, merchantIds, visitors } = columns;
    for (let row = 0; row < columns.rows; row++) {
      if (sessionless[row] === 0 || duplicates[row] === 1) continue;
      const key = `${merchantIds[row]} ${visitors[2 * row]} ${visitors[2 * row + 1]}`;
      let visit = visits.get(key);
      if (visit === undefined) {
        visit = { merchantId: merchantIds[row]!, visitorId: signed64(visitors, row), events: [] };
        visits.set(key, visit);
      }
      visit.events.push({ columns, row, time: columns.time.get(row) });
    }
  }
  for (const { events } of visits.values()) events.sort((a, b) => a.time - b.time);
  return [...visits.values()];
}

/** The 64-bit value of a row's low and high word, as PostgreSQL's bigint has it. */
function signed64(words: Uint32Array, row: number): bigint {
  return BigInt.asIntN(64, (BigInt(words[2 * row + 1]!) << 32n) | BigInt(words[2 * row]!));
}

/** A session keeps the id of its earliest part; a new one's is made of its visitor and start. */
function withId(visit: Visit, joined: JoinedSession): Session {
  return { ...joined, visit, sessionId: joined.stored[0]?.sessionId ?? newId(visit, joined.start) };
}

function newId({ merchantId, visitorId }: Visit, start: number): bigint {
  return hash("sha256", `session\0${merchantId}\0${visitorId}\0${start}`, "buffer").readBigInt64LE(0);
}

function fillIn({ visit, start, end, sessionId }: Session): void {
  const low = Number(BigInt.asUintN(32, sessionId));
  const high = Number(BigInt.asUintN(32, sessionId >> 32n));
  for (const { columns, row, time } of visit.events) {
    if (time < start || time > end) continue;
    columns.sessions[2 * row] = low;
    columns.sessions[2 * row + 1] = high;
  }
}

import { hash } from "node:crypto";
import { prepareForColumnstore } from "../decompression.ts";
import type { Client } from "../pool.ts";
import { type Activity, type JoinedSession, joinSessions, type StoredSession } from "./join.ts";
import { readAround, removeAll, rewriteEvents, writeAll } from "./table.ts";
import { type Fresh, type Visit, type VisitEvent, visitsOf } from "./visits.ts";

/**
 * Finds the session of every new event that came without one: 30 minutes without activity end a session, whatever
 * the batches and the order in which its events come. Fills in `columns.sessions` and writes the sessions down, in the
 * events' transaction. An event between two sessions makes them one: the later one's stored events get the id of
 * the earlier.
 *
 * All events of a session have the visitor of its first. One without an id, whose visitor changes at midnight (UTC),
 * so stays who it was as long as the session goes on: `columns.visitors` is filled in, stored events are rewritten.
 *
 * @returns the spans of the events that were given another session or visitor.
 */
export async function assignSessions(client: Client, fresh: readonly Fresh[]): Promise<Activity[]> {
  const visits = visitsOf(fresh);
  if (visits.length === 0) return [];
  const stored = await readAround(client, visits);
  const sessions = visits.flatMap((visit, at) => sessionsOf(visit, stored[at]!));
  for (const session of sessions) fillIn(session);
  const changed = sessions.flatMap(changesOf);
  if (changed.length > 0) await prepareForColumnstore(client);
  for (const { session, old } of changed) await rewriteEvents(client, session, old);
  await removeAll(client, sessions.flatMap(goneOf));
  await writeAll(client, sessions);
  return changed.map(({ old }) => old);
}

/** A session of new events, as it is from now on. */
export interface Session extends JoinedSession, StoredSession {
  readonly merchantId: number;
  readonly events: readonly VisitEvent[];
}

function sessionsOf({ merchantId, events }: Visit, stored: readonly StoredSession[]): Session[] {
  const times = events.map(({ time }) => time);
  let at = 0;
  return joinSessions(times, stored).map((joined) => {
    const from = at;
    while (at < events.length && events[at]!.time <= joined.end) at++;
    return identified(merchantId, joined, events.slice(from, at));
  });
}

/** A session keeps the id of its earliest part; a new one's is made of its visitor and start. */
function identified(merchantId: number, joined: JoinedSession, events: readonly VisitEvent[]): Session {
  const [earliest] = joined.stored;
  const first = earliest?.start === joined.start ? earliest : events[0]!;
  const { visitorId } = first;
  const sessionId = earliest?.sessionId ?? newId(merchantId, visitorId, joined.start);
  return { ...joined, merchantId, events, visitorId, sessionId };
}

function newId(merchantId: number, visitorId: bigint, start: number): bigint {
  return hash("sha256", `session\0${merchantId}\0${visitorId}\0${start}`, "buffer").readBigInt64LE(0);
}

function fillIn({ events, sessionId, visitorId }: Session): void {
  const session = wordsOf(sessionId);
  for (const { columns, row, visitorId: own } of events) {
    if (columns.sessionless[row] === 1) put(columns.sessions, row, session);
    if (own !== visitorId) put(columns.visitors, row, wordsOf(visitorId));
  }
}

type Words = readonly [low: number, high: number];

function wordsOf(id: bigint): Words {
  return [Number(BigInt.asUintN(32, id)), Number(BigInt.asUintN(32, id >> 32n))];
}

function put(target: Uint32Array, row: number, [low, high]: Words): void {
  target[2 * row] = low;
  target[2 * row + 1] = high;
}

/** The stored sessions whose events get another id or visitor. */
function changesOf(session: Session): { session: Session; old: StoredSession }[] {
  return session.stored
    .filter(({ sessionId, visitorId }) => sessionId !== session.sessionId || visitorId !== session.visitorId)
    .map((old) => ({ session, old }));
}

/** The lines of stored sessions that a session replaces: those that do not begin as it does. */
function goneOf({ merchantId, visitorId, start, stored }: Session) {
  return stored
    .filter((old) => old.start !== start || old.visitorId !== visitorId)
    .map((old) => ({ merchantId, visitorId: old.visitorId, start: old.start }));
}

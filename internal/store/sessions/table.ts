import type { Client } from "../pool.ts";
import { sqlFile } from "../sql-file.ts";
import type { Session } from "./assign.ts";
import { MAX_SESSION_MS, SESSION_GAP_MS, type StoredSession } from "./join.ts";
import type { Reach, Visit } from "./visits.ts";

const FIND = sqlFile("./find.sql", import.meta.url);
const WRITE = sqlFile("./write.sql", import.meta.url);
const REMOVE = sqlFile("./remove.sql", import.meta.url);
const REWRITE = sqlFile("./rewrite.sql", import.meta.url);

interface FoundSession {
  readonly n: number;
  readonly visitor_id: string;
  readonly session_id: string;
  readonly start: number;
  readonly end: number;
}

/** The stored sessions that each visit's events may belong to, by start. */
export async function readAround(client: Client, visits: readonly Visit[]): Promise<StoredSession[][]> {
  const firsts = visits.map(({ events }) => events[0]!.time);
  const lasts = visits.map(({ events }) => events.at(-1)!.time);
  const asked = { all: new Asked(), "past-midnight": new Asked() };
  for (const [n, { merchantId, visitorId, others }] of visits.entries()) {
    const add = (of: bigint, reach: Reach) => asked[reach].add(n, merchantId, of, firsts[n]!, lasts[n]!);
    add(visitorId, "all");
    for (const [other, reach] of others ?? []) add(other, reach);
  }
  const { rows } = await client.query<FoundSession>(FIND, [
    ...asked.all.columns,
    ...asked["past-midnight"].columns,
    SESSION_GAP_MS,
    MAX_SESSION_MS,
    least(firsts),
    most(lasts),
  ]);
  const found: StoredSession[][] = visits.map(() => []);
  for (const { n, visitor_id, session_id, start, end } of rows) {
    found[n]!.push({ start, end, visitorId: BigInt(visitor_id), sessionId: BigInt(session_id) });
  }
  return found;
}

/** Visitors whose sessions are asked for, as find.sql takes them. */
class Asked {
  readonly columns = [[], [], [], [], []] as [number[], number[], bigint[], number[], number[]];

  add(n: number, merchantId: number, visitorId: bigint, first: number, last: number): void {
    const [numbers, merchantIds, visitorIds, firsts, lasts] = this.columns;
    numbers.push(n);
    merchantIds.push(merchantId);
    visitorIds.push(visitorId);
    firsts.push(first);
    lasts.push(last);
  }
}

/** Writes sessions down, new ones and those that are longer now. */
export async function writeAll(client: Client, sessions: readonly Session[]): Promise<void> {
  await client.query(WRITE, [
    sessions.map(({ merchantId }) => merchantId),
    sessions.map(({ visitorId }) => visitorId),
    sessions.map(({ start }) => start),
    sessions.map(({ end }) => end),
    sessions.map(({ sessionId }) => sessionId),
  ]);
}

/** Forgets the sessions of some visitors that began at some times. */
export async function removeAll(
  client: Client,
  gone: readonly Pick<Session, "merchantId" | "visitorId" | "start">[],
): Promise<void> {
  if (gone.length === 0) return;
  const starts = gone.map(({ start }) => start);
  await client.query(REMOVE, [
    gone.map(({ merchantId }) => merchantId),
    gone.map(({ visitorId }) => visitorId),
    starts,
    least(starts),
    most(starts),
  ]);
}

/** Gives the stored events of an old session the visitor and the id of the session that it became part of. */
export async function rewriteEvents(client: Client, session: Session, old: StoredSession): Promise<void> {
  const { merchantId, visitorId, sessionId } = session;
  await client.query(REWRITE, [
    merchantId,
    old.visitorId,
    old.sessionId,
    visitorId,
    sessionId,
    old.start,
    old.end,
  ]);
}

function least(values: readonly number[]): number {
  return values.reduce((a, b) => Math.min(a, b));
}

function most(values: readonly number[]): number {
  return values.reduce((a, b) => Math.max(a, b));
}

/** A visitor without activity for longer than this begins a new session, ms. */
export const SESSION_GAP_MS = 30 * 60_000;

/** A session is not joined beyond this length, ms: who is active for a day without a pause is no person. */
export const MAX_SESSION_MS = 24 * 3_600_000;

/** A span of a visitor's activity, both ends included; ms since 1970-01-01 UTC. */
export interface Activity {
  readonly start: number;
  readonly end: number;
}

/** A session that is written down. */
export interface StoredSession extends Activity {
  readonly sessionId: bigint;
  /** The visitor's 64-bit hash, signed. */
  readonly visitorId: bigint;
}

/** A session as it is with new events in it. */
export interface JoinedSession extends Activity {
  /** The stored sessions that it holds, earliest first; more than one when an event came between two. */
  readonly stored: readonly StoredSession[];
}

/**
 * Joins new events of one person with the sessions that are stored: activity that is at most SESSION_GAP_MS
 * apart is one session, whatever the order in which it came.
 *
 * @param times of the new events, ascending, ms.
 * @param stored the person's sessions around them, by start; no two of them overlap.
 * @returns the sessions that hold a new event, ascending and apart.
 */
export function joinSessions(times: readonly number[], stored: readonly StoredSession[]): JoinedSession[] {
  const joined: { start: number; end: number; stored: StoredSession[]; isTouched: boolean }[] = [];
  const add = ({ start, end }: Activity, session: StoredSession | undefined) => {
    const last = joined.at(-1);
    const fits = last !== undefined && start - last.end <= SESSION_GAP_MS;
    if (fits && Math.max(last.end, end) - last.start <= MAX_SESSION_MS) {
      last.end = Math.max(last.end, end);
      if (session === undefined) last.isTouched = true;
      else last.stored.push(session);
    } else {
      joined.push({
        start,
        end,
        stored: session === undefined ? [] : [session],
        isTouched: session === undefined,
      });
    }
  };
  let at = 0;
  for (const time of times) {
    for (; at < stored.length && stored[at]!.start <= time; at++) add(stored[at]!, stored[at]);
    add({ start: time, end: time }, undefined);
  }
  for (; at < stored.length; at++) add(stored[at]!, stored[at]);
  return joined.filter(({ isTouched }) => isTouched);
}

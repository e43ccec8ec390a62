import fc from "fast-check";
import { expect, test } from "vitest";
import { joinSessions, MAX_SESSION_MS, SESSION_GAP_MS, type StoredSession } from "./join.ts";

const MINUTE = 60_000;

test("a pause of 30 minutes goes on with the session, a longer one begins another", () => {
  expect(joinSessions([0, SESSION_GAP_MS], [])).toMatchObject([{ start: 0, end: SESSION_GAP_MS }]);
  expect(joinSessions([0, SESSION_GAP_MS + 1], [])).toHaveLength(2);
});

test("a late event between two sessions makes one of them, which is the earlier", () => {
  const stored: StoredSession[] = [
    { start: 0, end: 10 * MINUTE, sessionId: 1n, visitorId: 1n },
    { start: 60 * MINUTE, end: 61 * MINUTE, sessionId: 2n, visitorId: 1n },
  ];
  const joined = joinSessions([35 * MINUTE], stored);
  expect(joined).toMatchObject([{ start: 0, end: 61 * MINUTE, stored }]);
});

test("sessions that no new event touches are not answered", () => {
  const stored = [{ start: 0, end: 0, sessionId: 1n, visitorId: 1n }];
  expect(joinSessions([2 * SESSION_GAP_MS], stored)).toMatchObject([{ stored: [] }]);
});

/** Splits sorted times wherever the gap is too long: what sessions are when all events are known at once. */
function sessionsOf(times: readonly number[]): number[][] {
  const sessions: number[][] = [];
  for (const time of times) {
    const last = sessions.at(-1);
    if (last !== undefined && time - last.at(-1)! <= SESSION_GAP_MS) last.push(time);
    else sessions.push([time]);
  }
  return sessions;
}

test("any order and any batches end in the sessions of all events at once", () => {
  // Spread so that gaps of all lengths come about, and no session reaches the longest one.
  const time = fc.integer({ min: 0, max: 600 }).map((minute) => minute * MINUTE);
  fc.assert(
    fc.property(fc.array(fc.array(time, { minLength: 1, maxLength: 8 }), { maxLength: 12 }), (batches) => {
      let stored: StoredSession[] = [];
      let nextId = 1n;
      for (const batch of batches) {
        const joined = joinSessions(
          batch.toSorted((a, b) => a - b),
          stored,
        );
        const gone = new Set(joined.flatMap((session) => session.stored));
        const made = joined.map(({ start, end, stored: [first] }) => ({
          start,
          end,
          sessionId: first?.sessionId ?? nextId++,
          visitorId: 1n,
        }));
        stored = [...stored.filter((session) => !gone.has(session)), ...made].sort(
          (a, b) => a.start - b.start,
        );
      }
      const all = sessionsOf(batches.flat().sort((a, b) => a - b));
      expect(stored.map(({ start, end }) => [start, end])).toEqual(all.map((s) => [s[0], s.at(-1)]));
      expect(new Set(stored.map(({ sessionId }) => sessionId)).size).toBe(stored.length);
    }),
  );
});

test("a session that never pauses is cut at the longest length", () => {
  const times = Array.from({ length: 200 }, (_, i) => i * 20 * MINUTE);
  for (const { start, end } of joinSessions(times, []))
    expect(end - start).toBeLessThanOrEqual(MAX_SESSION_MS);
});

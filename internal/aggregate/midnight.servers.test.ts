import { randomUUIDv7 } from "node:crypto";
import fc from "fast-check";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type TestEvent, testBatch } from "../../test/kit/batches.ts";
import { commitNext } from "../../test/kit/commits.ts";
import { addMerchantWithRollups, openTestDatabase, type TestDatabase } from "../../test/kit/database.ts";
import { testContext } from "../../test/kit/step-context.ts";
import { refreshGrain } from "../store/refresh.ts";
import { prepare, readBatch } from "./prepare.ts";
import { STEPS } from "./steps/process.ts";

const MINUTE = 60_000;
const DAY = 86_400_000;
const MIDNIGHT = Date.UTC(2026, 2, 20);
/** Each test, and each run of one, has shops of its own, this one and the next: quicker than to remove rows. */
let shop = 1;
const CONTEXT = testContext({
  rollupStarts: new Map(Array.from({ length: 1_000 }, (_, merchant) => [merchant, 0])),
});

let database: TestDatabase;
beforeAll(async () => {
  database = await openTestDatabase(1);
  await addMerchantWithRollups(database.pool);
});
afterAll(() => database?.close());
const otherShops = () => {
  shop += 2;
};
beforeEach(otherShops);

interface Seen {
  readonly inOtherShop: boolean;
  /** Whose address it is. */
  readonly person: number;
  /** Minutes after MIDNIGHT. */
  readonly minute: number;
  /** How much later it came, minutes; or all at one time long afterwards. */
  readonly delay: number | "imported";
  /** The SDK names the session, but no visitor. */
  readonly isNamed: boolean;
}

const seen = (minute: number, fields: Partial<Seen> = {}): Seen => ({
  ...{ inOtherShop: false, person: 1, minute, delay: 0, isNamed: false },
  ...fields,
});

interface Sent extends Seen {
  readonly event: TestEvent;
}

const send = (of: Seen): Sent => {
  const time = MIDNIGHT + of.minute * MINUTE;
  const receivedTime = of.delay === "imported" ? MIDNIGHT + 40 * DAY : time + of.delay * MINUTE;
  const event = {
    eventId: randomUUIDv7(),
    merchantId: shop + Number(of.inOtherShop),
    ...{ time, receivedTime },
    ip: `192.0.${of.person}.0`,
    userAgent: "Mozilla/5.0",
    sessionId: of.isNamed ? `${of.person}` : "",
  };
  return { ...of, event };
};

/** Stores batches in one commit, through the steps. */
async function store(...batches: (readonly Sent[])[]): Promise<void> {
  const writes = batches.map((sent) => {
    const { bytes } = testBatch(
      sent.map(({ event }) => event),
      { partition: 0 },
    );
    const read = readBatch({ seq: 1, storedTime: 0, bytes } as Parameters<typeof readBatch>[0], 0, 1);
    return prepare(read, { context: CONTEXT, steps: STEPS, observe: () => {} })!;
  });
  await commitNext(database.pool, writes);
}

const storeSeen = (...batches: (readonly Seen[])[]) => store(...batches.map((batch) => batch.map(send)));

interface StoredRow {
  readonly event_id: string;
  readonly visitor: string;
  readonly session: string;
}

async function storedRows(): Promise<StoredRow[]> {
  const { rows } = await database.pool.query<StoredRow>(
    `SELECT event_id, merchant_id || ' ' || visitor_id AS visitor, merchant_id || ' ' || session_id AS session
     FROM events WHERE merchant_id IN ($1, $1 + 1) ORDER BY ts, event_id`,
    [shop],
  );
  return rows;
}

/** How many visitors and sessions there are. */
async function counted(): Promise<{ visitors: number; sessions: number }> {
  const rows = await storedRows();
  const count = (values: string[]) => new Set(values).size;
  return {
    visitors: count(rows.map(({ visitor }) => visitor)),
    sessions: count(rows.map(({ session }) => session)),
  };
}

/** Told in advance by hand, event by event: what storage must come to, whatever the order. */
describe("a visitor without an id at midnight (UTC)", () => {
  const one = { visitors: 1, sessions: 1 };
  const evening = [seen(-10), seen(-2)];
  const night = [seen(3)];

  test("stays one visitor with one session: in one batch, one commit, and in two, one after the other", async () => {
    await storeSeen([...evening, ...night]);
    expect(await counted()).toEqual(one);
    otherShops();
    await storeSeen(evening, night);
    expect(await counted()).toEqual(one);
    otherShops();
    await storeSeen(evening);
    await storeSeen(night);
    await storeSeen([seen(33)], [seen(63)]);
    await storeSeen([seen(93)]);
    expect(await counted()).toEqual(one);
  });

  test("also where what is after midnight is stored first", async () => {
    await storeSeen([seen(3), seen(25)]);
    await storeSeen([seen(50)]);
    await storeSeen([seen(-10)]);
    expect(await counted()).toEqual(one);
    const { rows } = await database.pool.query("SELECT * FROM visitor_sessions WHERE merchant_id = $1", [
      shop,
    ]);
    expect(rows).toHaveLength(1);
  });

  test("also in the last moment, as clocks may differ by seconds", async () => {
    // Received before the midnight after which it happened.
    await storeSeen([seen(-10)], [seen(1 / 60, { delay: -2 / 60 })], [seen(1)]);
    expect(await counted()).toEqual(one);
    otherShops();
    await storeSeen([seen(1 / 60, { delay: -2 / 60 })]);
    await storeSeen([seen(20)]);
    expect(await counted()).toEqual(one);
  });

  test("in a log that is imported, and in what was sent a day late", async () => {
    for (const delay of ["imported", DAY / MINUTE] as const) {
      otherShops();
      await storeSeen([...evening, ...night].map((event) => ({ ...event, delay })));
      expect(await counted()).toEqual(one);
    }
  });

  test("is a new visitor after a pause of more than 30 minutes, and at ten in the morning", async () => {
    await storeSeen([...evening, seen(29)], [seen(600)]);
    expect(await counted()).toEqual({ visitors: 2, sessions: 3 });
    await storeSeen([seen(601)]);
    expect(await counted()).toEqual({ visitors: 2, sessions: 3 });
  });

  test("a late event between the sessions of two days makes them one", async () => {
    await storeSeen([seen(-20)], [seen(35), seen(60)]);
    expect(await counted()).toEqual({ visitors: 2, sessions: 2 });
    await storeSeen([seen(8)]);
    expect(await counted()).toEqual(one);
    await storeSeen([seen(100)]);
    expect(await counted()).toEqual({ visitors: 2, sessions: 2 });
    await storeSeen([seen(80)]);
    expect(await counted()).toEqual(one);
  });

  test("one who never pauses is another visitor after 24 hours, and so at most two days' visitors", async () => {
    for (let hour = 0; hour < 60; hour++) {
      await storeSeen([0, 20, 40].map((minute) => seen(-10 + hour * 60 + minute)));
    }
    // From 23:50 to 23:50, and so twice, and the twelve hours that are left.
    expect(await counted()).toEqual({ visitors: 3, sessions: 3 });
    const { rows } = await database.pool.query<{ length: string }>(
      "SELECT max(ended_at - started_at)::text AS length FROM visitor_sessions WHERE merchant_id = $1",
      [shop],
    );
    expect(rows).toEqual([{ length: "1 day" }]);
  });

  test("does not meet another person, nor the same at another merchant, nor one with an id", async () => {
    await storeSeen(evening);
    await storeSeen([seen(3, { person: 2 }), seen(3, { inOtherShop: true })]);
    const known = send(seen(3));
    await store([{ ...known, event: { ...known.event, visitorId: "v" } }]);
    expect(await counted()).toEqual({ visitors: 4, sessions: 4 });
  });

  test("keeps a session that the SDK names, and is one visitor in it", async () => {
    await storeSeen([seen(3, { isNamed: true })]);
    await storeSeen([seen(-10, { isNamed: true })]);
    await storeSeen([seen(5)]);
    expect(await counted()).toEqual({ visitors: 1, sessions: 2 });
  });

  test("aggregates follow stored events that get another visitor", async () => {
    await storeSeen([seen(3), seen(20)]);
    await refreshAll();
    expect(await aggregated()).toEqual([1, 1]);
    await storeSeen([seen(-10)]);
    await refreshAll();
    expect(await aggregated()).toEqual([1, 1]);
  });
});

async function refreshAll(): Promise<void> {
  await refreshGrain(database.pool, "15m");
  await refreshGrain(database.pool, "1d");
}

/** Visitors by the aggregates of quarter hours and of days. */
async function aggregated(): Promise<number[]> {
  const count = async (view: string) => {
    const sql = `SELECT count(DISTINCT visitor_id)::integer AS n FROM ${view} WHERE merchant_id = $1`;
    return (await database.pool.query<{ n: number }>(sql, [shop])).rows[0]!.n;
  };
  return [await count("sessions_15m"), await count("visits_1d")];
}

/**
 * What is right by definition: a person's events by time, a session ends where the next event is more than 30 minutes
 * away, and all of a session's events are of the person of the day on which it began.
 */
function rightOf(all: readonly Sent[]): Map<string, { visitor: string; session: string }> {
  const right = new Map<string, { visitor: string; session: string }>();
  const last = new Map<string, { minute: number; visitor: string; session: string }>();
  for (const { inOtherShop, person, minute, isNamed, event } of all.toSorted((a, b) => a.minute - b.minute)) {
    const who = `${inOtherShop} ${person}`;
    let current = last.get(who);
    if (current === undefined || minute - current.minute > 30) {
      const day = Math.floor((minute * MINUTE) / DAY);
      current = { minute, visitor: `${who} on day ${day}`, session: `${who} from ${minute}` };
    }
    last.set(who, { ...current, minute });
    const session = isNamed ? `${who} named` : current.session;
    right.set(event.eventId!, { visitor: current.visitor, session });
  }
  return right;
}

/** Each right name has one of the stored ones, and the other way round. */
function expectSameParts(pairs: readonly (readonly [right: string, stored: string])[]): void {
  const distinct = new Set(pairs.map((pair) => pair.join(" = ")));
  expect(distinct.size).toBe(new Set(pairs.map(([right]) => right)).size);
  expect(distinct.size).toBe(new Set(pairs.map(([, stored]) => stored)).size);
}

test("whatever the order of arrival, batches and commits: the visitors and sessions of all events by time", async () => {
  const minute = fc
    .tuple(fc.integer({ min: 0, max: 2 }), fc.integer({ min: -100, max: 130 }))
    .map(([day, around]) => (day * DAY) / MINUTE + around);
  const anyone = fc.record({
    inOtherShop: fc.constantFrom(false, false, true),
    person: fc.integer({ min: 1, max: 2 }),
    minute,
    isNamed: fc.constantFrom(false, false, false, true),
  });
  const delays = fc.oneof(
    fc.constant("imported" as const),
    fc.array(fc.integer({ min: 0, max: 1_300 }), { minLength: 5, maxLength: 5 }),
  );
  const scenario = fc.record({
    // Commits of batches of events, in the order in which they come.
    commits: fc.array(
      fc.array(fc.array(anyone, { minLength: 1, maxLength: 8 }), { minLength: 1, maxLength: 3 }),
      {
        minLength: 1,
        maxLength: 6,
      },
    ),
    delays,
    isRedelivered: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(scenario, async ({ commits, delays: of, isRedelivered }) => {
      otherShops();
      let at = 0;
      const delayOf = () => (of === "imported" ? of : of[at++ % of.length]!);
      const sent = commits.map((batches) =>
        batches.map((batch) => batch.map((one) => send({ ...one, delay: delayOf() }))),
      );
      for (const batches of sent) {
        await store(...batches);
        if (isRedelivered) await store(...batches);
      }
      const all = sent.flat(2);
      const right = rightOf(all);
      const rows = await storedRows();
      expect(rows).toHaveLength(all.length);
      expectSameParts(rows.map((row) => [right.get(row.event_id)!.visitor, row.visitor]));
      expectSameParts(rows.map((row) => [right.get(row.event_id)!.session, row.session]));
      await expectSessionsWrittenDown();
    }),
    { numRuns: 40 },
  );
});

/** The table of sessions says of each visitor's unnamed sessions what the rows say. */
async function expectSessionsWrittenDown(): Promise<void> {
  const { rows } = await database.pool.query(
    `SELECT e.merchant_id, e.event_id FROM events e LEFT JOIN visitor_sessions s
       ON s.merchant_id = e.merchant_id AND s.visitor_id = e.visitor_id AND e.ts BETWEEN s.started_at AND s.ended_at
     WHERE e.merchant_id IN ($1, $1 + 1) GROUP BY 1, 2 HAVING count(s.started_at) <> 1`,
    [shop],
  );
  expect(rows).toEqual([]);
}

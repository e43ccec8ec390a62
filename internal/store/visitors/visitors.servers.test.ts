import fc from "fast-check";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { type EventRow, eventRow } from "../../../test/kit/columns.ts";
import { batchOf, commitNext } from "../../../test/kit/commits.ts";
import { openTestDatabase, type TestDatabase, testPool } from "../../../test/kit/database.ts";
import { beginErasure } from "../erasure/begin.ts";
import { runErasure } from "../erasure/run.ts";
import type { BatchWrite } from "../ledger.ts";
import { expireVisitors } from "../maintenance/expire-visitors.ts";
import { createMerchant } from "../merchants.ts";
import type { Pool } from "../pool.ts";

const DAY = 86_400_000;
const NOW = Date.UTC(2026, 4, 20);

let database: TestDatabase;
/** Two processes. */
let pools: Pool[];
beforeAll(async () => {
  database = await openTestDatabase(1);
  pools = [database.pool, testPool(database.url)];
});
afterAll(async () => {
  await pools?.[1]?.end();
  await database?.close();
});

const EMPTY = `TRUNCATE events, items, event_keys, distant_keys, visitor_sessions, visitors, batch_ledger, invalidations,
  erasures, erasure_removals`;
beforeEach(() => restore());

let restored = 0;

/**
 * An empty database, as of before everything. Its position was never another's: in a real stream the same position means
 * the same events, so that a process rightly goes on with what it knows.
 */
async function restore(): Promise<void> {
  await database.pool.query(EMPTY);
  const position = ++restored * 1_000;
  await database.pool.query("UPDATE partitions SET stream_seq = $1, erasure_version = 0", [position]);
}

interface Row {
  readonly visitor_id: string;
  readonly people: Date | null;
  readonly bots: Date | null;
  readonly month: string;
}

async function stored(): Promise<Row[]> {
  const { rows } = await database.pool.query<Row>(
    `SELECT merchant_id, visitor_id, people_first_time AS people, bots_first_time AS bots, seen_month::text AS month
     FROM visitors ORDER BY 1, 2`,
  );
  return rows;
}

/** The same of all events that are stored, but for visitors without an id: those below 0. */
async function recount(): Promise<Row[]> {
  const { rows } = await database.pool.query<Row>(
    `SELECT merchant_id, visitor_id, min(ts) FILTER (WHERE NOT is_bot) AS people, min(ts) FILTER (WHERE is_bot) AS bots,
       date_trunc('month', max(ts AT TIME ZONE 'UTC'))::date::text AS month
     FROM events WHERE visitor_id > 0 GROUP BY 1, 2 ORDER BY 1, 2`,
  );
  return rows;
}

const rowOf = (visitor: number, ts: number, more: Partial<EventRow> = {}) =>
  eventRow({ visitor_id: BigInt(visitor), session_id: 7n, ts, received_at: NOW, ...more });

const event = fc.record({
  visitor: fc.integer({ min: 1, max: 4 }),
  merchant: fc.constantFrom(1, 1, 2),
  ts: fc.integer({ min: NOW - 100 * DAY, max: NOW }),
  isBot: fc.constantFrom(false, false, true),
  hasId: fc.constantFrom(true, true, false),
});
const batch = fc.array(event, { minLength: 1, maxLength: 5 });

type Step = (sent: BatchWrite[]) => Promise<unknown>;

const commits = fc.tuple(fc.array(batch, { minLength: 1, maxLength: 2 }), fc.nat(1)).map(
  ([batches, at]): Step =>
    (sent) => {
      const made = batches.map((events) =>
        batchOf(
          events.map(({ visitor, merchant, ts, isBot, hasId }) =>
            rowOf(hasId ? visitor : -visitor, ts, {
              merchant_id: merchant,
              is_bot: isBot,
              ...(!hasId && { visitor_before: BigInt(-100 - visitor) }),
            }),
          ),
        ),
      );
      sent.push(...made);
      return commitNext(pools[at]!, made);
    },
);
/** What was sent comes again: the same batches, or their events in others. */
const again = fc.tuple(fc.nat(), fc.boolean(), fc.nat(1)).map(
  ([which, isNew, at]): Step =>
    async (sent) => {
      const one = sent[which % sent.length];
      if (one === undefined) return;
      await commitNext(pools[at]!, [isNew ? { ...batchOf([]), rows: one.rows, columns: one.columns } : one]);
    },
);
const erasures = fc.tuple(fc.integer({ min: 1, max: 4 }), fc.constantFrom(1, 2)).map(
  ([visitor, merchantId]): Step =>
    async () => {
      const subject = { merchantId, person: { kind: "visitor", hash: BigInt(visitor) } } as const;
      const erasure = await beginErasure(database.pool, subject, 0);
      await runErasure(database.pool, erasure, { refreshWaitMs: 0, streamMaxAgeMs: DAY });
    },
);
const restores = fc.constant((async (sent) => {
  sent.length = 0;
  await restore();
}) satisfies Step);

test("first times are those of the stored events, whatever comes twice, late, from two processes or is erased", async () => {
  const steps = fc.array(
    fc.oneof(
      { weight: 6, arbitrary: commits },
      { weight: 2, arbitrary: again },
      { weight: 1, arbitrary: erasures },
      { weight: 1, arbitrary: restores },
    ),
    { minLength: 3, maxLength: 10 },
  );
  await fc.assert(
    fc.asyncProperty(steps, async (list) => {
      await restore();
      const sent: BatchWrite[] = [];
      for (const step of list) {
        await step(sent);
        expect(await stored()).toEqual(await recount());
      }
    }),
    { numRuns: 25, endOnFailure: true },
  );
}, 240_000);

test("who comes again in the same month is not written", async () => {
  const version = async () =>
    (await database.pool.query<{ xmin: string }>("SELECT xmin::text FROM visitors")).rows;
  const at = Date.UTC(2026, 4, 2);
  await commitNext(pools[0]!, [batchOf([rowOf(1, at)])]);
  const before = await version();
  expect(before).toHaveLength(1);
  for (const pool of pools) await commitNext(pool, [batchOf([rowOf(1, at + 1), rowOf(1, at + 9 * DAY)])]);
  expect(await version()).toEqual(before);
  await commitNext(pools[0]!, [batchOf([rowOf(1, at + 31 * DAY)])]);
  expect(await version()).not.toEqual(before);
});

test("a visitor goes when retention has left no event, each by the merchant's own", async () => {
  const shop = { name: "Shop", timeZone: "UTC", currency: "EUR" };
  const merchants = [
    await createMerchant(database.pool, { ...shop, retentionDays: 40 }),
    await createMerchant(database.pool, { ...shop, retentionDays: 400 }),
  ];
  const rows = merchants.flatMap(({ merchantId }) =>
    [Date.UTC(2026, 0, 5), Date.UTC(2026, 2, 31, 23), Date.UTC(2026, 3, 1)].map((ts, at) =>
      rowOf(at + 1, ts, { merchant_id: merchantId }),
    ),
  );
  await commitNext(pools[0]!, [batchOf(rows)]);
  // 40 days before is in April.
  expect(await expireVisitors(database.pool, NOW)).toBe(2);
  const { rows: left } = await database.pool.query(
    "SELECT merchant_id = $1 AS short, visitor_id FROM visitors ORDER BY 1, 2",
    [merchants[0]!.merchantId],
  );
  expect(left).toEqual([
    ...["1", "2", "3"].map((visitor_id) => ({ short: false, visitor_id })),
    { short: true, visitor_id: "3" },
  ]);
  expect(await expireVisitors(database.pool, NOW)).toBe(0);
});

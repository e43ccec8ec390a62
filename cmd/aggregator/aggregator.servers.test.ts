import { jetstreamManager } from "@nats-io/jetstream";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { DEAD_LETTER_STREAM, eventsStream, streamEnd } from "../../internal/stream/streams.ts";
import { merchantsOf, type TestBatch, testBatch } from "../../test/kit/batches.ts";
import { waitFor } from "../../test/kit/installation-wait.ts";
import { metric } from "../../test/kit/service.ts";
import { poisonBatches } from "./testing/poison.ts";
import { batchFor, PARTITIONS, Rig } from "./testing/rig.ts";

let rig: Rig;

beforeAll(async () => {
  rig = await Rig.open();
});

afterEach(() => rig?.stop());
afterAll(() => rig?.close());

const merchantOf = (partition: number) => merchantsOf(partition, PARTITIONS, 1)[0]!;

const position = async (partition: number) =>
  (
    await rig.query<{ seq: number; committed: Date | null; refreshed: Date | null }>(
      `SELECT stream_seq::integer AS seq, committed_through AS committed, refreshed_through AS refreshed
       FROM partitions WHERE partition_id = $1`,
      [partition],
    )
  )[0]!;

const stored = async (merchant: number) =>
  (
    await rig.query<{ n: number }>("SELECT count(*)::integer AS n FROM events WHERE merchant_id = $1", [
      merchant,
    ])
  )[0]!.n;

describe("batches", () => {
  test("become rows, items, a ledger line, a position and a refreshed aggregate", async () => {
    const partition = 0;
    const merchantId = merchantOf(partition);
    const order = { id: "o-1", revenueMicros: 30_000_000n, currency: "EUR" };
    const items = [{ id: "sku-1", priceMicros: 10_000_000n, quantityMicros: 2_500_000n }];
    const time = Date.UTC(2026, 2, 29, 10, 7);
    const batch = testBatch(
      [
        { merchantId, time, visitorId: "v", url: "https://shop.example/?q=ü", properties: { 'a"': "\\" } },
        { merchantId, time: time + 60_000, visitorId: "v", name: "purchase", order, items },
      ],
      { partition },
    );
    await rig.start();
    expect(await rig.publish(batch)).toBe(1);
    expect(await rig.committed(batch)).toEqual({
      partition_id: 0,
      stream_seq: 1,
      rows: 2,
      stored: 2,
      duplicates: 0,
      dead_lettered: 0,
    });
    expect((await position(partition)).seq).toBe(1);
    expect(
      await rig.query(
        "SELECT name, ts, url, properties, order_id, revenue_micros FROM events WHERE merchant_id = $1 ORDER BY ts",
        [merchantId],
      ),
    ).toEqual([
      {
        name: "page_view",
        ts: new Date(time),
        url: "https://shop.example/?q=ü",
        properties: { 'a"': "\\" },
        order_id: null,
        revenue_micros: null,
      },
      {
        name: "purchase",
        ts: new Date(time + 60_000),
        url: null,
        properties: null,
        order_id: "o-1",
        revenue_micros: "30000000",
      },
    ]);
    expect(
      await rig.query("SELECT item_id, quantity_micros::integer FROM items WHERE merchant_id = $1", [
        merchantId,
      ]),
    ).toEqual([{ item_id: "sku-1", quantity_micros: 2_500_000 }]);
    const totals = await waitFor("the refresh", async () => {
      const rows = await rig.query("SELECT * FROM totals_15m WHERE merchant_id = $1", [merchantId]);
      return rows.length > 0 && rows;
    });
    expect(totals).toMatchObject([
      {
        merchant_id: merchantId,
        bucket: new Date("2026-03-29T10:00:00Z"),
        is_bot: false,
        events: "2",
        page_views: "1",
        orders: "1",
        unconverted_orders: "0",
        revenue_micros: "30000000",
      },
    ]);
  });

  test("an order in another currency than the merchant's is stored and left unconverted", async () => {
    const partition = 0;
    const order = { id: "o-2", revenueMicros: 5n, currency: "JPY" };
    const batch = testBatch([{ merchantId: merchantOf(partition), time: 0, order }], { partition });
    await rig.start();
    await rig.publish(batch);
    await rig.committed(batch);
    expect(
      await rig.query(
        "SELECT order_revenue_micros, order_currency, revenue_micros FROM events WHERE order_id = 'o-2'",
      ),
    ).toEqual([{ order_revenue_micros: "5", order_currency: "JPY", revenue_micros: null }]);
  });

  test("of all partitions are worked, large commits in parts, and none is left behind at a stop", async () => {
    const batches = Array.from({ length: 40 }, (_, at) => batchFor(at % PARTITIONS, 25));
    const before = await Promise.all([0, 1, 2, 3].map((p) => stored(merchantOf(p))));
    for (const batch of batches) await rig.publish(batch);
    const first = await rig.start({ "commit-max-rows": "60" });
    await waitFor("some rows", async () => (await metric(first, "footfall_aggregator_rows_total")) > 0);
    await first.stop();
    await rig.start({ "commit-max-rows": "10" });
    for (const batch of batches) expect(await rig.committed(batch)).toMatchObject({ rows: 25, stored: 25 });
    const after = await Promise.all([0, 1, 2, 3].map((p) => stored(merchantOf(p))));
    expect(after).toEqual(before.map((count) => count + 250));
  });

  test("only the partitions of the setting are worked", async () => {
    await rig.start({ partitions: "1,3" });
    const [own, other] = [batchFor(3, 1), batchFor(2, 1)] as const;
    await rig.publish(other);
    await rig.publish(own);
    await rig.committed(own);
    expect(await rig.query("SELECT 1 FROM batch_ledger WHERE batch_id = $1", [other.id])).toEqual([]);
    await rig.start({ partitions: "2" });
    await rig.committed(other);
  });

  test("a partition that does not exist is a wrong setting", async () => {
    await expect(rig.start({ partitions: "2-4" })).rejects.toThrow(
      "FOOTFALL_AGGREGATOR_PARTITIONS: 2-4 is not within 0-3",
    );
  });
});

describe("sent twice, counted once", () => {
  test("a batch that JetStream took twice", async () => {
    const service = await rig.start();
    const batch = batchFor(1, 7);
    const before = await stored(merchantOf(1));
    await rig.publish(batch);
    // As after the duplicate window: the broker does not know the id any more.
    await rig.publish(batch, "another message id");
    await rig.committed(batch);
    const last = (await streamEnd(rig.nc, 1)).lastSeq;
    await waitFor("the position", async () => (await position(1)).seq === last);
    expect(await stored(merchantOf(1))).toBe(before + 7);
    expect(await metric(service, "footfall_aggregator_repeated_batches_total")).toBe(1);
  });

  test("events in batches of several collectors, days apart by their clocks", async () => {
    const merchantId = merchantOf(1);
    const eventId = "order-4711-confirmation";
    const batches = [0, 3, 40].map((days) =>
      testBatch([{ merchantId, eventId, time: Date.UTC(2026, 2, 1 + days) }], { partition: 1 }),
    );
    const service = await rig.start();
    const before = await stored(merchantId);
    for (const batch of batches) {
      await rig.publish(batch);
      await rig.committed(batch);
    }
    expect(await stored(merchantId)).toBe(before + 1);
    expect(await metric(service, "footfall_aggregator_duplicates_total")).toBe(2);
  });
});

describe("data_through", () => {
  test("moves without traffic, in every partition", async () => {
    await rig.start();
    const now = Date.now();
    await waitFor("committed and refreshed in all partitions", async () => {
      const all = await Promise.all([0, 1, 2, 3].map(position));
      return all.every(({ committed, refreshed }) => Number(committed) > now && Number(refreshed) > now);
    });
  });

  test("never claims what is not there: whatever was acked before it is stored, and in the aggregate", async () => {
    await rig.start();
    const partition = 2;
    const merchant = merchantOf(partition);
    let expected = await stored(merchant);
    for (let round = 0; round < 15; round++) {
      await rig.publish(batchFor(partition, 3));
      expected += 3;
      const acked = Date.now();
      // One statement, one moment; and the rows of that moment.
      await waitFor("committed_through", async () => {
        const [row] = await rig.query<{ through: Date; n: number }>(
          `SELECT committed_through AS through,
             (SELECT count(*)::integer FROM events WHERE merchant_id = $2) AS n
           FROM partitions WHERE partition_id = $1`,
          [partition, merchant],
        );
        if (Number(row!.through) < acked) return false;
        expect(row!.n).toBe(expected);
        return true;
      });
    }
    const done = Date.now();
    await waitFor("refreshed_through", async () => Number((await position(partition)).refreshed) >= done);
    const sum = "SELECT sum(events)::integer AS n FROM totals_15m WHERE merchant_id = $1";
    expect(await rig.query(sum, [merchant])).toEqual([{ n: expected }]);
  });
});

describe("what cannot be processed", () => {
  test.each(poisonBatches())(
    "%s is dead-lettered with its reason, and the next batches are processed",
    async (_, reason, make) => {
      const partition = 3;
      const bytes: Uint8Array = make(partition);
      const { streams } = await jetstreamManager(rig.nc);
      const kept = (await streams.info(DEAD_LETTER_STREAM)).state.last_seq;
      const neighbours: TestBatch[] = [batchFor(partition, 2), batchFor(partition, 2)];
      await rig.publish(neighbours[0]!);
      const seq = await rig.publisher.publish(partition, crypto.randomUUID(), bytes);
      await rig.publish(neighbours[1]!);
      const service = await rig.start();
      for (const neighbour of neighbours) expect(await rig.committed(neighbour)).toMatchObject({ stored: 2 });
      const message = (await streams.getMessage(DEAD_LETTER_STREAM, { seq: kept + 1 }))!;
      expect(message.subject).toBe(`dead_letter.${partition}`);
      expect(message.header.get("Footfall-Reason")).toBe(reason);
      expect(message.header.get("Footfall-Message")).not.toBe("");
      expect(message.header.get("Footfall-Stream")).toBe(eventsStream(partition));
      expect(message.header.get("Footfall-Sequence")).toBe(String(seq));
      expect(Buffer.from(message.data).equals(bytes)).toBe(true);
      expect((await streams.info(DEAD_LETTER_STREAM)).state.last_seq).toBe(kept + 1);
      expect(await metric(service, "footfall_aggregator_failures_total")).toBe(0);
    },
  );

  test("a text that the database does not take in the envelope is dead-lettered and harms nothing", async () => {
    const batch = testBatch([{ merchantId: merchantOf(3), time: 0 }], {
      partition: 3,
      spoilSealed: (sealed) => Object.assign(sealed, { collectorId: "a\0b" }),
    });
    await rig.start();
    await rig.publish(batch);
    const good = batchFor(3, 1);
    await rig.publish(good);
    expect(await rig.committed(batch)).toMatchObject({ stored: 0, dead_lettered: 1 });
    expect(await rig.committed(good)).toMatchObject({ stored: 1 });
  });
});

test("sequences that the stream no longer has are written down, counted, and passed", async () => {
  const partition = 1;
  const { seq } = await position(partition);
  for (let i = 0; i < 6; i++) await rig.publish(batchFor(partition, 1));
  const { streams } = await jetstreamManager(rig.nc);
  await streams.purge(eventsStream(partition), { seq: seq + 3 });
  await streams.deleteMessage(eventsStream(partition), seq + 5);
  const service = await rig.start();
  await waitFor("the position", async () => (await position(partition)).seq === seq + 6);
  const gaps =
    "SELECT first_seq::integer, last_seq::integer FROM stream_gaps WHERE partition_id = $1 ORDER BY 1";
  expect(await rig.query(gaps, [partition])).toEqual([
    { first_seq: seq + 1, last_seq: seq + 2 },
    { first_seq: seq + 5, last_seq: seq + 5 },
  ]);
  expect(await metric(service, "footfall_aggregator_gap_sequences_total")).toBe(3);
});

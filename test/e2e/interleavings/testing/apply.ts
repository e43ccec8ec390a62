import { createHash } from "node:crypto";
import { expect } from "vitest";
import { GRAINS } from "../../../../internal/store/continuous-aggregates.ts";
import { setChunkDays } from "../../../../internal/store/maintenance/chunk-interval.ts";
import { convertOld } from "../../../../internal/store/maintenance/columnstore.ts";
import { expire } from "../../../../internal/store/maintenance/retention.ts";
import type { Pool } from "../../../../internal/store/pool.ts";
import { refreshGrain } from "../../../../internal/store/refresh.ts";
import { eventRow } from "../../../kit/columns.ts";
import { batchOf, commitNext } from "../../../kit/commits.ts";
import { type Draft, MAX_CHUNK_DAYS, type Operation } from "./operations.ts";
import { DAY, hasRollups, LONGEST, MARGIN, MERCHANTS, type Sent, type World } from "./world.ts";

/** All that the refresher runs, in its order. */
const REFRESHERS = GRAINS.map(
  ({ name }) =>
    (pool: Pool) =>
      refreshGrain(pool, name),
);

class Died extends Error {}

/** Does an operation on the database, and what it means on the world. */
export async function apply(pool: Pool, world: World, operation: Operation): Promise<void> {
  switch (operation.do) {
    case "commit":
      return commit(
        pool,
        world,
        operation.events.map((draft, at) => sentFrom(world, draft, at)).filter(isKept(world)),
      );
    case "resend":
      return commit(
        pool,
        world,
        operation.nth.flatMap((nth) => sentAgain(world, nth)),
      );
    case "refresh":
      for (const refresh of REFRESHERS) await refresh(pool);
      return;
    case "convert":
      return void (await convertOld(pool, world.now - operation.days * DAY));
    case "expire":
      await expire(pool, world.now);
      return forget(pool, world, true);
    case "pass":
      world.now += operation.days * DAY;
      return;
    case "chunks":
      return setChunkDays(pool, operation.days);
    case "during":
      return apply(
        beforeStatement(pool, operation.nth, () => apply(pool, world, operation.inner)),
        world,
        operation.outer,
      );
    case "crash":
      return crash(pool, world, operation);
  }
}

async function crash(pool: Pool, world: World, { outer, nth }: Operation & { do: "crash" }): Promise<void> {
  const dying = beforeStatement(pool, nth, () => Promise.reject(new Died()));
  try {
    await apply(dying, world, outer);
  } catch (error) {
    if (!(error instanceof Died)) throw error;
  }
  await forget(pool, world, false);
}

/** A pool in which something happens before its nth statement or transaction; once. */
function beforeStatement(pool: Pool, nth: number, happen: () => Promise<void>): Pool {
  let count = 0;
  const orHappen = async () => {
    if (count++ === nth) await happen();
  };
  const query = async (...args: unknown[]) => {
    await orHappen();
    return (pool.query as (...args: unknown[]) => Promise<unknown>).apply(pool, args);
  };
  const connect = async () => {
    await orHappen();
    return pool.connect();
  };
  return { query, connect } as unknown as Pool;
}

function sentFrom(world: World, draft: Draft, at: number): Sent {
  const { merchant, days, minutes, order, ...rest } = draft;
  const { merchantId } = MERCHANTS[merchant]!;
  const time = world.now - days * DAY - minutes * 60_000;
  return {
    ...rest,
    id: idOf(`${world.sent.length} ${at}`, time),
    merchantId,
    time,
    receivedTime: world.now,
    order: order && { id: `order ${order.number}`, isRefund: order.isRefund, amount: order.amount },
  };
}

/** A UUIDv4, or a UUIDv7 of a time: its key may be in the columnstore. The same for the same text and time. */
function idOf(text: string, time: number): string {
  const hex = createHash("sha256").update(text).digest("hex");
  const end = `${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
  const stamp = time.toString(16).padStart(12, "0");
  if (Number.parseInt(hex.slice(0, 1), 16) % 2 === 0) return `${stamp.slice(0, 8)}-${stamp.slice(8)}-7${end}`;
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${end}`;
}

/** What is older than the retention does not come as far as to storage. */
function isKept(world: World) {
  return ({ merchantId, time }: Sent) => time >= world.now - retentionOf(merchantId) * DAY;
}

function retentionOf(merchantId: number): number {
  return MERCHANTS.find((merchant) => merchant.merchantId === merchantId)!.retention;
}

/** A copy may have another time: that of a clock that was put right. */
function sentAgain(world: World, nth: number): Sent[] {
  const event = world.sent.at(-1 - nth);
  // By the time in the id, which is the event's, where it has one.
  const isRemembered = event !== undefined && event.time > world.now - (LONGEST + MARGIN) * DAY;
  return isRemembered ? [{ ...event, time: event.time + 3_600_000 }] : [];
}

/** One commit a partition, as the aggregator's workers make them. */
async function commit(pool: Pool, world: World, events: readonly Sent[]): Promise<void> {
  for (const { merchantId, partition } of MERCHANTS) {
    const own = events.filter((event) => event.merchantId === merchantId);
    if (own.length === 0) continue;
    const { stored } = await commitNext(pool, [batchOf(own.map(rowOf))], { partition });
    expect(stored).toBe(world.store(own));
  }
}

const ITEM = {
  item_id: "x",
  name: null,
  brand: null,
  category: "c",
  variant: null,
  price_micros: 5,
  quantity_micros: 2_000_000,
};

function rowOf(event: Sent) {
  const { order } = event;
  const money = { tax: 0, shipping: 0, discount: 0, currency: "EUR", coupon: null };
  return eventRow({
    merchant_id: event.merchantId,
    ts: event.time,
    received_at: event.receivedTime,
    event_id: event.id,
    visitor_id: BigInt(event.visitor),
    session_id: BigInt(event.session ?? 0),
    name: event.name,
    url: `https://shop.example${event.path}`,
    page: event.path,
    host: "shop.example",
    country: event.country,
    channel: event.channel,
    is_bot: event.isBot,
    in_rollups: hasRollups(event.merchantId),
    items: Array.from({ length: event.items }, () => ITEM),
    order: order && {
      ...money,
      id: order.id,
      revenue: order.amount ?? 1,
      kind: order.isRefund ? 3 : 1,
      converted: order.amount === null ? null : order.isRefund ? -order.amount : order.amount,
    },
  });
}

/**
 * Forgets in the world what retention took from the database: nothing that is younger than its merchant's retention,
 * and everything that is clearly older when it came to its end.
 */
async function forget(pool: Pool, world: World, isComplete: boolean): Promise<void> {
  const left = new Set(await column(pool, "SELECT event_id::text AS value FROM events"));
  for (const { id, merchantId, time } of [...world.stored.values()]) {
    const days = (world.now - time) / DAY - retentionOf(merchantId);
    // A chunk goes when all of it is old enough; rows in chunks that stay, once a day.
    const slack = retentionOf(merchantId) === LONGEST ? MAX_CHUNK_DAYS : 1;
    if (left.has(id)) {
      if (isComplete) expect(days, "days beyond the retention").toBeLessThanOrEqual(slack);
    } else {
      expect(days, "days beyond the retention").toBeGreaterThan(0);
      world.stored.delete(id);
    }
  }
  const orders = new Set(
    await column(pool, "SELECT merchant_id || ' ' || order_id AS value FROM order_keys"),
  );
  for (const [key, time] of [...world.orders]) {
    if (orders.has(key)) continue;
    expect(time).toBeLessThan(world.now - (LONGEST + MARGIN) * DAY);
    world.orders.delete(key);
  }
}

async function column(pool: Pool, sql: string): Promise<string[]> {
  return (await pool.query<{ value: string }>(sql)).rows.map(({ value }) => value);
}

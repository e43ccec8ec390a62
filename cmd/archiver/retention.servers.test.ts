import { afterAll, beforeAll, expect, test } from "vitest";
import { PERSON_HASHES } from "../../internal/aggregate/steps/visitor.ts";
import { eraseFromArchive } from "../../internal/archive/erase.ts";
import { verifyArchive } from "../../internal/archive/verify.ts";
import { updateMerchant } from "../../internal/store/merchants.ts";
import { merchantsOf, testBatch } from "../../test/kit/batches.ts";
import { PARTITIONS, Rig } from "./testing/rig.ts";

const DAY = 86_400_000;
const NOON = Date.UTC(2026, 2, 29, 12);
const [A, B, C] = merchantsOf(0, PARTITIONS, 3) as [number, number, number];

let rig: Rig;
beforeAll(async () => {
  rig = await Rig.open();
  await rig.query(
    `INSERT INTO merchants (merchant_id, name, time_zone, currency, retention_days) OVERRIDING SYSTEM VALUE
     SELECT id, 'shop', 'UTC', 'EUR', days FROM unnest($1::integer[], $2::integer[]) AS m (id, days)`,
    [
      [A, B, C],
      [30, 400, 60],
    ],
  );
  await rig.start({ "object-max-bytes": "1500" });
});
afterAll(() => rig?.close());

/** A run of the command, so many days from today. */
const eraseIn = (days: number) =>
  eraseFromArchive({
    pool: rig.database.pool,
    store: rig.s3.store,
    hashes: PERSON_HASHES,
    partitions: PARTITIONS,
    now: Date.now() + days * DAY,
  });

/** How many events of each merchant the objects of the ledger hold. */
async function left(): Promise<number[]> {
  const ids = new Set(await rig.archived(0));
  return [A, B, C].map((merchant) => idsOf.get(merchant)!.filter((id) => ids.has(id)).length);
}

const idsOf = new Map<number, string[]>();

async function expectSound(): Promise<void> {
  const verified = await verifyArchive(rig.database.pool, rig.s3.store, { from: undefined, to: undefined });
  expect(verified).toMatchObject({ ok: true, mismatches: [], unaccounted: [], orphans: [] });
}

test("each merchant's events leave the archive after its own retention, and unreadable batches after the longest", async () => {
  for (let batch = 0; batch < 6; batch++) {
    const events = [A, B, C, A].map((merchantId, at) => {
      const eventId: string = crypto.randomUUID();
      idsOf.set(merchantId, [...(idsOf.get(merchantId) ?? []), eventId]);
      return { merchantId, time: NOON + at, eventId };
    });
    const { bytes, id } = testBatch(events, { partition: 0 });
    await rig.publishBytes(0, bytes, id);
  }
  await rig.publishBytes(0, Buffer.from("no batch"));
  await rig.reaches(0, 7);
  expect(await left()).toEqual([12, 6, 6]);
  const nothing = { objects: 0, rewritten: 0, removed: 0, expiredUnreadable: 0, unreadable: 0, purged: 0 };
  expect(await eraseIn(29)).toEqual(nothing);
  expect(await eraseIn(33)).toMatchObject({ removed: 12 });
  expect(await left()).toEqual([0, 6, 6]);
  await expectSound();
  // An object is read once for each retention.
  expect(await eraseIn(59)).toEqual(nothing);
  // Who keeps less from now on loses what is older, from objects that were gone through too.
  await updateMerchant(rig.database.pool, B, { retentionDays: 30 });
  expect(await eraseIn(59)).toMatchObject({ removed: 6 });
  expect(await left()).toEqual([0, 0, 6]);
  expect(await eraseIn(63)).toMatchObject({ removed: 6, expiredUnreadable: 1 });
  expect(await left()).toEqual([0, 0, 0]);
  await expectSound();
  const [stored] = await rig.query<{ bytes: number }>(
    "SELECT sum(bytes)::integer AS bytes FROM archive_objects WHERE kind = 'dead_letter'",
  );
  expect(stored).toEqual({ bytes: 0 });
  expect(await eraseIn(5_000)).toEqual(nothing);
});

import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { zstdDecompressSync } from "node:zlib";
import { parquetReadObjects } from "hyparquet";
import { afterAll, beforeAll, expect, test } from "vitest";
import { PERSON_HASHES } from "../../internal/aggregate/steps/visitor.ts";
import { eraseFromArchive } from "../../internal/archive/erase.ts";
import { verifyArchive } from "../../internal/archive/verify.ts";
import { beginErasure } from "../../internal/store/erasure/begin.ts";
import { listReceipts } from "../../internal/store/erasure/receipt.ts";
import type { Person } from "../../internal/store/erasure/subject.ts";
import { merchantsOf, type TestEvent, testBatch } from "../../test/kit/batches.ts";
import { PARTITIONS, Rig } from "./testing/rig.ts";

const MAIN = fileURLToPath(new URL("../admin/main.ts", import.meta.url));
const NOON = Date.UTC(2026, 2, 29, 12);
const ALL = { from: undefined, to: undefined };
const [A, B] = merchantsOf(0, PARTITIONS, 2) as [number, number];

let rig: Rig;
beforeAll(async () => {
  rig = await Rig.open();
  await rig.start({ "object-max-bytes": "1500" });
});
afterAll(() => rig?.close());

const NOTHING = { objects: 0, rewritten: 0, removed: 0, expiredUnreadable: 0, unreadable: 0, purged: 0 };

let published = 0;

/** Publishes batches of both merchants' events to a partition, and waits until they are archived. */
async function publish(batches: readonly (readonly Partial<TestEvent>[])[]): Promise<void> {
  for (const events of batches) {
    const all = events.map((event, at) => ({ merchantId: A, time: NOON + at, ...event }));
    const { bytes, id } = testBatch(all, { partition: 0 });
    await rig.publishBytes(0, bytes, id);
    published++;
  }
  await rig.reaches(0, published);
}

type ParquetRow = Record<string, unknown> & { merchant_id: number; visitor_id: string | undefined };

/** All rows of the archive, as a reader that knows nothing of Footfall reads them; as texts and by their columns. */
async function rows(): Promise<ParquetRow[]> {
  const compressors = { ZSTD: (bytes: Uint8Array) => zstdDecompressSync(bytes) };
  const all: ParquetRow[] = [];
  const names: string[] = [];
  for await (const { name } of rig.s3.store.list("events/")) names.push(name);
  for (const name of names.sort()) {
    const file = new Uint8Array(await rig.s3.store.get(name)).buffer;
    all.push(...((await parquetReadObjects({ file, compressors })) as ParquetRow[]));
  }
  return all;
}

const options = () => ({
  ...{ pool: rig.database.pool, store: rig.s3.store, hashes: PERSON_HASHES },
  ...{ partitions: PARTITIONS, now: Date.now() },
});
const erase = () => eraseFromArchive(options());
const begin = (person: Person | undefined, merchantId = A) =>
  beginErasure(rig.database.pool, { merchantId, person }, 0);
const left = async () => (await listReceipts(rig.database.pool, A))[0]!.archiveObjectsLeft;

/** Every object is as the ledger says, there is no other, and no sequence is missing. */
async function expectSound(): Promise<void> {
  const verified = await verifyArchive(rig.database.pool, rig.s3.store, ALL);
  expect(verified).toMatchObject({ ok: true, mismatches: [], unaccounted: [], orphans: [] });
}

const visits = (count: number, from: number) =>
  Array.from({ length: count }, (_, at) => ({
    merchantId: (from + at) % 3 === 0 ? B : A,
    visitorId: ["ann", "bob", ""][at % 3]!,
    url: `https://shop.example/${from + at}`,
    properties: { plan: "é" },
    ...(at % 4 === 0 && { eventId: crypto.randomUUID() }),
    ...(at % 5 === 0 && { order: { id: `o${from + at}`, revenueMicros: 5n, currency: "EUR" } }),
    ...(at % 7 === 0 && { items: [{ id: "i", priceMicros: 1n, quantityMicros: 2_000_000n }] }),
  }));

test("objects lose the erased visitor's rows and keep all others as they are; once for each erasure", async () => {
  await publish(Array.from({ length: 12 }, (_, batch) => visits(30, 31 * batch)));
  // One that holds nobody else, and one that does not hold the visitor.
  await publish([[{ visitorId: "ann" }, { visitorId: "ann" }], [{ visitorId: "eve", merchantId: B }]]);
  const before = await rows();
  const isGone = (row: ParquetRow) => row.merchant_id === A && row.visitor_id === "ann";
  const gone = before.filter(isGone).length;
  expect(gone).toBeGreaterThan(50);
  expect(await erase()).toEqual(NOTHING);
  await begin({ kind: "visitor", hash: PERSON_HASHES.visitor(A, "ann") });
  const [counted] = await rig.query<{ n: number }>("SELECT count(*)::integer AS n FROM archive_objects");
  expect(counted!.n).toBeGreaterThan(2);
  expect(await left()).toBe(counted!.n);
  const done = await erase();
  expect(done).toMatchObject({ objects: counted!.n, removed: gone, unreadable: 0 });
  expect(await rows()).toEqual(before.filter((row) => !isGone(row)));
  expect(await left()).toBe(0);
  await expectSound();
  expect(await erase()).toEqual(NOTHING);
});

test("what is archived afterwards is gone through at the next run, by the command, by the aggregator's rule", async () => {
  const back = Date.now() + 60_000;
  await publish([
    [
      { visitorId: "ann" },
      { visitorId: "ann", time: back },
      { visitorId: "ann", time: NOON, receivedTime: back },
    ],
  ]);
  const s3 = Object.entries(rig.flags()).filter(([name]) => name.startsWith("s3-"));
  const variables = s3.map(([name, value]) => [`FOOTFALL_${name.toUpperCase().replaceAll("-", "_")}`, value]);
  const args = ["archive", "erase", "--json"];
  const env = { DATABASE_URL: rig.database.url, ...Object.fromEntries(variables) };
  const { stdout } = await promisify(execFile)(process.execPath, [MAIN, ...args], { env });
  expect(JSON.parse(stdout)).toMatchObject({ objects: 1, rewritten: 1, removed: 2 });
  expect((await rows()).filter((row) => row.merchant_id === A && row.visitor_id === "ann")).toHaveLength(1);
  await expectSound();
});

test("objects lose what names an erased user, or an order's customer, and nothing else", async () => {
  const order = (customerId: string) => ({
    order: { id: "o", revenueMicros: 5n, currency: "EUR", customerId },
  });
  const zoe = { visitorId: "zoe" };
  await publish([
    [
      zoe,
      { ...zoe, userId: "u1" },
      { ...zoe, userId: "u2" },
      { ...zoe, ...order("u1") },
      { ...zoe, ...order("u2") },
    ],
    [{ merchantId: B, ...zoe, userId: "u1" }, { visitorId: "u1" }, { ...zoe, userId: "u2", ...order("u1") }],
  ]);
  const before = await rows();
  const names = (column: string) => (row: ParquetRow) => row.merchant_id === A && row[column] === "u1";
  for (const [kind, column] of [
    ["user", "user_id"],
    ["customer", "order_customer_id"],
  ] as const) {
    const kept = (await rows()).filter((row) => !names(column)(row));
    await begin({ kind, hash: PERSON_HASHES[kind](A, "u1") });
    await erase();
    expect(await rows()).toEqual(kept);
  }
  expect((await rows()).length).toBe(before.length - 3);
  await expectSound();
});

test("a merchant's rows go too; whichever step it dies in, the next run leaves nothing behind", async () => {
  const kept = (await rows()).filter(({ merchant_id }) => merchant_id === B);
  await begin(undefined);
  const { store } = rig.s3;
  const died = () => Promise.reject(new Error("died"));
  const whole = {
    get: (name: string) => store.get(name),
    put: (name: string, bytes: Uint8Array) => store.put(name, bytes),
    purge: (name: string) => store.purge(name),
    listDeleted: (start: string) => store.listDeleted(start),
  };
  for (const step of ["get", "put", "purge"] as const) {
    const dying = eraseFromArchive({ ...options(), store: { ...whole, [step]: died } });
    await expect(dying).rejects.toThrow("died");
  }
  const query = rig.database.pool.query.bind(rig.database.pool);
  const unsaved = Object.create(rig.database.pool, {
    connect: { value: died },
    query: { value: query },
  });
  await expect(eraseFromArchive({ ...options(), pool: unsaved })).rejects.toThrow("died");
  await erase();
  expect(await rows()).toEqual(kept);
  expect(await rig.query("SELECT FROM archive_deletions")).toEqual([]);
  await expectSound();
});

import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, expect, test } from "vitest";
import { temporaryDirectory } from "../../embedded/temporary.ts";
import { type SpoolBatch, SpoolStore } from "./store.ts";

const DAY = 86_400_000;
const ALL = { after: 0, skip: [], maxBatches: 1_000, maxBytes: 1 << 30 };

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
let dir: string;
let store: SpoolStore;
const file = () => join(dir, "spool.db");
const openStore = (minFreeBytes = 0) => {
  store = new SpoolStore({ dir, minFreeBytes });
  return store;
};
beforeEach(async () => {
  directory = await temporaryDirectory("spool");
  dir = join(directory.path, "made", "here");
});
afterEach(async () => {
  store?.close();
  await directory.remove();
});

const batch = (size: number, partition = 1): SpoolBatch => ({
  batchId: randomBytes(16),
  partition,
  rows: 7,
  bytes: randomBytes(size),
});

const put = (batches: SpoolBatch[], time = DAY) => store.apply({ insert: batches, remove: [], time });

/** What a batch is, without the kinds of its arrays. */
const plain = ({ batchId, partition, rows, bytes }: SpoolBatch) => {
  return { id: Buffer.from(batchId), partition, rows, bytes: Buffer.from(bytes) };
};

test("batches come back in the order in which they went in, the same in every byte", () => {
  openStore();
  const batches = [3, 0, 100_000, 1, 70].map((size, partition) => batch(size, partition));
  expect(put(batches.slice(0, 3))).toEqual([1, 2, 3]);
  expect(put(batches.slice(3))).toEqual([4, 5]);
  const { batches: found, damaged, upTo } = store.read(ALL);
  expect(found.map(plain)).toEqual(batches.map(plain));
  expect(found.map(({ position }) => position)).toEqual([1, 2, 3, 4, 5]);
  expect([damaged, upTo]).toEqual([[], 5]);
});

test("what one process wrote the next one finds; positions go on", () => {
  const kept = batch(20);
  openStore();
  put([batch(10), kept, batch(30)], 5 * DAY);
  store.apply({ insert: [], remove: [1, 3], time: 6 * DAY });
  store.close();
  openStore();
  expect(store.totals).toEqual({ batches: 1, events: 7, bytes: 20, oldestTime: 5 * DAY, damaged: 0 });
  expect(store.read(ALL).batches.map(plain)).toEqual([plain(kept)]);
  expect(put([batch(1)])).toEqual([3]);
});

test("a read is bounded in batches and bytes, skips what it is told to, and says how far it looked", () => {
  openStore();
  put([100, 100, 100, 5_000, 1].map((size) => batch(size)));
  const read = (options: object) => {
    const { batches, upTo } = store.read({ ...ALL, ...options });
    return [batches.map(({ position }) => position), upTo];
  };
  expect(read({ maxBatches: 2 })).toEqual([[1, 2], 2]);
  expect(read({ maxBytes: 250 })).toEqual([[1, 2], 2]);
  expect(read({ after: 3, maxBytes: 10 })).toEqual([[4], 4]);
  expect(read({ after: 1, skip: [2, 4] })).toEqual([[3, 5], 5]);
  expect(read({ after: 5 })).toEqual([[], 5]);
});

test("what is held is told by partition, with its events and the time of its first batch; the id stays", () => {
  openStore();
  const { id } = store;
  put([batch(10, 3)], 2 * DAY);
  put([batch(10, 1), batch(10, 3)], 3 * DAY);
  expect(store.heldBack()).toEqual([
    { partition: 1, events: 7, oldestTime: 3 * DAY },
    { partition: 3, events: 14, oldestTime: 2 * DAY },
  ]);
  store.apply({ insert: [], remove: [1], time: 0 });
  store.close();
  openStore();
  expect(store.heldBack().map(({ partition, events }) => [partition, events])).toEqual([
    [1, 7],
    [3, 7],
  ]);
  expect([store.id.length, Buffer.from(store.id)]).toEqual([16, Buffer.from(id)]);
});

test("totals follow what goes in and out; a position that is gone is no error", () => {
  openStore();
  expect(store.totals).toEqual({ batches: 0, events: 0, bytes: 0, oldestTime: undefined, damaged: 0 });
  put([batch(10)], DAY);
  put([batch(20), batch(40)], 2 * DAY);
  expect(store.totals).toEqual({ batches: 3, events: 21, bytes: 70, oldestTime: DAY, damaged: 0 });
  expect(store.apply({ insert: [batch(1)], remove: [1, 1, 99], time: 3 * DAY })).toEqual([4]);
  expect(store.totals).toEqual({ batches: 3, events: 21, bytes: 61, oldestTime: 2 * DAY, damaged: 0 });
});

test.each(["bytes", "batch_id in the envelope"])("a batch whose %s changed on disk is kept apart", (what) => {
  openStore();
  const batches = [batch(500), batch(500), batch(500)];
  put(batches);
  store.close();
  const raw = new DatabaseSync(file());
  const at = what === "bytes" ? 250 : 3;
  const { bytes } = raw.prepare("SELECT bytes FROM batches WHERE position = 2").get() as {
    bytes: Uint8Array;
  };
  bytes[at]! ^= 4;
  raw.prepare("UPDATE batches SET bytes = ? WHERE position = 2").run(bytes);
  raw.close();
  openStore();
  const read = store.read(ALL);
  expect(read.batches.map(({ position }) => position)).toEqual([1, 3]);
  const batchId = Buffer.from(batches[1]!.batchId).toString("hex");
  expect(read.damaged).toEqual([{ batchId, problem: expect.stringMatching(/^checksum: \d+, but/) }]);
  expect(store.totals).toMatchObject({ batches: 2, bytes: 1_500, damaged: 1 });
  expect(store.read(ALL).damaged).toEqual([]);
  store.close();
  openStore();
  expect(store.totals).toMatchObject({ batches: 2, bytes: 1_500, damaged: 1 });
  store.close();
  const kept = new DatabaseSync(file());
  const row = kept.prepare("SELECT bytes, problem FROM damaged_batches").get();
  expect(row).toMatchObject({ bytes, problem: read.damaged[0]!.problem });
  kept.close();
});

test("a second one on the same folder is refused, as long as the first is open", () => {
  openStore();
  put([batch(1)]);
  expect(() => new SpoolStore({ dir, minFreeBytes: 0 })).toThrow(
    `spool ${file()}: is in use by another collector`,
  );
  store.close();
  expect(openStore().totals.batches).toBe(1);
});

test("a file of a later version is refused, and left as it is", () => {
  openStore().close();
  const raw = new DatabaseSync(file());
  raw.exec("PRAGMA user_version = 2");
  raw.close();
  expect(() => openStore()).toThrow(`spool ${file()}: has version 2, this collector knows 1`);
});

test("a file that is no database is refused by its name", () => {
  openStore().close();
  writeFileSync(file(), randomBytes(8_192));
  expect(() => openStore()).toThrow(`spool ${file()}: cannot be opened: file is not a database`);
});

test("the disk space that is left to others is not used", () => {
  openStore(Number.MAX_SAFE_INTEGER);
  expect(() => put([batch(1)])).toThrow(/^spool: \d+ bytes of the disk are free, 9007199254740991 are left/);
  expect(store.totals.batches).toBe(0);
  // What takes nothing from the disk is done all the same.
  expect(store.apply({ insert: [], remove: [1], time: DAY })).toEqual([]);
});

test("an empty spool gives a large file back", () => {
  openStore();
  const positions = put(Array.from({ length: 20 }, () => batch(1 << 20)));
  store.apply({ insert: [], remove: positions.slice(1), time: DAY });
  store.clear();
  expect(statSync(file()).size).toBeGreaterThan(16 << 20);
  store.apply({ insert: [], remove: [1], time: DAY });
  store.clear();
  expect(statSync(file()).size).toBeLessThan(1 << 20);
  expect(put([batch(1)])).toEqual([21]);
});

/** A disk of 4 MiB at the spool's folder. @returns why there can be none. */
function mountSmallDisk(): string | undefined {
  try {
    execFileSync("mkdir", ["-p", dir]);
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=4m", "tmpfs", dir], { stdio: "pipe" });
    return undefined;
  } catch (error) {
    return `a small disk cannot be mounted: ${(error as Error).message}`;
  }
}

test("a disk that is full: the change is refused as a whole, and done when there is room again", (context) => {
  const reason = mountSmallDisk();
  if (reason !== undefined) return context.skip(reason);
  try {
    openStore();
    put([batch(1_000)]);
    const filler = join(dir, "filler");
    expect(() => writeFileSync(filler, Buffer.alloc(8 << 20))).toThrow("ENOSPC");
    // The room for what is asked is looked at first; this is what comes when that was wrong.
    const freeing = { insert: [], remove: [1], time: DAY };
    expect(() => put([batch(100_000)])).toThrow(/^spool: /);
    expect(() => store.apply(freeing)).toThrow("spool: database or disk is full");
    expect(store.totals).toMatchObject({ batches: 1, bytes: 1_000 });
    writeFileSync(filler, "");
    expect(store.apply({ ...freeing, insert: [batch(100_000)] })).toEqual([2]);
    expect(store.totals).toMatchObject({ batches: 1, bytes: 100_000 });
    expect(store.read(ALL).batches.map(({ position }) => position)).toEqual([2]);
  } finally {
    store.close();
    execFileSync("umount", [dir]);
  }
});

import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { temporaryDirectory } from "../../embedded/temporary.ts";
import { createLogger } from "../../telemetry/logger.ts";
import { createRegistry } from "../../telemetry/metrics.ts";
import { openSpool } from "./spool.ts";
import { type SpoolBatch, SpoolStore } from "./store.ts";

const DAY = 86_400_000;

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
let dir: string;
beforeEach(async () => {
  directory = await temporaryDirectory("spool");
  dir = join(directory.path, "spool");
});
afterEach(() => directory.remove());

/** A batch in which a name stands in every 64 bytes, so that each page of the file that has of it is known. */
const batch = (name: string, size: number): SpoolBatch => ({
  batchId: Buffer.from(name.padEnd(16)),
  partition: 1,
  rows: 1,
  bytes: Buffer.from(`${name} was here `.padEnd(64, ".").repeat(Math.ceil(size / 64))),
});

/** Which of the names the raw bytes of any file in the spool's folder hold. */
function found(...names: string[]): string[] {
  const bytes = Buffer.concat(readdirSync(dir).map((name) => readFileSync(join(dir, name))));
  return names.filter((name) => bytes.includes(name));
}

const SIZES = [100, 5_000, 70_000, 3 << 20];

test.each(SIZES)("of a batch of %d bytes that was drained nothing is in the files", (size) => {
  const store = new SpoolStore({ dir, minFreeBytes: 0 });
  const positions = store.apply({ insert: [batch("jane", size)], remove: [], time: DAY });
  expect(found("jane")).toEqual(["jane"]);
  store.apply({ insert: [], remove: positions, time: DAY });
  store.clear();
  expect(found("jane")).toEqual([]);
  store.close();
});

test("nor while others stay, some seconds later, whose bytes are all there", () => {
  const store = new SpoolStore({ dir, minFreeBytes: 0 });
  const gone = SIZES.flatMap((size) => store.apply({ insert: [batch("jane", size)], remove: [], time: DAY }));
  const [kept] = store.apply({ insert: [batch("joe", 10_000)], remove: [], time: DAY });
  store.apply({ insert: [], remove: gone.slice(1), time: DAY });
  store.apply({ insert: [], remove: gone.slice(0, 1), time: DAY + 11_000 });
  expect(found("jane", "joe")).toEqual(["joe"]);
  const { batches } = store.read({ after: 0, skip: [], maxBatches: 9, maxBytes: 1 << 30 });
  expect(batches.map(({ position }) => position)).toEqual([kept]);
  store.close();
});

test("nor behind a process that was killed, once the next one has opened them", () => {
  const store = new SpoolStore({ dir, minFreeBytes: 0 });
  const positions = store.apply({ insert: [batch("jane", 70_000)], remove: [], time: DAY });
  store.apply({ insert: [], remove: positions, time: DAY });
  // What the disk has when nothing is closed.
  const files = readdirSync(dir).map((name) => [name, readFileSync(join(dir, name))] as const);
  store.close();
  dir = join(directory.path, "copy");
  mkdirSync(dir);
  for (const [name, bytes] of files) writeFileSync(join(dir, name), bytes);
  const next = new SpoolStore({ dir, minFreeBytes: 0 });
  expect(found("jane")).toEqual([]);
  next.close();
});

test("a spool that was drained has forgotten it by itself", async () => {
  const spool = await openSpool({
    dir,
    maxBytes: 1 << 24,
    maxAgeMs: DAY,
    minFreeBytes: 0,
    registry: createRegistry("test"),
    log: createLogger("test", "silent"),
    onDeath: (error) => {
      throw error;
    },
  });
  try {
    await spool.write(batch("jane", 70_000));
    expect(found("jane")).toEqual(["jane"]);
    spool.remove(1);
    await vi.waitFor(() => expect(found("jane")).toEqual([]), { timeout: 10_000 });
  } finally {
    await spool.close();
  }
});

test("nobody else can look into folder and files, whatever the mask, and whoever made them", () => {
  const modes = () =>
    [dir, ...readdirSync(dir).map((name) => join(dir, name))].map((name) => statSync(name).mode & 0o777);
  const mask = process.umask(0);
  try {
    const store = new SpoolStore({ dir, minFreeBytes: 0 });
    store.apply({ insert: [batch("jane", 100)], remove: [], time: DAY });
    expect(modes()).toEqual([0o700, 0o600, 0o600]);
    store.close();
    for (const name of ["", "spool.db"]) chmodSync(join(dir, name), 0o777);
    new SpoolStore({ dir, minFreeBytes: 0 }).close();
    expect(modes()).toEqual([0o700, 0o600]);
  } finally {
    process.umask(mask);
  }
});

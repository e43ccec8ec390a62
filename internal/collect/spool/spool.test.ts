import { randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, expect, test } from "vitest";
import { temporaryDirectory } from "../../embedded/temporary.ts";
import { createLogger } from "../../telemetry/logger.ts";
import { createRegistry } from "../../telemetry/metrics.ts";
import { openSpool, Spool, type SpoolOptions } from "./spool.ts";
import { type SpoolBatch, SpoolStore } from "./store.ts";
import type { Ask } from "./worker.ts";

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
let spool: Spool | undefined;
beforeEach(async () => {
  directory = await temporaryDirectory("spool");
});
afterEach(async () => {
  await spool?.close();
  spool = undefined;
  await directory.remove();
});

const optionsOf = (options: Partial<SpoolOptions>): SpoolOptions => {
  return {
    dir: directory.path,
    maxBytes: 1 << 20,
    maxAgeMs: 3_600_000,
    minFreeBytes: 0,
    registry: createRegistry("test"),
    log: createLogger("test", "silent"),
    onDeath: (error) => {
      throw error;
    },
    ...options,
  };
};

async function open(options: Partial<SpoolOptions> = {}): Promise<Spool> {
  await spool?.close();
  spool = await openSpool(optionsOf(options));
  return spool;
}

/** Transactions of spools that openHere has opened. */
let transactions = 0;

/** A spool whose store is in this thread: it opens more quickly, and its transactions are counted. */
async function openHere(): Promise<void> {
  await spool?.close();
  const store = new SpoolStore({ dir: directory.path, minFreeBytes: 0 });
  const ask = async (asked: Exclude<Ask, { op: "close" }>) => {
    await new Promise((resolve) => setImmediate(resolve));
    if (asked.op === "apply") transactions++;
    const positions = asked.op === "apply" ? store.apply(asked) : [];
    const read = asked.op === "read" ? store.read(asked) : { batches: [], damaged: [], upTo: 0 };
    return { totals: store.totals, positions, read };
  };
  const thread = { ask, close: async () => store.close() };
  spool = new Spool(optionsOf({}), thread, store);
}

const batch = (size = 10): SpoolBatch => ({
  batchId: randomBytes(16),
  partition: 0,
  rows: 1,
  bytes: randomBytes(size),
});
const id = ({ batchId }: SpoolBatch) => Buffer.from(batchId).toString("hex");
const take = async (count = 1_000) => (await spool!.take(count, 1 << 20)).map(id);

test("batches that are written at the same time share their fsyncs, and keep their order", async () => {
  await openHere();
  const batches = Array.from({ length: 500 }, () => batch());
  const before = transactions;
  const positions = await Promise.all(batches.map((one) => spool!.write(one)));
  expect(transactions - before).toBe(1);
  expect(positions).toEqual(batches.map((_, index) => index + 1));
  expect(await take()).toEqual([]);
  for (const position of positions.toReversed()) spool!.giveBack(position);
  expect(spool!.waiting).toBe(500);
  expect(await take()).toEqual(batches.map(id));
});

test("what is written but not removed is there after the next opening, held by nobody", async () => {
  await open();
  const batches = [batch(), batch(), batch()];
  const positions = await Promise.all(batches.map((one) => spool!.write(one)));
  spool!.remove(positions[1]!);
  await open();
  expect([spool!.totals.batches, spool!.waiting]).toEqual([2, 2]);
  expect(await take()).toEqual([id(batches[0]!), id(batches[2]!)]);
});

test("the bound in bytes counts what is still being written, and what is removed makes room", async () => {
  await open({ maxBytes: 100 });
  const writes = await Promise.allSettled(
    [batch(60), batch(41), batch(40), batch(1)].map((one) => spool!.write(one)),
  );
  expect(writes.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled", "rejected"]);
  expect(spool!.refusal).toMatchObject({ kind: "exhausted", message: "spool: is full, 100 of 100 bytes" });
  spool!.remove(1);
  await expect.poll(() => spool!.refusal).toBeUndefined();
  await spool!.write(batch(60));
});

test("a second spool on the folder is refused; the first goes on", async () => {
  const first = await open();
  spool = undefined;
  await expect(open()).rejects.toThrow(`spool ${directory.path}/spool.db: is in use by another collector`);
  spool = first;
  expect(await spool.write(batch())).toBe(1);
});

test("a folder that cannot be made is refused by its name", async () => {
  const file = join(directory.path, "file");
  writeFileSync(file, "");
  await expect(open({ dir: join(file, "spool") })).rejects.toThrow(`'${join(file, "spool")}'`);
});

test("emptied() waits for the last batch to be gone", async () => {
  await open();
  const position = await spool!.write(batch());
  let empty = false;
  const emptied = spool!.emptied(new AbortController().signal).then(() => {
    empty = true;
  });
  await take();
  expect(empty).toBe(false);
  spool!.remove(position);
  await emptied;
  expect(spool!.totals.batches).toBe(0);
});

/** One thing that the collector does with its spool. */
const step = fc.oneof(
  fc.record({ write: fc.integer({ min: 1, max: 4 }) }),
  fc.record({ take: fc.integer({ min: 1, max: 3 }) }),
  fc.record({ giveBack: fc.nat() }),
  fc.record({ remove: fc.nat() }),
  fc.constant({ reopen: true }),
);

test("whatever is done: each batch is given out in order, to one at a time, until it is removed", async () => {
  const property = fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
    await openHere();
    for (const left of (await spool!.take(1_000, 1 << 20)).map(({ position }) => position))
      spool!.remove(left);
    /** Batches that exist, oldest first; those that somebody holds, by position. */
    let waiting: { position: number; name: string }[] = [];
    let held: typeof waiting = [];
    for (const one of steps) {
      if ("write" in one) {
        const batches = Array.from({ length: one.write }, () => batch());
        const positions = await Promise.all(batches.map((each) => spool!.write(each)));
        held.push(...batches.map((each, index) => ({ position: positions[index]!, name: id(each) })));
      } else if ("take" in one) {
        const taken = waiting.splice(0, one.take);
        expect(await take(one.take)).toEqual(taken.map(({ name }) => name));
        held.push(...taken);
      } else if ("reopen" in one) {
        await openHere();
        waiting = [...waiting, ...held].sort((a, b) => a.position - b.position);
        held = [];
      } else if (held.length > 0) {
        const [chosen] = held.splice(("remove" in one ? one.remove : one.giveBack) % held.length, 1);
        if ("remove" in one) spool!.remove(chosen!.position);
        else {
          spool!.giveBack(chosen!.position);
          waiting = [...waiting, chosen!].sort((a, b) => a.position - b.position);
        }
      }
    }
    await openHere();
    const rest = [...waiting, ...held].sort((a, b) => a.position - b.position);
    expect(await take()).toEqual(rest.map(({ name }) => name));
  });
  await fc.assert(property, { numRuns: 40 });
});

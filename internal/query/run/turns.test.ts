import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Turns } from "./turns.ts";

/** Work that lasts until it is told to end. */
function lasting(turns: Turns, merchantId: number, signal?: AbortSignal) {
  const { promise, resolve } = Promise.withResolvers<void>();
  const job = { started: false, merchantId, end: resolve, done: Promise.resolve() as Promise<unknown> };
  job.done = turns.run(merchantId, signal, () => {
    job.started = true;
    return promise;
  });
  job.done.catch(() => {});
  return job;
}

const settled = () => new Promise((resolve) => setImmediate(resolve));

const of = (jobs: readonly { started: boolean; merchantId: number }[], merchantId: number) =>
  jobs.filter((job) => job.started && job.merchantId === merchantId).length;

describe("a merchant alone", () => {
  test("has half of the slots, and leaves the others free for whoever comes", async () => {
    const turns = new Turns({ slots: 10, waiting: 200 });
    const heavy = Array.from({ length: 40 }, () => lasting(turns, 1));
    await settled();
    expect(of(heavy, 1)).toBe(5);
    const light = lasting(turns, 2);
    await settled();
    expect(light.started).toBe(true);
  });

  test("has the only place there is", async () => {
    const turns = new Turns({ slots: 1, waiting: 10 });
    const jobs = [lasting(turns, 1), lasting(turns, 1)];
    await settled();
    expect(of(jobs, 1)).toBe(1);
    jobs[0]!.end();
    await settled();
    expect(of(jobs, 1)).toBe(2);
  });

  test("is refused, with the time to wait, when half of the slots to wait in are taken", async () => {
    const turns = new Turns({ slots: 2, waiting: 10 });
    const jobs = Array.from({ length: 1 + 5 }, () => lasting(turns, 1));
    await expect(turns.run(1, undefined, async () => {})).rejects.toMatchObject({
      kind: "exhausted",
      retryAfterMs: 1_000,
    });
    const other = lasting(turns, 2);
    await settled();
    expect(turns.waiting).toBe(5);
    expect(other.started).toBe(true);
    for (const job of [...jobs, other]) job.end();
    await settled();
    for (const job of jobs) job.end();
    await Promise.all(jobs.map(({ done }) => done));
    expect([turns.waiting, turns.working]).toEqual([0, 0]);
  });
});

test("merchants that wait are let in by turns, however many requests each has", async () => {
  const turns = new Turns({ slots: 1, waiting: 1_000 });
  const first = lasting(turns, 9);
  const order: number[] = [];
  const wait = (merchantId: number) => turns.run(merchantId, undefined, async () => order.push(merchantId));
  const all = [1, 1, 1, 1, 2, 3, 3].map(wait);
  first.end();
  await Promise.all(all);
  expect(order).toEqual([1, 2, 3, 1, 3, 1, 1]);
});

test("who does not wait any more is passed over, and work that fails gives its place back", async () => {
  const turns = new Turns({ slots: 1, waiting: 10 });
  const first = lasting(turns, 1);
  const gone = new AbortController();
  const waiting = lasting(turns, 1, gone.signal);
  const last = turns.run(2, undefined, async () => {
    throw new Error("on purpose");
  });
  gone.abort(new Error("gone"));
  await expect(waiting.done).rejects.toThrow("gone");
  await expect(turns.run(3, gone.signal, async () => {})).rejects.toThrow("gone");
  first.end();
  await expect(last).rejects.toThrow("on purpose");
  expect(await turns.run(1, undefined, async () => "free")).toBe("free");
  expect(waiting.started).toBe(false);
});

test("no place is lost or given twice, a merchant without one gets the next that is free, nobody waits for ever", async () => {
  const step = fc.oneof(
    fc.record({ kind: fc.constant("ask" as const), merchant: fc.integer({ min: 1, max: 4 }) }),
    fc.record({ kind: fc.constantFrom("end" as const, "give up" as const), which: fc.nat(30) }),
  );
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 6 }),
      fc.array(step, { maxLength: 60 }),
      async (slots, steps) => {
        const turns = new Turns({ slots, waiting: 1_000 });
        let jobs: (ReturnType<typeof lasting> & { gone: AbortController })[] = [];
        for (const one of steps) {
          if (one.kind === "ask") {
            const gone = new AbortController();
            jobs.push(Object.assign(lasting(turns, one.merchant, gone.signal), { gone }));
          } else {
            const candidates = jobs.filter(({ started }) => started === (one.kind === "end"));
            const job = candidates[one.which % candidates.length];
            if (one.kind === "end") job?.end();
            else job?.gone.abort();
            jobs = jobs.filter((other) => other !== job);
          }
          await settled();
          const working = jobs.filter(({ started }) => started);
          expect(working.length).toBe(turns.working);
          expect(working.length).toBeLessThanOrEqual(slots);
          const waiters = new Set(jobs.filter(({ started }) => !started).map(({ merchantId }) => merchantId));
          for (const merchant of waiters) {
            expect(of(jobs, merchant) > 0 || working.length === slots).toBe(true);
          }
        }
        for (let left = jobs.length; left > 0; left--) {
          for (const job of jobs) if (job.started) job.end();
          await settled();
        }
        await Promise.all(jobs.map(({ done }) => done));
        expect([turns.working, turns.waiting]).toEqual([0, 0]);
      },
    ),
    { numRuns: 200 },
  );
});

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type TestEvent, testBatch } from "../../../test/kit/batches.ts";
import { testContext, testSalts } from "../../../test/kit/step-context.ts";
import { BatchView } from "../../event/batch-view.ts";
import { open } from "../../event/seal.ts";
import { saltDays } from "./cookieless.ts";
import { PROCESSOR_VERSION, process, STEPS } from "./process.ts";

const DAY = 86_400_000;
const NOON = Date.UTC(2026, 2, 29, 12);
const EUR = testContext({ currencies: new Map([1, 2, 3].map((merchant) => [merchant, "EUR"])) });

interface Result {
  readonly visitors: bigint[];
  readonly before: bigint[];
  readonly after: bigint[];
  readonly sessions: bigint[];
  readonly sessionless: number[];
  readonly revenue: bigint[];
}

/** What the steps derive for events in one batch; hashes as the signed 64-bit numbers that are stored. */
function derive(events: readonly TestEvent[], context = EUR): Result {
  const { bytes } = testBatch(events, { partition: 0 });
  const { sealed, batch } = open(bytes);
  const before = Buffer.from(bytes);
  const derived = process(new BatchView(sealed!.batchId, batch!), context);
  expect(before.equals(bytes)).toBe(true);
  return {
    visitors: [...new BigInt64Array(derived.visitors.buffer)],
    before: [...new BigInt64Array(derived.visitorsBefore.buffer)],
    after: [...new BigInt64Array(derived.visitorsAfter.buffer)],
    sessions: [...new BigInt64Array(derived.sessions.buffer)],
    sessionless: [...derived.sessionless],
    revenue: [...derived.convertedRevenue],
  };
}

const event = (fields: Partial<TestEvent> = {}): TestEvent => ({ merchantId: 1, time: NOON, ...fields });

/** The visitor of one event, alone in its batch. */
const visitorOf = (fields: Partial<TestEvent>) => derive([event(fields)]).visitors[0]!;
const sessionOf = (fields: Partial<TestEvent>) => derive([event(fields)]).sessions[0]!;

const allDifferent = (values: readonly unknown[]) => expect(new Set(values).size).toBe(values.length);

describe("visitor", () => {
  test("one visitor id is one visitor, whatever else differs", () => {
    const same = [
      { visitorId: "v1" },
      { visitorId: "v1", ip: "192.0.2.0", userAgent: "Mozilla/5.0" },
      {
        visitorId: "v1",
        time: NOON + 40 * DAY,
        sessionId: "s",
        url: "https://shop.example/",
        name: "purchase",
      },
    ];
    expect(new Set(same.map(visitorOf)).size).toBe(1);
    expect(new Set(derive(same.map(event)).visitors)).toEqual(new Set([visitorOf({ visitorId: "v1" })]));
  });

  test("is another one for another id, and for another merchant", () => {
    allDifferent([
      visitorOf({ visitorId: "v1" }),
      visitorOf({ visitorId: "V1" }),
      visitorOf({ visitorId: "v1", merchantId: 2 }),
      visitorOf({ visitorId: "v1", merchantId: 3 }),
    ]);
  });

  test("without an id: address, user agent, UTC day and merchant, and nothing else", () => {
    const base = { ip: "192.0.2.0", userAgent: "Mozilla/5.0" };
    const same = [
      base,
      { ...base, time: NOON + DAY / 2 - 1 },
      { ...base, time: NOON - DAY / 2, sessionId: "s" },
    ];
    expect(new Set(same.map(visitorOf)).size).toBe(1);
    allDifferent([
      visitorOf(base),
      visitorOf({ ...base, ip: "192.0.3.0" }),
      visitorOf({ ...base, userAgent: "curl/8" }),
      visitorOf({ ...base, time: NOON + DAY / 2 }),
      visitorOf({ ...base, merchantId: 2 }),
      visitorOf({ ip: base.ip }),
      visitorOf({ userAgent: base.userAgent }),
      visitorOf({}),
      // An id that spells out what a visitor without one is told apart by.
      visitorOf({ visitorId: `${base.ip} ${base.userAgent}` }),
    ]);
  });

  test("its number is part of the stored data's meaning: it may never change", () => {
    // printf '["visitor",1,"v1"]' | sha256sum, the first 8 bytes, little-endian.
    expect(visitorOf({ visitorId: "v1" })).toBe(-4_933_656_637_124_256_670n);
    // printf '["session",1,"s1"]' | sha256sum
    expect(sessionOf({ sessionId: "s1" })).toBe(1_840_550_604_719_285_106n);
  });

  test("without an id its number is keyed by the day's salt", () => {
    // printf '["cookieless",1,"192.0.2.0","Mozilla/5.0",20541]' | openssl dgst -sha256 -mac HMAC \
    //   -macopt key:20541205412054120541205412054120, the first 8 bytes, little-endian: 2026-03-29 is day 20541,
    // and testSalts' salt of a day its number, repeated to 32 bytes.
    expect(visitorOf({ ip: "192.0.2.0", userAgent: "Mozilla/5.0" })).toBe(2_610_096_941_205_713_770n);
  });

  const MIDNIGHT = Date.UTC(2026, 2, 30);

  test("the salt is that of the event's day if it came on that or a neighbouring day, else of the day it came", () => {
    /** The days whose salts who it is depends on. */
    const saltsOf = (time: number, receivedTime: number) => {
      const come = (other?: number) => {
        const get = (day: number) => testSalts.get(day === other ? 0 : day);
        const salts = Object.assign(new Map<number, Uint8Array>(), { get });
        return derive([event({ time, receivedTime, ip: "192.0.2.0" })], { ...EUR, salts }).visitors[0]!;
      };
      return [20_540, 20_541, 20_542, 20_543].filter((day) => come(day) !== come());
    };
    expect(saltsOf(MIDNIGHT - 60_000, MIDNIGHT - 1_000)).toEqual([20_541]);
    expect(saltsOf(MIDNIGHT - 60_000, MIDNIGHT + 60_000)).toEqual([20_541]);
    expect(saltsOf(MIDNIGHT - 60_000, MIDNIGHT + DAY)).toEqual([20_543]);
    // A clock that is seconds ahead.
    expect(saltsOf(MIDNIGHT + 1_000, MIDNIGHT - 1_000)).toEqual([20_542]);
  });

  test("without an id it is known who it was the day before, and who it is after midnight if that is near", () => {
    const at = (minutes: number) => {
      const time = MIDNIGHT + minutes * 60_000;
      const derived = derive([event({ time, ip: "192.0.2.0" })]);
      return { own: derived.visitors[0], before: derived.before[0], after: derived.after[0] };
    };
    expect(at(10).before).toBe(at(-10).own);
    expect(at(-10).after).toBe(at(10).own);
    expect(at(-30).after).toBe(at(10).own);
    expect(at(-31).after).toBe(0n);
    const known = derive([event({ time: MIDNIGHT - 60_000, visitorId: "v1" })]);
    expect([known.before, known.after]).toEqual([[0n], [0n]]);
  });

  test("no other salts are asked for than are fetched for the batch", () => {
    const times = fc.record({
      receivedTime: fc.integer({ min: MIDNIGHT - DAY, max: MIDNIGHT + DAY }),
      late: fc.oneof(fc.integer({ min: -5_000, max: 5_000 }), fc.integer({ min: 0, max: 4 * DAY })),
    });
    fc.assert(
      fc.property(fc.array(times, { minLength: 1, maxLength: 5 }), (all) => {
        const events = all.map(({ receivedTime, late }) =>
          event({ time: receivedTime - late, receivedTime }),
        );
        const { sealed, batch } = open(testBatch(events, { partition: 0 }).bytes);
        const days = saltDays(new BatchView(sealed!.batchId, batch!));
        const salts = new Map([...days].map((day) => [day, testSalts.get(day)!]));
        expect(derive(events, { ...EUR, salts })).toEqual(derive(events));
      }),
    );
  });

  test("late events of different days have nothing in common, although one salt hides them", () => {
    const late = [1, 2, 3].map((days) =>
      visitorOf({ ip: "192.0.2.0", time: NOON - (10 + days) * DAY, receivedTime: NOON }),
    );
    allDifferent(late);
  });

  test("a day without a salt is an error: nothing is hashed without one", () => {
    const context = { ...EUR, salts: new Map<number, Uint8Array>() };
    expect(() => derive([event()], context)).toThrow("no salt of day 20541");
    expect(derive([event({ visitorId: "v" })], context).visitors).toHaveLength(1);
  });
});

describe("session", () => {
  test("one session id is one session of a merchant, also of several visitors", () => {
    const ids = [{ sessionId: "s1" }, { sessionId: "s1", visitorId: "v2", time: NOON + DAY }];
    expect(new Set(ids.map(sessionOf)).size).toBe(1);
    allDifferent([
      sessionOf({ sessionId: "s1" }),
      sessionOf({ sessionId: "s2" }),
      sessionOf({ sessionId: "s1", merchantId: 2 }),
    ]);
  });

  test("without an id it is left to storage, which knows what else the visitor did", () => {
    const { sessions, sessionless } = derive([event({ visitorId: "v1" }), event({ sessionId: "s1" })]);
    expect(sessionless).toEqual([1, 0]);
    expect(sessions[0]).toBe(0n);
  });
});

test("the version of the whole rises with that of any step", () => {
  expect(STEPS.map(({ name, version }) => `${name} ${version}`)).toEqual([
    "time 1",
    "visitor 4",
    "session 2",
    "bots 2",
    "device 3",
    "geo 1",
    "source 3",
    "page 2",
    "commerce 3",
  ]);
  expect(PROCESSOR_VERSION).toBe(21);
});

test("an event gives the same in any batch, at any place, as often as it is processed", () => {
  const maybe = (...texts: string[]) => fc.constantFrom("", ...texts);
  const events = fc.array(
    fc.record({
      merchantId: fc.integer({ min: 1, max: 3 }),
      time: fc.integer({ min: NOON - 2 * DAY, max: NOON + 2 * DAY }),
      visitorId: maybe("v1", "v2", "\\", "é🛒"),
      sessionId: maybe("s1", "v1"),
      ip: maybe("192.0.2.0", "v1"),
      userAgent: maybe("Mozilla/5.0", "v1", "192.0.2.0"),
      order: fc.option(
        fc.record({ id: fc.constant("v1"), revenueMicros: fc.bigInt(0n, 9n), currency: maybe("EUR", "USD") }),
        {
          nil: undefined,
        },
      ),
    }),
    { minLength: 1, maxLength: 12 },
  );
  const check = (list: TestEvent[]) => {
    const alone = list.map((one) => derive([one]));
    const together = derive(list);
    const backwards = derive(list.toReversed());
    expect(together.visitors).toEqual(alone.flatMap(({ visitors }) => visitors));
    expect(together.before).toEqual(alone.flatMap(({ before }) => before));
    expect(together.after).toEqual(alone.flatMap(({ after }) => after));
    expect(together.sessions).toEqual(alone.flatMap(({ sessions }) => sessions));
    expect(together.revenue).toEqual(alone.flatMap(({ revenue }) => revenue));
    expect(backwards.visitors.toReversed()).toEqual(together.visitors);
    expect(backwards.sessions.toReversed()).toEqual(together.sessions);
    expect(derive(list)).toEqual(together);
  };
  fc.assert(fc.property(events, check), { numRuns: 100 });
});

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { BatchView } from "../event/batch-view.ts";
import { open } from "../event/seal.ts";
import { type TestEvent, testBatch } from "../testkit/batches.ts";
import { process, type StepContext } from "./steps.ts";

const DAY = 86_400_000;
const NOON = Date.UTC(2026, 2, 29, 12);
const EUR: StepContext = { currencies: new Map([1, 2, 3].map((merchant) => [merchant, "EUR"])) };

interface Result {
  readonly visitors: bigint[];
  readonly sessions: bigint[];
  readonly revenue: number[];
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
    sessions: [...new BigInt64Array(derived.sessions.buffer)],
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
    // printf '["cookieless",1,"192.0.2.0","Mozilla/5.0",20541]' | sha256sum: 2026-03-29 is day 20541.
    expect(visitorOf({ ip: "192.0.2.0", userAgent: "Mozilla/5.0" })).toBe(-628_060_978_440_134_492n);
    // printf '["session",1,"s1"]' | sha256sum
    expect(sessionOf({ sessionId: "s1" })).toBe(1_840_550_604_719_285_106n);
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

  test("without an id: the visitor's UTC day", () => {
    const midnight = Date.UTC(2026, 2, 30);
    const before = sessionOf({ visitorId: "v1", time: midnight - 1 });
    expect(sessionOf({ visitorId: "v1", time: midnight - DAY })).toBe(before);
    allDifferent([
      before,
      sessionOf({ visitorId: "v1", time: midnight }),
      sessionOf({ visitorId: "v2", time: midnight - 1 }),
      sessionOf({ visitorId: "v1", time: midnight - 1, merchantId: 2 }),
    ]);
  });

  test("days before 1970 begin at midnight too", () => {
    const at = (text: string) => sessionOf({ visitorId: "v1", time: Date.parse(text) });
    expect(at("1926-07-01T00:00:00Z")).toBe(at("1926-07-01T23:59:59.999Z"));
    expect(at("1926-07-01T00:00:00Z")).not.toBe(at("1926-06-30T23:59:59.999Z"));
  });
});

describe("revenue", () => {
  const order = (revenueMicros: bigint, currency = "") => ({ id: "o", revenueMicros, currency });

  test("is taken as it is in the merchant's currency, and left open in another one", () => {
    const events = [
      event({ order: order(12_340_000n) }),
      event(),
      event({ order: order(1n, "EUR") }),
      event({ order: order(99n, "USD") }),
      event({ order: order(0n), merchantId: 2 }),
      event({ order: order(1_000_000_000_000_000n, "EUR") }),
    ];
    expect(derive(events).revenue).toEqual([12_340_000, 1, Number.NaN, 0, 1e15]);
  });

  test("each merchant's own currency counts", () => {
    const context = {
      currencies: new Map([
        [1, "EUR"],
        [2, "JPY"],
      ]),
    };
    const events = [1, 2].flatMap((merchantId) =>
      ["EUR", "JPY"].map((currency) => event({ merchantId, order: order(5n, currency) })),
    );
    expect(derive(events, context).revenue).toEqual([5, Number.NaN, Number.NaN, 5]);
  });
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
    expect(together.sessions).toEqual(alone.flatMap(({ sessions }) => sessions));
    expect(together.revenue).toEqual(alone.flatMap(({ revenue }) => revenue));
    expect(backwards.visitors.toReversed()).toEqual(together.visitors);
    expect(backwards.sessions.toReversed()).toEqual(together.sessions);
    expect(derive(list)).toEqual(together);
  };
  fc.assert(fc.property(events, check), { numRuns: 100 });
});

import type { MessageInitShape } from "@bufbuild/protobuf";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type FilterSchema, TextTest_Match } from "../../internal/gen/footfall/query/v1/filter_pb.js";
import {
  FunnelOrder,
  FunnelStep_Kind,
  type RunFunnelRequestSchema,
} from "../../internal/gen/footfall/query/v1/funnel_pb.js";
import { Comparison_Kind, Granularity } from "../../internal/gen/footfall/query/v1/period_pb.js";
import { QueryService } from "../../internal/gen/footfall/query/v1/query_pb.js";
import { BadRequestSchema } from "../../internal/gen/google/rpc/error_details_pb.js";
import type { StoredEvent } from "../../internal/query/testing/naive/event.ts";
import { storeEvents } from "../../internal/query/testing/store-events.ts";
import { type CreatedMerchant, createMerchant } from "../../internal/store/merchants.ts";
import { openTestDatabase, type TestDatabase } from "../../test/kit/database.ts";
import { bearer, transportsTo } from "../../test/kit/installation-clients.ts";
import { tableRows } from "../../test/kit/report-table.ts";
import { NEW_MERCHANT, startTestQuery, type TestQuery } from "./testing/query-service.ts";

type Request = MessageInitShape<typeof RunFunnelRequestSchema>;
type Filter = MessageInitShape<typeof FilterSchema>;

const MINUTE_MS = 60_000;
const NOON = Date.UTC(2025, 2, 3, 12);
const PERIOD = {
  span: { case: "dates", value: { startDate: "2025-03-03", endDate: "2025-03-04" } },
} as const;

let database: TestDatabase;
let service: TestQuery;
let own: CreatedMerchant;
let other: CreatedMerchant;

/** Who does what: the visitor, and names of events with the minutes behind noon at which they are. */
const VISITS: readonly (readonly [
  visitor: number,
  country: string,
  events: readonly (readonly [string, number])[],
])[] = [
  [
    1,
    "DE",
    [
      ["view", 0],
      ["cart", 1],
      ["buy", 5],
    ],
  ],
  [
    2,
    "DE",
    [
      ["view", 0],
      ["cart", 2],
    ],
  ],
  [
    3,
    "FR",
    [
      ["view", 0],
      ["leave", 1],
      ["cart", 3],
      ["buy", 4],
    ],
  ],
  [
    4,
    "FR",
    [
      ["view", 0],
      ["buy", 9],
    ],
  ],
  [
    5,
    "FR",
    [
      ["cart", 0],
      ["view", 1],
    ],
  ],
];

beforeAll(async () => {
  database = await openTestDatabase(4);
  own = await createMerchant(database.pool, NEW_MERCHANT);
  other = await createMerchant(database.pool, NEW_MERCHANT);
  const events = VISITS.flatMap(([visitor, country, done]) =>
    done.map(([name, minutes]) => eventOf(visitor, country, name, NOON + minutes * MINUTE_MS)),
  );
  await storeEvents(database.pool, events, new Map());
  service = await startTestQuery(database.url);
});
afterAll(async () => {
  await service?.stop();
  await database?.close();
});

let ids = 0;
function eventOf(visitor: number, country: string, name: string, time: number): StoredEvent {
  const order = {
    kind: 1,
    revenueMicros: 10_000_000n,
    taxMicros: null,
    shippingMicros: null,
    discountMicros: null,
  };
  return {
    merchantId: own.merchantId,
    id: `00000000-0000-4000-8000-${String(ids++).padStart(12, "0")}`,
    ...{ time, visitor, user: null, session: visitor, processorVersion: 18, name, texts: { country } },
    ...{ screen: null, properties: {}, isBot: false, isPassive: false, activeMs: null, scrollPercent: null },
    ...{ stage: 0, touch: null, items: [] },
    order:
      name === "buy" ? { ...order, coupon: null, currency: "EUR", market: null, paymentMethod: null } : null,
  };
}

const named = (value: string): Filter => ({
  expression: {
    case: "condition",
    value: { field: "event_name", test: { case: "text", value: { match: TextTest_Match.EXACT, value } } },
  },
});
const STEPS = ["view", "cart", "buy"].map((name) => ({ title: name, event: named(name) }));

const ask = (request: Request, key = own.readKey) =>
  createClient(QueryService, transportsTo(service.url)["Connect with JSON"]!).runFunnel(request, bearer(key));

/** step, visitors, conversion_rate, step_conversion_rate, drop_offs, revenue, median_time, p90_time. */
const FIRST = (visitors: bigint) => [1n, visitors, 1, 1, 0n, 0n, Number.NaN, Number.NaN];

test("steps in order, within a session", async () => {
  const { table, totals, stepTitles, info } = await ask({ period: PERIOD, steps: STEPS });
  const rows = [
    FIRST(5n),
    [2n, 3n, 3 / 5, 3 / 5, 2n, 0n, 120, 168],
    [3n, 2n, 2 / 5, 2 / 3, 1n, 20_000_000n, 150, 222],
  ];
  expect(tableRows(table!)).toEqual(rows);
  expect(tableRows(totals!)).toEqual(rows);
  expect(stepTitles).toEqual(["view", "cart", "buy"]);
  expect(info!.currency).toBe("EUR");
});

test("a window, an optional step, and one that is excluded", async () => {
  const [view, cart, buy] = STEPS as [(typeof STEPS)[0], (typeof STEPS)[0], (typeof STEPS)[0]];
  const steps = [
    view,
    { event: named("leave"), kind: FunnelStep_Kind.EXCLUDED },
    { ...cart, kind: FunnelStep_Kind.OPTIONAL },
    buy,
  ];
  const { table, stepTitles } = await ask({ period: PERIOD, steps, window: { seconds: 300n } });
  // The third visitor left, and the fourth bought too late.
  expect(tableRows(table!)).toEqual([
    FIRST(5n),
    [2n, 2n, 2 / 5, 2 / 5, 3n, 0n, 90, 114],
    [3n, 1n, 1 / 5, 1 / 5, 4n, 10_000_000n, 240, 240],
  ]);
  expect(stepTitles).toEqual(["view", "cart", "buy"]);
});

test("one at once after another, and in any order", async () => {
  const strict = await ask({ period: PERIOD, steps: STEPS, order: FunnelOrder.STRICT });
  expect(tableRows(strict.table!).map((row) => row[1])).toEqual([5n, 2n, 1n]);
  const any = await ask({ period: PERIOD, steps: STEPS, order: FunnelOrder.ANY });
  expect(tableRows(any.table!).map((row) => row[1])).toEqual([5n, 5n, 2n]);
});

test("by a dimension of the entry, by day, and compared", async () => {
  const { table } = await ask({
    period: PERIOD,
    steps: STEPS,
    breakdown: "country",
    granularity: Granularity.DAY,
    comparison: { kind: Comparison_Kind.PREVIOUS_PERIOD },
  });
  expect(table!.columns.slice(0, 4).map(({ name, periodIndex }) => [name, periodIndex])).toEqual([
    ["country", 0],
    ["time", 0],
    ["time", 1],
    ["step", 0],
  ]);
  const visitors = table!.columns.find(({ name, periodIndex }) => name === "visitors" && periodIndex === 0)!;
  // Values by visitors, days, steps: all came on the first of two days.
  expect(visitors.values.value).toMatchObject({ values: [3n, 1n, 1n, 0n, 0n, 0n, 2n, 2n, 1n, 0n, 0n, 0n] });
  const before = table!.columns.find(({ name, periodIndex }) => name === "visitors" && periodIndex === 1)!;
  expect(before.values.value).toMatchObject({ values: Array(12).fill(0n) });
});

test("another merchant's API key sees none of it, and may not ask for it", async () => {
  const { totals } = await ask({ period: PERIOD, steps: STEPS }, other.readKey);
  expect(tableRows(totals!).map((row) => row[1])).toEqual([0n, 0n, 0n]);
  const refused = await ask(
    { scope: { merchantId: own.merchantId }, period: PERIOD, steps: STEPS },
    other.readKey,
  ).catch((error: unknown) => ConnectError.from(error));
  expect(refused).toMatchObject({ code: Code.PermissionDenied });
});

test.each<[string, string, Record<string, unknown>]>([
  ["one step", "steps", { steps: STEPS.slice(0, 1) }],
  ["21 steps", "steps", { steps: Array.from({ length: 21 }, () => STEPS[0]!) }],
  ["a step of no event", "steps[1].event", { steps: [STEPS[0]!, { title: "?" }] }],
  [
    "a last step that is optional",
    "steps[1].kind",
    { steps: [STEPS[0]!, { ...STEPS[1]!, kind: FunnelStep_Kind.OPTIONAL }] },
  ],
  ["too short a window", "window", { window: { seconds: 0n } }],
  ["too long a window", "window", { window: { seconds: 8_000_000n } }],
  ["an unknown breakdown", "breakdown", { breakdown: "contry" }],
  ["a breakdown of many values", "breakdown", { breakdown: "goal" }],
  ["time as breakdown", "breakdown", { breakdown: "time" }],
  ["values without a breakdown", "top_values", { topValues: 3 }],
  ["too many values", "top_values", { breakdown: "country", topValues: 101 }],
  ["too many rows", "granularity", { granularity: Granularity.MINUTE }],
  ["an unknown order", "order", { order: 9 as FunnelOrder }],
])("%s is refused, and the error names the field", async (_, field, wrong) => {
  const error = await ask({ period: PERIOD, steps: STEPS, ...wrong } as Request).catch((each: unknown) =>
    ConnectError.from(each),
  );
  expect(error).toMatchObject({ code: Code.InvalidArgument });
  const [details] = (error as ConnectError).findDetails(BadRequestSchema);
  expect(details!.fieldViolations[0]!.field).toBe(field);
});

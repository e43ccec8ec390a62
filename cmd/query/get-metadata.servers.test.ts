import { Code, ConnectError, createClient } from "@connectrpc/connect";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Field, FieldKind } from "../../internal/gen/footfall/query/v1/metadata_pb.js";
import { QueryService } from "../../internal/gen/footfall/query/v1/query_pb.js";
import { ErrorInfoSchema } from "../../internal/gen/google/rpc/error_details_pb.js";
import { MOST_PROPERTIES } from "../../internal/query/run/own-fields.ts";
import { DIMENSIONS } from "../../internal/query/schema/dimensions.ts";
import { METRICS } from "../../internal/query/schema/metrics.ts";
import { addGoal } from "../../internal/store/goals.ts";
import { type CreatedMerchant, createMerchant } from "../../internal/store/merchants.ts";
import { openTestDatabase, type TestDatabase } from "../../test/kit/database.ts";
import { bearer, transportsTo } from "../../test/kit/installation-clients.ts";
import { NEW_MERCHANT, startTestQuery, type TestQuery } from "./testing/query-service.ts";

const PERIOD = {
  span: { case: "dates", value: { startDate: "2025-03-03", endDate: "2025-03-16" } },
} as const;

let database: TestDatabase;
let service: TestQuery;
let baseUrl: string;
let own: CreatedMerchant;
let other: CreatedMerchant;
beforeAll(async () => {
  database = await openTestDatabase(4);
  own = await createMerchant(database.pool, NEW_MERCHANT);
  other = await createMerchant(database.pool, NEW_MERCHANT);
  const goal = { name: "Signed up", eventName: "sign_up", pagePattern: "/a/**", valueMicros: undefined };
  await addGoal(database.pool, own.merchantId, goal);
  await addGoal(database.pool, other.merchantId, { ...goal, name: "Theirs" });
  const many = Object.fromEntries(Array.from({ length: 150 }, (_, at) => [`many_${at}`, at]));
  await insert(own, [{ plan: "pro", weight: 1.5, "a:b": true }, { plan: "free", weight: "9" }, null]);
  await insert(other, [{ secret: "x" }, many]);
  service = await startTestQuery(database.url, { "requests-per-minute": "100000" });
  baseUrl = service.url;
});
afterAll(async () => {
  await service?.stop();
  await database?.close();
});

/** Stores events with these properties, newest first. */
async function insert({ merchantId }: CreatedMerchant, properties: readonly (object | null)[]) {
  await database.pool.query(
    `INSERT INTO events
       (merchant_id, ts, received_at, event_id, visitor_id, session_id, processor_version, name, properties)
     SELECT $1, now() - at * INTERVAL '1 minute', now(), gen_random_uuid(), 1, 1, 1, 'x', nullif(value, 'null')
     FROM jsonb_array_elements($2::jsonb) WITH ORDINALITY AS rows (value, at)`,
    [merchantId, JSON.stringify(properties)],
  );
}

const client = () => createClient(QueryService, transportsTo(baseUrl).gRPC!);
const ask = (metrics: string[] = [], dimensions: string[] = [], shop = own) =>
  client().getMetadata({ metrics, dimensions }, bearer(shop.readKey));
const names = (fields: readonly Field[]) => fields.map(({ name }) => name);

test("all metrics and dimensions are listed, the merchant's goals and properties among them", async () => {
  const { metrics, dimensions } = await ask();
  expect(names(metrics)).toEqual(expect.arrayContaining(METRICS.map(({ name }) => name)));
  expect(names(dimensions)).toEqual(expect.arrayContaining(DIMENSIONS.map(({ name }) => name)));
  const ofOwn = names([...metrics, ...dimensions]).filter((name) => /^(goal|property:)/.test(name));
  const numbers = ["sum", "average", "count", "min", "max", "p50", "p75", "p90", "p95", "p99"];
  expect(ofOwn.sort()).toEqual(
    [
      ...["goal", "goal:1:conversions", "goal:1:visitors", "goal:1:conversion_rate", "goal:1:value"],
      ...["property:plan", "property:weight", "property:a:b"],
      ...numbers.map((what) => `property:weight:${what}`),
    ].sort(),
  );
  expect([...metrics, ...dimensions].every(({ compatible }) => compatible)).toBe(true);
  expect(metrics.find(({ name }) => name === "goal:1:conversion_rate")).toMatchObject({
    title: "Signed up, conversion rate",
    kind: FieldKind.RATIO,
  });
});

test("another merchant's goals and properties are not told, and of very many properties some", async () => {
  const { metrics, dimensions } = await ask([], [], other);
  const ofOwn = names([...metrics, ...dimensions]);
  expect(ofOwn).toContain("property:many_100");
  expect(ofOwn).not.toContain("property:plan");
  expect(ofOwn.filter((name) => /^property:[^:]+$/.test(name))).toHaveLength(MOST_PROPERTIES);
  expect(metrics.filter(({ title }) => title.startsWith("Signed up"))).toEqual([]);
  const asked = client().getMetadata({ merchantId: other.merchantId }, bearer(own.readKey));
  await expect(asked).rejects.toMatchObject({ code: Code.PermissionDenied });
});

test("names that there are not are refused by their places", async () => {
  await expect(ask(["visitors", "visitor"])).rejects.toThrow(/metrics\[1\].*visitors/);
  await expect(ask([], ["contry"])).rejects.toThrow(/dimensions\[0\].*country/);
});

/** Why RunReport refuses a question; undefined: it answers. */
async function refusal(metrics: string[], dimensions: string[]): Promise<string | undefined> {
  try {
    await client().runReport({ period: PERIOD, metrics, dimensions }, bearer(own.readKey));
    return undefined;
  } catch (cause) {
    const error = ConnectError.from(cause);
    const [info] = error.findDetails(ErrorInfoSchema);
    expect([error.code, info?.reason], error.message).toEqual([Code.InvalidArgument, "NOT_COMPATIBLE"]);
    return error.rawMessage;
  }
}

/** What has no column yet. */
const ABSENT = /^(new_visitors|returning_visitors|visitor_type|referrer_host)$/;

test("what is called compatible is answered, and what is not is refused for the reason that is told", async () => {
  const listed = await ask();
  const of = (fields: readonly Field[]) =>
    fc.subarray(
      names(fields).filter((name) => !ABSENT.test(name)),
      { maxLength: 4 },
    );
  const items = fc.subarray(
    names(listed.metrics).filter((name) => name.startsWith("item")),
    { minLength: 1, maxLength: 3 },
  );
  const question = fc.record({
    // By chance alone items would seldom be among themselves.
    metrics: fc.oneof(of(listed.metrics), items),
    dimensions: fc.oneof(
      of(listed.dimensions),
      fc.constantFrom<string[]>(["item_id"], ["item_brand", "country"]),
    ),
    more: fc.constantFrom(
      ...[...listed.metrics, ...listed.dimensions].filter(({ name }) => !ABSENT.test(name)),
    ),
  });
  const seen = { answered: 0, refused: 0 };
  await fc.assert(
    fc.asyncProperty(question, async ({ metrics, dimensions, more }) => {
      const told = await ask(metrics, dimensions);
      const isMetric = more.kind !== FieldKind.DIMENSION;
      const field = (isMetric ? told.metrics : told.dimensions).find(({ name }) => name === more.name)!;
      const all = {
        metrics: [...new Set([...metrics, ...(isMetric ? [more.name] : [])])],
        dimensions: [...new Set([...dimensions, ...(isMetric ? [] : [more.name])])],
      };
      fc.pre(all.metrics.length > 0);
      const reason = await refusal(all.metrics, all.dimensions);
      expect([field.compatible, field.incompatibleReason]).toEqual([reason === undefined, reason ?? ""]);
      seen[reason === undefined ? "answered" : "refused"]++;
    }),
    { numRuns: 60, seed: 18 },
  );
  expect(seen.answered).toBeGreaterThan(10);
  expect(seen.refused).toBeGreaterThan(10);
}, 120_000);

test("as many as a question may have leave no place for one more", async () => {
  const twenty = METRICS.slice(0, 20).map(({ name }) => name);
  const { metrics } = await ask(twenty);
  const told = new Map(metrics.map((field) => [field.name, field]));
  expect(told.get(twenty[0]!)!.compatible).toBe(true);
  expect(told.get(METRICS[20]!.name)!.incompatibleReason).toBe("a question has at most 20 metrics");
});

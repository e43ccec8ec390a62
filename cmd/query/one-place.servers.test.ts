import type { MessageInitShape } from "@bufbuild/protobuf";
import { createClient } from "@connectrpc/connect";
import sql, { raw } from "sql-template-tag";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import type { FilterSchema } from "../../internal/gen/footfall/query/v1/filter_pb.js";
import { QueryService } from "../../internal/gen/footfall/query/v1/query_pb.js";
import { planQuestion } from "../../internal/query/plan/plan.ts";
import { nearestNames } from "../../internal/query/schema/nearest.ts";
import { schemaOf } from "../../internal/query/schema/schema.ts";
import { type CreatedMerchant, createMerchant } from "../../internal/store/merchants.ts";
import { metricsPage } from "../../scripts/metrics-page.ts";
import { openTestDatabase, type TestDatabase } from "../../test/kit/database.ts";
import { bearer, transportsTo } from "../../test/kit/installation-clients.ts";
import { NEW_MERCHANT, startTestQuery, type TestQuery } from "./testing/query-service.ts";

// The one place: a line more in each of the two lists.
vi.mock("../../internal/query/schema/metrics/traffic.ts", async (original) => {
  const traffic = await original<typeof import("../../internal/query/schema/metrics/traffic.ts")>();
  const { count } = await import("../../internal/query/schema/metrics/build.ts");
  const about = { title: "Clicks", description: "Events named click." };
  const clicks = count("clicks", sql`name = 'click'`, ["name"], about);
  return { ...traffic, TRAFFIC_METRICS: [...traffic.TRAFFIC_METRICS, clicks] };
});
vi.mock("../../internal/query/schema/dimensions.ts", async (original) => {
  const { DIMENSIONS, TIME } = await original<typeof import("../../internal/query/schema/dimensions.ts")>();
  const sdk = {
    ...{ kind: "dimension", name: "sdk", title: "SDK", description: "Program that sent the event." },
    ...{ scope: "event", type: "text", filterable: true, groupable: true, columns: ["sdk"], biColumn: "sdk" },
    sql: () => raw("sdk"),
  };
  return { DIMENSIONS: [...DIMENSIONS, sdk], TIME };
});

let database: TestDatabase;
let service: TestQuery;
let baseUrl: string;
let merchant: CreatedMerchant;
beforeAll(async () => {
  database = await openTestDatabase(4);
  merchant = await createMerchant(database.pool, NEW_MERCHANT);
  await database.pool.query(
    `INSERT INTO events (merchant_id, ts, received_at, event_id, visitor_id, session_id, processor_version, name, sdk)
     SELECT $1, '2025-03-03T10:00Z', now(), gen_random_uuid(), 1, 1, 1, name, sdk
     FROM (VALUES ('click', 'web'), ('click', 'web'), ('click', 'node'), ('view', 'web')) rows (name, sdk)`,
    [merchant.merchantId],
  );
  service = await startTestQuery(database.url);
  baseUrl = service.url;
});
afterAll(async () => {
  await service?.stop();
  await database?.close();
});

const client = () => createClient(QueryService, transportsTo(baseUrl)["Connect with JSON"]!);
const key = () => bearer(merchant.readKey);
const PERIOD = {
  span: { case: "dates", value: { startDate: "2025-03-03", endDate: "2025-03-03" } },
} as const;

test("a metric and a dimension that are declared once are answered, as rows, in filters and in totals", async () => {
  const ofNode: MessageInitShape<typeof FilterSchema> = {
    expression: {
      case: "condition",
      value: { field: "sdk", test: { case: "text", value: { value: "node" } } },
    },
  };
  const request = { period: PERIOD, metrics: ["clicks"], dimensions: ["sdk"] };
  const { table, totals } = await client().runReport(request, key());
  const [sdk, clicks] = table!.columns;
  expect(sdk!.values).toMatchObject({ value: { dictionary: ["web", "node"], entries: [1, 2] } });
  expect(clicks!.values).toMatchObject({ value: { values: [2n, 1n] } });
  expect(totals!.columns.at(-1)!.values).toMatchObject({ value: { values: [3n] } });
  const filtered = await client().runReport({ ...request, scope: { filter: ofNode } }, key());
  expect(filtered.totals!.columns.at(-1)!.values).toMatchObject({ value: { values: [1n] } });
});

test("they are validated: a mistyped name is told which it may have meant", async () => {
  const request = { period: PERIOD, metrics: ["clickz"], dimensions: [] };
  await expect(client().runReport(request, key())).rejects.toThrow(/metrics\[0\] "clickz" must be clicks/);
  const { dimensions } = schemaOf({ goals: [], properties: [] });
  expect(
    nearestNames(
      "sdks",
      dimensions.map(({ name }) => name),
    ),
  ).toContain("sdk");
});

test("they are planned: no aggregate has them, so that rows answer", () => {
  const schema = schemaOf({ goals: [], properties: [] });
  const span = { start: Date.UTC(2025, 2, 3), end: Date.UTC(2025, 2, 4) };
  const plan = planQuestion(
    {
      merchant: { merchantId: 1, partitionId: 0, timeZone: "UTC", currency: "EUR" },
      ...{ timeZone: "UTC", traffic: "people", accuracy: "exact", identity: "visitor", spans: [span] },
      ...{ metrics: [schema.metric("clicks")!], dimensions: [schema.dimension("sdk")!], orderBy: [] },
      ...{ includeEmpty: false, offset: 0, limit: 10 },
    },
    { rollupsFrom: span.start, stale: { quarter_hour: [], day: [], week: [], four_weeks: [] } },
  );
  expect(plan.groups.flatMap(({ parts }) => parts.flat().map(({ unit }) => unit))).toEqual(["rows"]);
});

test("GetMetadata lists them", async () => {
  const { metrics, dimensions } = await client().getMetadata({}, key());
  expect(metrics.find(({ name }) => name === "clicks")).toMatchObject({
    title: "Clicks",
    description: "Events named click.",
    biColumn: "clicks",
  });
  expect(dimensions.find(({ name }) => name === "sdk")).toMatchObject({ filterable: true, biColumn: "sdk" });
});

test("the page of metrics and dimensions tells them", () => {
  expect(metricsPage()).toMatch(
    /^\| `clicks` \| Clicks \| Events named click\. \| count \| event \| additive \|$/m,
  );
  expect(metricsPage()).toMatch(/^\| `sdk` \| SDK \| Program that sent the event\. \|/m);
});

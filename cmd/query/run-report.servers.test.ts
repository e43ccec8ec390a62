import type { MessageInitShape } from "@bufbuild/protobuf";
import { timestampMs } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { partitionOf } from "../../internal/event/partition.ts";
import { Reason } from "../../internal/gen/footfall/query/v1/error_pb.js";
import { TextTest_Match } from "../../internal/gen/footfall/query/v1/filter_pb.js";
import { Notice_Kind } from "../../internal/gen/footfall/query/v1/info_pb.js";
import { Comparison_Kind, Granularity } from "../../internal/gen/footfall/query/v1/period_pb.js";
import { QueryService } from "../../internal/gen/footfall/query/v1/query_pb.js";
import type {
  RunReportRequestSchema,
  RunReportResponse,
} from "../../internal/gen/footfall/query/v1/report_pb.js";
import { BadRequestSchema, ErrorInfoSchema } from "../../internal/gen/google/rpc/error_details_pb.js";
import { eventsWithin } from "../../internal/query/testing/generate/events.ts";
import type { StoredEvent } from "../../internal/query/testing/naive/event.ts";
import { storeEvents } from "../../internal/query/testing/store-events.ts";
import { type CreatedMerchant, createMerchant } from "../../internal/store/merchants.ts";
import { openTestDatabase, refreshAggregates, type TestDatabase } from "../../test/kit/database.ts";
import { bearer, postJson, transportsTo } from "../../test/kit/installation-clients.ts";
import { cellsOf, tableRows } from "../../test/kit/report-table.ts";
import { NEW_MERCHANT, startTestQuery, type TestQuery } from "./testing/query-service.ts";

type Request = MessageInitShape<typeof RunReportRequestSchema>;

const DAY_MS = 86_400_000;
const FROM = Date.UTC(2025, 2, 3);
const PARTITIONS = 4;
const PERIOD = {
  span: { case: "dates", value: { startDate: "2025-03-03", endDate: "2025-03-16" } },
} as const;

let database: TestDatabase;
let service: TestQuery;
let baseUrl: string;
let own: CreatedMerchant;
let other: CreatedMerchant;
/** The own merchant's events of people. */
let events: StoredEvent[];

beforeAll(async () => {
  database = await openTestDatabase(PARTITIONS);
  own = await createMerchant(database.pool, NEW_MERCHANT);
  other = await createMerchant(database.pool, NEW_MERCHANT);
  const merchants = [own.merchantId, other.merchantId];
  const where = { merchants, from: FROM, to: FROM + 14 * DAY_MS, sessions: 80 };
  const [all] = fc.sample(eventsWithin(where), { numRuns: 1, seed: 18 }) as [StoredEvent[]];
  await storeEvents(database.pool, all, new Map());
  await refreshAggregates(database.pool);
  await database.pool.query(
    "UPDATE partitions SET committed_through = '2025-03-16T12:00Z' WHERE partition_id = $1",
    [partitionOf(own.merchantId, PARTITIONS)],
  );
  events = all.filter(({ merchantId, isBot }) => merchantId === own.merchantId && !isBot);
  service = await startTestQuery(database.url);
  baseUrl = service.url;
});
afterAll(async () => {
  await service?.stop();
  await database?.close();
});

const clientOver = (name: string) => createClient(QueryService, transportsTo(baseUrl)[name]!);
const client = () => clientOver("gRPC");
const ask = (request: Request) => client().runReport(request, bearer(own.readKey));

/** events, visitors and revenue (micros) of some events, counted one by one. */
function count(some: readonly StoredEvent[]) {
  const micros = some.map(({ order }) => order?.revenueMicros ?? 0n);
  return [
    BigInt(some.length),
    BigInt(new Set(some.map(({ visitor }) => visitor)).size),
    micros.reduce((sum, each) => sum + each, 0n),
  ];
}

const METRICS = ["events", "visitors", "revenue"];

function expectByPage({ table, totals, totalSize }: RunReportResponse) {
  const groups = Map.groupBy(events, ({ texts }) => texts.page || null);
  const expected = [...groups].map(([page, some]) => [page, ...count(some)]);
  const rows = tableRows(table!);
  const byPage = (a: unknown[], b: unknown[]) => (String(a[0]) < String(b[0]) ? -1 : 1);
  expect([...rows].sort(byPage)).toEqual(expected.sort(byPage));
  expect(rows.at(-1)![0]).toBeNull();
  expect(tableRows(totals!)).toEqual([count(events)]);
  expect(totalSize).toBe(groups.size);
}

const BY_PAGE: Request = { period: PERIOD, metrics: METRICS, dimensions: ["page"] };

const PROTOCOLS = [
  "gRPC",
  "gRPC-Web",
  "Connect with JSON",
  "Connect, binary",
  "Connect with JSON by fetch, as a browser",
];

describe("by page", () => {
  test.each(PROTOCOLS)("%s", async (name) => {
    expectByPage(await clientOver(name).runReport(BY_PAGE, bearer(own.readKey)));
  });

  test("GET, as curl would", async () => {
    const message = {
      period: { dates: { startDate: "2025-03-03", endDate: "2025-03-16" } },
      metrics: ["events"],
    };
    const question = `?connect=v1&encoding=json&message=${encodeURIComponent(JSON.stringify(message))}`;
    const response = await fetch(`${baseUrl}/footfall.query.v1.QueryService/RunReport${question}`, {
      headers: { authorization: `Bearer ${own.readKey}` },
    });
    expect([response.status, await response.json()]).toMatchObject([
      200,
      { table: { columns: [{ name: "events", integers: { values: [String(events.length)] } }] } },
    ]);
  });
});

test("days, compared to the week before, with the day that is not over marked", async () => {
  const { table, totals, info } = await ask({
    period: { span: { case: "dates", value: { startDate: "2025-03-10", endDate: "2025-03-16" } } },
    comparison: { kind: Comparison_Kind.PREVIOUS_PERIOD },
    metrics: ["events"],
    dimensions: ["time"],
    granularity: Granularity.DAY,
  });
  const onDay = (day: number) =>
    BigInt(
      events.filter(({ time }) => time >= FROM + day * DAY_MS && time < FROM + (day + 1) * DAY_MS).length,
    );
  expect(table!.columns.map(({ name, periodIndex }) => [name, periodIndex])).toEqual([
    ["time", 0],
    ["events", 0],
    ["time", 1],
    ["events", 1],
  ]);
  const named = (name: string, period: number) =>
    cellsOf(table!.columns.find((each) => each.name === name && each.periodIndex === period)!);
  const days = [0, 1, 2, 3, 4, 5, 6];
  expect(named("time", 0)).toEqual(days.map((day) => FROM + (7 + day) * DAY_MS));
  expect(named("time", 1)).toEqual(days.map((day) => FROM + day * DAY_MS));
  expect(named("events", 0)).toEqual(days.map((day) => onDay(7 + day)));
  expect(named("events", 1)).toEqual(days.map(onDay));
  const [time] = table!.columns;
  expect(time!.values).toMatchObject({ case: "buckets", value: { partialRows: [6] } });
  const sum = (from: number) => days.reduce((total, day) => total + onDay(from + day), 0n);
  expect(tableRows(totals!)).toEqual([[sum(7), sum(0)]]);
  expect(info!.startTimes.map(timestampMs)).toEqual([FROM + 7 * DAY_MS, FROM]);
  expect(info!.endTimes.map(timestampMs)).toEqual([FROM + 14 * DAY_MS, FROM + 7 * DAY_MS]);
  expect(timestampMs(info!.dataThroughTime!)).toBe(Date.UTC(2025, 2, 16, 12));
  expect(info).toMatchObject({ timeZone: "UTC", currency: "EUR" });
});

test("a filter, and the first row of several", async () => {
  const { table, totalSize } = await ask({
    ...BY_PAGE,
    scope: {
      filter: {
        expression: {
          case: "condition",
          value: {
            field: "page",
            test: { case: "text", value: { match: TextTest_Match.PREFIX, value: "/a" } },
          },
        },
      },
    },
    pageSize: 1,
  });
  const passed = events.filter(({ texts }) => texts.page?.startsWith("/a"));
  const groups = Map.groupBy(passed, ({ texts }) => texts.page);
  const most = Math.max(...[...groups.values()].map((some) => some.length));
  expect(tableRows(table!)).toHaveLength(1);
  expect(tableRows(table!)[0]![1]).toBe(BigInt(most));
  expect(totalSize).toBe(groups.size);
});

test("orders that are in no sum are told of", async () => {
  const unconverted = events.filter(
    ({ order }) => (order?.kind === 1 || order?.kind === 3) && order.revenueMicros === null,
  );
  const { info } = await ask(BY_PAGE);
  expect(info!.notices.map(({ kind, count: orders }) => [kind, orders])).toEqual([
    [Notice_Kind.UNCONVERTED_ORDERS, BigInt(unconverted.length)],
  ]);
  expect(unconverted.length).toBeGreaterThan(0);
});

async function refusal(call: Promise<unknown>): Promise<ConnectError> {
  const error: unknown = await call.then(
    () => undefined,
    (cause: unknown) => cause,
  );
  expect(error).toBeInstanceOf(ConnectError);
  return error as ConnectError;
}

const fieldsAt = (error: ConnectError) =>
  error
    .findDetails(BadRequestSchema)
    .flatMap(({ fieldViolations }) => fieldViolations.map(({ field }) => field));
const reasonOf = (error: ConnectError) => error.findDetails(ErrorInfoSchema).map(({ reason }) => reason);

test("another merchant's id is refused, whatever else the request says", async () => {
  for (const merchantId of [other.merchantId, 4_294_967_295]) {
    for (const rest of [BY_PAGE, { metrics: ["nonsense"] }]) {
      const error = await refusal(ask({ ...rest, scope: { merchantId } }));
      expect([error.code, ...reasonOf(error)]).toEqual([Code.PermissionDenied, "PERMISSION_DENIED"]);
    }
  }
  const { totals } = await ask({ ...BY_PAGE, scope: { merchantId: own.merchantId } });
  expect(tableRows(totals!)).toEqual([count(events)]);
});

test("without an API key that is known there is no answer", async () => {
  const unknown = await refusal(
    client().runReport(BY_PAGE, bearer(`${own.readKey.slice(0, -1)}${own.readKey.endsWith("0") ? 1 : 0}`)),
  );
  const absent = await refusal(client().runReport(BY_PAGE));
  const ofWriting = await refusal(client().runReport(BY_PAGE, bearer(own.writeKey)));
  expect([unknown, absent, ofWriting].map(({ code }) => code)).toEqual(
    Array.from({ length: 3 }, () => Code.Unauthenticated),
  );
});

test.each<[Request, string, string]>([
  [{ metrics: ["events"] }, "period", "FIELD_MISSING"],
  [{ period: PERIOD }, "metrics", "FIELD_MISSING"],
  [{ ...BY_PAGE, metrics: ["events", "visitor"] }, "metrics[1]", "FIELD_UNKNOWN"],
  [{ ...BY_PAGE, dimensions: ["contry"] }, "dimensions[0]", "FIELD_UNKNOWN"],
  [{ ...BY_PAGE, scope: { timeZone: "Nowhere" } }, "scope.time_zone", "FIELD_INVALID"],
  [
    {
      ...BY_PAGE,
      period: { span: { case: "dates", value: { startDate: "2025-02-30", endDate: "2025-03-01" } } },
    },
    "period.dates.start_date",
    "FIELD_INVALID",
  ],
  [{ ...BY_PAGE, granularity: Granularity.DAY }, "granularity", "NOT_COMPATIBLE"],
  [{ ...BY_PAGE, pageSize: -1 }, "page_size", "FIELD_INVALID"],
  [{ ...BY_PAGE, orderBy: [{ field: "orders" }] }, "order_by[0].field", "FIELD_INVALID"],
  [
    {
      ...BY_PAGE,
      scope: {
        filter: {
          expression: {
            case: "not",
            value: {
              expression: {
                case: "condition",
                value: { field: "goal", test: { case: "number", value: { atLeast: 1 } } },
              },
            },
          },
        },
      },
    },
    "scope.filter.not.condition.number",
    "NOT_COMPATIBLE",
  ],
])("INVALID_ARGUMENT tells the field: %#", async (request, field, reason) => {
  const error = await refusal(ask(request));
  expect([error.code, fieldsAt(error), reasonOf(error)]).toEqual([Code.InvalidArgument, [field], [reason]]);
});

/** What is told of a metric that there is not. */
const WRONG_METRIC = {
  reason: Reason.FIELD_UNKNOWN,
  message: 'metrics[0] "visitor" must be visitors',
  field: "metrics[0]",
  value: "visitor",
  allowed: "visitors",
};

describe("a batch", () => {
  const batch = (requests: Request[]) => client().batchRunReports({ requests }, bearer(own.readKey));

  test("has an outcome for each: what is wrong leaves the others their answers", async () => {
    const { outcomes } = await batch([
      BY_PAGE,
      { ...BY_PAGE, metrics: ["visitor"] },
      { ...BY_PAGE, scope: { merchantId: other.merchantId } },
      { period: PERIOD, metrics: METRICS },
    ]);
    const [first, wrong, foreign, last] = outcomes.map(({ outcome }) => outcome);
    expectByPage(first!.value as RunReportResponse);
    expect(tableRows((last!.value as RunReportResponse).table!)).toEqual([count(events)]);
    expect(foreign).toMatchObject({
      case: "error",
      value: { code: Code.PermissionDenied, reason: Reason.PERMISSION_DENIED, field: "scope.merchant_id" },
    });
    expect(wrong).toMatchObject({ case: "error", value: { code: Code.InvalidArgument, ...WRONG_METRIC } });
  });

  test.each(PROTOCOLS)("%s: a client reads why a report has none, and has the others", async (name) => {
    const { outcomes } = await clientOver(name).batchRunReports(
      { requests: [{ ...BY_PAGE, metrics: ["visitor"] }, BY_PAGE] },
      bearer(own.readKey),
    );
    expect(outcomes.map(({ outcome }) => outcome)).toMatchObject([
      { case: "error", value: WRONG_METRIC },
      { case: "report" },
    ]);
  });

  test("tells in JSON too why a report has no answer", async () => {
    const requests = [{ metrics: ["visitor"], period: { dates: PERIOD.span.value } }];
    const { status, body } = await postJson(
      baseUrl,
      "footfall.query.v1.QueryService/BatchRunReports",
      own.readKey,
      { requests },
    );
    const error = { code: 3, ...WRONG_METRIC, reason: "REASON_FIELD_UNKNOWN" };
    expect([status, body.outcomes[0].error]).toMatchObject([200, error]);
  });

  test("of one snapshot: what is stored meanwhile is in all or none", async () => {
    const request = { ...BY_PAGE, scope: { merchantId: other.merchantId } };
    const asking = client().batchRunReports(
      { requests: Array.from({ length: 10 }, () => request) },
      bearer(other.readKey),
    );
    const [more] = fc.sample(
      eventsWithin({ merchants: [other.merchantId], from: FROM, to: FROM + 2 * DAY_MS, sessions: 5 }),
      { numRuns: 1, seed: 7 },
    ) as [StoredEvent[]];
    await storeEvents(database.pool, more, new Map());
    const totals = (await asking).outcomes.map(({ outcome }) =>
      JSON.stringify(tableRows((outcome.value as RunReportResponse).totals!), (_, value) => String(value)),
    );
    expect(new Set(totals).size).toBe(1);
  });

  test("holds 1 to 10", async () => {
    for (const number of [0, 11]) {
      const error = await refusal(batch(Array.from({ length: number }, () => BY_PAGE)));
      expect([error.code, fieldsAt(error)]).toEqual([Code.InvalidArgument, ["requests"]]);
    }
  });
});

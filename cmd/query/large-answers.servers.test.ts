import { fromBinary, fromJson, type JsonValue, toBinary, toJson } from "@bufbuild/protobuf";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { partitionOf } from "../../internal/event/partition.ts";
import {
  type BatchRunReportsRequest,
  BatchRunReportsRequestSchema,
  BatchRunReportsResponseSchema,
  type RunReportResponse,
} from "../../internal/gen/footfall/query/v1/report_pb.js";
import { createMerchant } from "../../internal/store/merchants.ts";
import { eventRow } from "../../test/kit/columns.ts";
import { batchOf, commitNext } from "../../test/kit/commits.ts";
import { openTestDatabase, type TestDatabase } from "../../test/kit/database.ts";
import { LoopWatch } from "./testing/loop-watch.ts";
import { NEW_MERCHANT, startTestQuery, type TestQuery } from "./testing/query-service.ts";

// The largest answers: all of them come, page by page, and none holds up what others ask.

/** Longest that an answer may hold the event loop, ms. What a compiler does at first, or the garbage collector, it does not do each time. */
const MOST_HELD_MS = 20;
const TRIES = 5;
/** Most values of a message, as documented. */
const MOST_VALUES = 20_000;

const MINUTE_MS = 60_000;
const MINUTES = 9_990;
const FIRST = Date.UTC(2026, 2, 1);
const METRICS = ["events", "page_views", "visitors", "sessions", "orders", "revenue", "tax", "shipping"];

let database: TestDatabase;
let service: TestQuery;
let readKey: string;

beforeAll(async () => {
  database = await openTestDatabase(1);
  const { merchantId, readKey: key } = await createMerchant(database.pool, NEW_MERCHANT);
  readKey = key;
  const rows = Array.from({ length: MINUTES }, (_, at) =>
    eventRow({
      merchant_id: merchantId,
      ts: FIRST + at * MINUTE_MS,
      page: pageOf(at),
      visitor_id: BigInt(at),
    }),
  );
  await commitNext(database.pool, [batchOf(rows)], { partition: partitionOf(merchantId, 1) });
  service = await startTestQuery(database.url, { "cost-units-per-hour": "1000000000" });
}, 120_000);
afterAll(async () => {
  await service?.stop();
  await database?.close();
});

/** Every 20th is a long one. */
const pageOf = (at: number) => `/${at}/${at % 20 === 0 ? "漢".repeat(900) : ""}`;

/** The minutes of the events, or as many so long before. */
const shiftedBy = (ms: number) => ({
  startTime: new Date(FIRST - ms).toISOString(),
  endTime: new Date(FIRST + MINUTES * MINUTE_MS - ms).toISOString(),
});
const times = shiftedBy(0);
const BY_MINUTE = {
  period: { times },
  metrics: METRICS,
  dimensions: ["time"],
  granularity: "GRANULARITY_MINUTE",
};
const BY_PAGE = { period: { times }, metrics: ["events"], dimensions: ["page"], pageSize: 10_000 };

/** Each answers a batch of messages as JSON, whatever form they travel in. */
const FORMS = {
  JSON: "application/json",
  binary: "application/proto",
  "gRPC-Web": "application/grpc-web+proto",
};
type Form = keyof typeof FORMS;

function bodyOf(form: Form, requests: readonly object[]): Uint8Array<ArrayBuffer> {
  const json = { requests } as unknown as JsonValue;
  const message: BatchRunReportsRequest = fromJson(BatchRunReportsRequestSchema, json);
  const bytes =
    form === "JSON"
      ? Buffer.from(JSON.stringify(toJson(BatchRunReportsRequestSchema, message)))
      : toBinary(BatchRunReportsRequestSchema, message);
  if (form !== "gRPC-Web") return new Uint8Array(bytes);
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(bytes.length, 1);
  return new Uint8Array(Buffer.concat([prefix, bytes]));
}

function readOf(form: Form, bytes: Buffer): RunReportResponse[] {
  const message = form === "gRPC-Web" ? bytes.subarray(5, 5 + bytes.readUInt32BE(1)) : bytes;
  const { outcomes } =
    form === "JSON"
      ? fromJson(BatchRunReportsResponseSchema, JSON.parse(message.toString()))
      : fromBinary(BatchRunReportsResponseSchema, message);
  return outcomes.map(({ outcome }) => {
    if (outcome.case !== "report") throw new Error(JSON.stringify(outcome.value));
    return outcome.value;
  });
}

/** Asks, and tells for how long that held the event loop: reading the answer is not among it. */
async function ask(form: Form, requests: readonly object[]) {
  const headers = { "content-type": FORMS[form], authorization: `Bearer ${readKey}` };
  const init = { method: "POST", headers, body: bodyOf(form, requests) };
  const watch = new LoopWatch();
  watch.begin();
  const response = await fetch(`${service.url}/footfall.query.v1.QueryService/BatchRunReports`, init);
  const bytes = Buffer.from(await response.arrayBuffer());
  const heldMs = watch.end();
  expect(response.status).toBe(200);
  return { heldMs, reports: readOf(form, bytes) };
}

/** All pages of some questions. */
async function askAll(form: Form, requests: readonly object[]) {
  const pages: RunReportResponse[][] = requests.map(() => []);
  const tokens = requests.map((): string => "");
  let held = 0;
  for (
    let open = requests.map((_, at) => at);
    open.length > 0;
    open = open.filter((at) => tokens[at] !== "")
  ) {
    const asked = open.map((at) => ({ ...requests[at]!, pageToken: tokens[at] }));
    let best = Number.POSITIVE_INFINITY;
    let reports: RunReportResponse[] = [];
    for (let tries = 0; tries < TRIES && best > MOST_HELD_MS; tries++) {
      const answer = await ask(form, asked);
      reports = answer.reports;
      best = Math.min(best, answer.heldMs);
    }
    held = Math.max(held, best);
    expect(valuesOf(reports)).toBeLessThanOrEqual(MOST_VALUES);
    for (const [at, report] of reports.entries()) {
      pages[open[at]!]!.push(report);
      tokens[open[at]!] = report.nextPageToken;
    }
  }
  return { pages, held };
}

/** Values of tables; an amount and a bucket are two. */
function valuesOf(reports: readonly RunReportResponse[]): number {
  const columns = reports.flatMap(({ table }) => table!.columns);
  return columns.reduce((sum, { values }) => {
    if (values.case === "amounts") return sum + 2 * values.value.units.length;
    if (values.case === "buckets") return sum + 2 * values.value.startSeconds.length;
    if (values.case === "texts") return sum + values.value.entries.length;
    return sum + values.value!.values.length;
  }, 0);
}

const numbersOf = (name: string, pages: readonly RunReportResponse[]) =>
  pages.flatMap(({ table }) => {
    const { values } = table!.columns.find((column) => column.name === name)!;
    return values.case === "buckets"
      ? values.value.startSeconds
      : (values.value as { values: bigint[] }).values;
  });

test("minutes compared to others are those of both periods", async () => {
  const comparison = { kind: "KIND_CUSTOM", period: { times: shiftedBy(60 * MINUTE_MS) } };
  const { pages } = await askAll("binary", [{ ...BY_MINUTE, metrics: ["events"], comparison }]);
  const events = pages[0]!.map(({ table }) => table!.columns.filter(({ name }) => name === "events"));
  const [now, before] = [0, 1].map((period) =>
    events.flatMap((columns) => (columns[period]!.values.value as { values: bigint[] }).values),
  );
  expect(now).toEqual(Array<bigint>(MINUTES).fill(1n));
  // The other period begins an hour before there are events.
  expect(before).toEqual([...Array<bigint>(60).fill(0n), ...Array<bigint>(MINUTES - 60).fill(1n)]);
}, 120_000);

describe.each(Object.keys(FORMS) as Form[])("%s", (form) => {
  test("all minutes of a week, one after the other", async () => {
    const { pages, held } = await askAll(form, [BY_MINUTE]);
    expect(numbersOf("time", pages[0]!)).toEqual(
      Array.from({ length: MINUTES }, (_, at) => BigInt(FIRST / 1_000 + at * 60)),
    );
    expect(numbersOf("events", pages[0]!)).toEqual(Array<bigint>(MINUTES).fill(1n));
    expect(held).toBeLessThanOrEqual(MOST_HELD_MS);
  }, 120_000);

  test("long texts, each once", async () => {
    const { pages, held } = await askAll(form, [BY_PAGE]);
    const texts = pages[0]!.flatMap(({ table }) => {
      const { values } = table!.columns[0]!;
      return values.case === "texts" ? values.value.dictionary : [];
    });
    expect(texts.sort()).toEqual(Array.from({ length: MINUTES }, (_, at) => pageOf(at)).sort());
    expect(held).toBeLessThanOrEqual(MOST_HELD_MS);
  }, 120_000);

  test("ten at a time, of which small ones are whole", async () => {
    const small = { ...BY_PAGE, pageSize: 10 };
    const { pages, held } = await askAll(form, [...Array(7).fill(BY_MINUTE), BY_PAGE, BY_PAGE]);
    for (const each of pages.slice(0, 7)) expect(numbersOf("events", each)).toHaveLength(MINUTES);
    for (const each of pages.slice(7)) expect(numbersOf("events", each)).toHaveLength(MINUTES);
    const [first] = (await ask(form, [small, ...Array(9).fill(BY_MINUTE)])).reports;
    expect(first!.table!.rowCount).toBe(10);
    expect(held).toBeLessThanOrEqual(MOST_HELD_MS);
  }, 120_000);
});

import type { MessageInitShape } from "@bufbuild/protobuf";
import { createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { afterAll, beforeAll, expect, test } from "vitest";
import { partitionOf } from "../../internal/event/partition.ts";
import { QueryService } from "../../internal/gen/footfall/query/v1/query_pb.js";
import type { RunReportRequestSchema } from "../../internal/gen/footfall/query/v1/report_pb.js";
import { addGoal } from "../../internal/store/goals.ts";
import { type CreatedMerchant, createMerchant } from "../../internal/store/merchants.ts";
import { eventRow } from "../../test/kit/columns.ts";
import { batchOf, commitNext } from "../../test/kit/commits.ts";
import { openTestDatabase, type TestDatabase } from "../../test/kit/database.ts";
import { bearer } from "../../test/kit/installation-clients.ts";
import { NEW_MERCHANT, startTestQuery, type TestQuery } from "./testing/query-service.ts";

const DAY = Date.UTC(2026, 2, 1);
const MESSAGE = {
  period: { dates: { startDate: "2026-03-01", endDate: "2026-03-01" } },
  metrics: ["events"],
  dimensions: ["page"],
  pageSize: 2,
};

let database: TestDatabase;
let service: TestQuery;
let baseUrl: string;
let own: CreatedMerchant;
let other: CreatedMerchant;

beforeAll(async () => {
  database = await openTestDatabase(1);
  own = await createMerchant(database.pool, NEW_MERCHANT);
  other = await createMerchant(database.pool, NEW_MERCHANT);
  await write("/a", "/a", "/a", "/b", "/b", "/c");
  service = await startTestQuery(database.url);
  baseUrl = service.url;
});
afterAll(async () => {
  await service?.stop();
  await database?.close();
});

function write(...pages: string[]) {
  const rows = pages.map((page, at) => eventRow({ merchant_id: own.merchantId, ts: DAY + at, page }));
  return commitNext(database.pool, [batchOf(rows)], { partition: partitionOf(own.merchantId, 1) });
}

function get(message: object = MESSAGE, headers: Record<string, string> = {}, key = own.readKey) {
  const question = `?connect=v1&encoding=json&message=${encodeURIComponent(JSON.stringify(message))}`;
  return fetch(`${baseUrl}/footfall.query.v1.QueryService/RunReport${question}`, {
    headers: { authorization: `Bearer ${key}`, ...headers },
  });
}

async function answers(from: "kept" | "database"): Promise<number> {
  const lines = (await service.registry.metrics()).split("\n");
  return Number(
    lines
      .find((line) => line.includes(`answers_total{from="${from}"}`))
      ?.split(" ")
      .at(-1),
  );
}

test("a GET has a weak ETag; with it the same answer is a 304, for which nothing is answered, until data come", async () => {
  const first = await get();
  const etag = first.headers.get("etag")!;
  expect(etag).toMatch(/^W\/"[\w-]+"$/);
  expect(first.headers.get("cache-control")).toBe("private, no-cache");
  expect(await first.json()).toMatchObject({
    totalSize: 3,
    info: { quota: { spent: expect.any(Number) } },
  });
  const before = [await answers("kept"), await answers("database")];
  for (const names of [etag, `"other", ${etag}`, etag.slice(2), "*"]) {
    const known = await get(MESSAGE, { "if-none-match": names });
    expect([known.status, await known.text(), known.headers.get("etag")]).toEqual([304, "", etag]);
  }
  expect([await answers("kept"), await answers("database")]).toEqual(before);
  // Another question, and the same one by another merchant, have other ETags.
  for (const each of [
    await get({ ...MESSAGE, pageSize: 3 }, { "if-none-match": etag }),
    await get(MESSAGE, { "if-none-match": etag }, other.readKey),
  ]) {
    expect([each.status, each.headers.get("etag") === etag]).toEqual([200, false]);
  }
  await write("/c");
  const changed = await get(MESSAGE, { "if-none-match": etag });
  expect([changed.status, changed.headers.get("etag") === etag]).toEqual([200, false]);
  expect(await changed.json()).toMatchObject({ totals: { columns: [{ integers: { values: ["7"] } }] } });
});

test.each(["QueryService/GetMetadata", "GoalService/ListGoals"])(
  "%s by GET is a 304 for whom has it, until it says something else",
  async (rpc) => {
    const ask = (ifNoneMatch: Record<string, string> = {}) =>
      fetch(`${baseUrl}/footfall.query.v1.${rpc}?connect=v1&encoding=json&message=%7B%7D`, {
        headers: { authorization: `Bearer ${own.readKey}`, ...ifNoneMatch },
      });
    const first = await ask();
    const etag = first.headers.get("etag")!;
    expect(etag).toMatch(/^W\/"[\w-]+"$/);
    const known = await ask({ "if-none-match": etag });
    expect([known.status, await known.text(), known.headers.get("etag")]).toEqual([304, "", etag]);
    expect((await ask({ "if-none-match": 'W/"other"' })).status).toBe(200);
    const goal = { name: rpc, eventName: undefined, pagePattern: "/cart", valueMicros: undefined };
    await addGoal(database.pool, own.merchantId, goal);
    const changed = await ask({ "if-none-match": etag });
    expect([changed.status, changed.headers.get("etag") === etag]).toEqual([200, false]);
    expect(await changed.text()).toContain(rpc);
  },
);

test("errors of a GET are kept by nobody", async () => {
  const wrong = await get({ ...MESSAGE, metrics: ["nothing"] });
  expect([wrong.status, wrong.headers.get("etag"), wrong.headers.get("cache-control")]).toEqual([
    400,
    null,
    "no-store",
  ]);
});

test("pages over RPC: of one snapshot, kept, and by their own question's token alone", async () => {
  const client = createClient(QueryService, createGrpcTransport({ baseUrl }));
  const request: MessageInitShape<typeof RunReportRequestSchema> = {
    period: { span: { case: "dates", value: { startDate: "2026-03-01", endDate: "2026-03-01" } } },
    metrics: ["events"],
    dimensions: ["page"],
    pageSize: 2,
  };
  const first = await client.runReport(request, bearer(own.readKey));
  await write("/d", "/d", "/d", "/d", "/d", "/d");
  const pageToken = first.nextPageToken;
  const second = await client.runReport({ ...request, pageToken }, bearer(own.readKey));
  expect([second.table!.rowCount, second.nextPageToken, second.info!.cached]).toEqual([1, "", true]);
  expect(second.totals).toEqual(first.totals);
  expect(second.info!.quota).toMatchObject({ spent: 0 });
  const refused = { message: expect.stringContaining("page_token") };
  for (const wrong of [
    client.runReport({ ...request, pageToken, metrics: ["visitors"] }, bearer(own.readKey)),
    client.runReport({ ...request, pageToken }, bearer(other.readKey)),
    client.runReport({ ...request, pageToken: pageToken.slice(0, -1) }, bearer(own.readKey)),
  ]) {
    await expect(wrong).rejects.toMatchObject(refused);
  }
});

import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { afterAll, beforeAll, expect, test } from "vitest";
import { partitionOf } from "../../internal/event/partition.ts";
import { QueryService } from "../../internal/gen/footfall/query/v1/query_pb.js";
import { ErrorInfoSchema, RetryInfoSchema } from "../../internal/gen/google/rpc/error_details_pb.js";
import { type CreatedMerchant, createMerchant } from "../../internal/store/merchants.ts";
import { eventRow } from "../../test/kit/columns.ts";
import { batchOf, commitNext } from "../../test/kit/commits.ts";
import { type MortalDatabase, openMortalDatabase } from "../../test/kit/database.ts";
import { bearer, transportsTo } from "../../test/kit/installation-clients.ts";
import { tableRows } from "../../test/kit/report-table.ts";
import { NEW_MERCHANT, startTestQuery, type TestQuery } from "./testing/query-service.ts";

const PARTITIONS = 4;
/** Longer than a database takes to start on a busy machine. */
const WAIT_MS = 90_000;

let database: MortalDatabase;
let patient: TestQuery;
let hasty: TestQuery;
let shop: CreatedMerchant;
beforeAll(async () => {
  database = await openMortalDatabase(PARTITIONS);
  shop = await createMerchant(database.pool, NEW_MERCHANT);
  const { merchantId } = shop;
  const rows = ["a", "b", "b"].map((page) => eventRow({ merchant_id: merchantId, page: `/${page}` }));
  await commitNext(database.pool, [batchOf(rows)], { partition: partitionOf(merchantId, PARTITIONS) });
  patient = await startTestQuery(database.url, {
    "database-wait-ms": String(WAIT_MS),
    "max-timeout-ms": "120000",
  });
  hasty = await startTestQuery(database.url, { "database-wait-ms": "0", "max-timeout-ms": "120000" });
}, 120_000);
afterAll(async () => {
  await Promise.all([patient?.stop(), hasty?.stop()]);
  await database?.close();
});

/** Questions of different metrics are different questions: none is answered from what is kept. */
async function ask({ url }: TestQuery, metric: string) {
  const client = createClient(QueryService, transportsTo(url).gRPC!);
  const period = {
    span: { case: "dates", value: { startDate: "2026-03-01", endDate: "2026-03-01" } },
  } as const;
  const request = { period, metrics: [metric], dimensions: ["page"] };
  const { table } = await client.runReport(request, { ...bearer(shop.readKey), timeoutMs: WAIT_MS });
  return tableRows(table!);
}

test("a database that comes back within the wait: the request is answered; without a wait it is refused", async () => {
  const pages = [
    ["/b", 2n],
    ["/a", 1n],
  ];
  for (const service of [patient, hasty]) expect(await ask(service, "events")).toEqual(pages);
  await database.kill();
  const refusal = ConnectError.from(await ask(hasty, "page_views").catch((error: unknown) => error));
  expect(refusal.code).toBe(Code.Unavailable);
  expect(refusal.findDetails(ErrorInfoSchema)).toMatchObject([{ reason: "UNAVAILABLE" }]);
  expect(refusal.findDetails(RetryInfoSchema)).toMatchObject([{ retryDelay: { seconds: 1n } }]);
  // The database is dead as it is asked.
  const asking = ask(patient, "page_views");
  await database.start();
  expect(await asking).toEqual(pages);
  expect(await ask(hasty, "page_views")).toEqual(pages);
}, 240_000);

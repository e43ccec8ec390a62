import { randomUUID } from "node:crypto";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { afterAll, beforeAll, expect, test } from "vitest";
import { EventStatus } from "../../internal/gen/footfall/collect/v1/collect_pb.js";
import type { EventSchema } from "../../internal/gen/footfall/event/v1/event_pb.js";
import { uuidV7 } from "../../internal/simulate/ids.ts";
import { Random } from "../../internal/simulate/random.ts";
import type { CreatedMerchant } from "../../internal/store/merchants.ts";
import { createTestMerchant, startTestInstallation, type TestInstallation } from "../kit/installation.ts";
import { bearer, type CollectClient, collectClient, grpcQueryClient } from "../kit/installation-clients.ts";
import { type SecondProcess, signal, startSecond } from "../kit/installation-programs.ts";
import { ledgerTotals, storedRows } from "../kit/installation-recount.ts";
import { allDays, reportNumbers, waitUntilReported } from "../kit/installation-reports.ts";
import { waitFor } from "../kit/installation-wait.ts";

type Event = MessageInitShape<typeof EventSchema>;

const HOUR_MS = 3_600_000;
const now = Date.now();
const random = new Random(1);

/** Ids of every kind that event.proto names, each kind with and without a time of the client's. */
const EVENTS: Event[] = Array.from({ length: 300 }, (_, index) => ({
  eventId: [uuidV7(now - index * HOUR_MS, random), `order-page/${index}`, randomUUID()][index % 3]!,
  name: "page_view",
  visitorId: `visitor ${index % 40}`,
  ...(index % 2 === 0 && { clientTime: timestampFromMs(now - index * HOUR_MS) }),
}));

let footfall: TestInstallation;
let merchant: CreatedMerchant;
let second: SecondProcess;
let firstReport: Awaited<ReturnType<typeof report>>;
beforeAll(async () => {
  footfall = await startTestInstallation();
  merchant = await createTestMerchant(footfall.pool);
  expect(await send(EVENTS)).toEqual({ accepted: 300, duplicates: 0, rejected: 0 });
  firstReport = await report();
  expect(firstReport.total).toMatchObject({ events: 300n, visitors: 40n });
});
afterAll(async () => {
  await second?.stop();
  await footfall?.close();
});

async function send(events: Event[], client: CollectClient = collectClient(footfall.collectorUrl)) {
  const { accepted, duplicates, rejected } = await client.send({ events }, bearer(merchant.writeKey));
  return { accepted, duplicates, rejected };
}

/** The report by day, as soon as it holds all that was acked before now. */
async function report() {
  const client = grpcQueryClient(footfall.queryUrl);
  await waitUntilReported(client, merchant, Date.now());
  return reportNumbers(await client.runReport(allDays(), bearer(merchant.readKey)));
}

test("the same Send again is answered DUPLICATE, and changes nothing", async () => {
  expect(await send(EVENTS)).toEqual({ accepted: 0, duplicates: 300, rejected: 0 });
  expect(await report()).toEqual(firstReport);
  expect(await ledgerTotals(footfall.pool)).toEqual({ rows: 300, stored: 300, duplicates: 0 });
});

test("a collector that lost its memory accepts them again: the ledger counts them, no report does", async () => {
  const killed = signal(footfall, "collector", "SIGKILL");
  await waitFor("a new collector", () => (footfall.pid("collector") ?? killed) !== killed);
  expect(await send(EVENTS)).toEqual({ accepted: 300, duplicates: 0, rejected: 0 });
  expect(await report()).toEqual(firstReport);
  expect(await ledgerTotals(footfall.pool)).toEqual({ rows: 600, stored: 300, duplicates: 300 });
});

test("another collector accepts them too, with as little effect", async () => {
  second = await startSecond(footfall, "collector", { FOOTFALL_COLLECTOR_ID: "second" });
  expect(await send(EVENTS, collectClient(second.url))).toMatchObject({ accepted: 300, rejected: 0 });
  expect(await report()).toEqual(firstReport);
  expect(await ledgerTotals(footfall.pool)).toEqual({ rows: 900, stored: 300, duplicates: 600 });
  const { rows } = await footfall.pool.query(
    "SELECT sum(duplicates)::integer AS duplicates FROM batch_ledger WHERE collector_id = 'second'",
  );
  expect(rows).toEqual([{ duplicates: 300 }]);
});

test("a copy with another time, which the collectors have forgotten, counts once", async () => {
  await second.stop();
  second = await startSecond(footfall, "collector");
  const later = EVENTS.map((event) => ({ ...event, clientTime: timestampFromMs(now - 20 * 24 * HOUR_MS) }));
  expect(await send(later, collectClient(second.url))).toMatchObject({ accepted: 300 });
  expect(await report()).toEqual(firstReport);
});

test("copies within a request, and copies through two collectors at the same time, count once", async () => {
  const fresh = EVENTS.map((event, index) => ({ ...event, eventId: `fresh ${index}` }));
  const client = collectClient(footfall.collectorUrl);
  const twice = await client.send({ events: [...fresh, ...fresh] }, bearer(merchant.writeKey));
  expect(twice.statuses).toEqual([
    ...fresh.map(() => EventStatus.ACCEPTED),
    ...fresh.map(() => EventStatus.DUPLICATE),
  ]);
  const newest = EVENTS.map((event, index) => ({ ...event, eventId: `newest ${index}` }));
  const requests = Array.from({ length: 10 }, (_, index) => newest.slice(index * 30, index * 30 + 30));
  const clients = [client, collectClient(second.url)];
  await Promise.all(requests.flatMap((events) => clients.map((one) => send(events, one))));
  expect((await report()).total).toMatchObject({ events: 900n, visitors: 40n });
  expect(await storedRows(footfall.pool, merchant.merchantId)).toEqual({ rows: 900, distinct: 900 });
});

test("the same id of another merchant is another event", async () => {
  const other = await createTestMerchant(footfall.pool);
  const client = collectClient(footfall.collectorUrl);
  const answer = await client.send({ events: EVENTS }, bearer(other.writeKey));
  expect(answer.accepted).toBe(300);
  await waitUntilReported(grpcQueryClient(footfall.queryUrl), other, Date.now());
  expect(await storedRows(footfall.pool, other.merchantId)).toEqual({ rows: 300, distinct: 300 });
});

import type { MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { EventSchema } from "../../internal/gen/footfall/event/v1/event_pb.js";
import type { Receipt } from "../../internal/store/erasure/receipt.ts";
import type { CreatedMerchant } from "../../internal/store/merchants.ts";
import { createNeighbours, startTestInstallation, type TestInstallation } from "../kit/installation.ts";
import { bearer, collectClient, grpcQueryClient } from "../kit/installation-clients.ts";
import { allDays, reportTotals, waitUntilReported } from "../kit/installation-reports.ts";
import { launch } from "../kit/launch.ts";
import { tableRows } from "../kit/report-table.ts";

type Event = MessageInitShape<typeof EventSchema>;

const HOUR_MS = 3_600_000;
const NOW = Date.now();
const AGENT =
  "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36";

let footfall: TestInstallation;
let shop: CreatedMerchant;
let neighbour: CreatedMerchant;
beforeAll(async () => {
  footfall = await startTestInstallation();
  [shop, neighbour] = await createNeighbours(footfall.pool);
});
afterAll(() => footfall?.close());

/** Events of five visitors over three days, with an order each on the last. */
const EVENTS: Event[] = Array.from({ length: 60 }, (_, at) => ({
  name: at < 55 ? "page_view" : "purchase",
  visitorId: `visitor ${at % 5}`,
  sessionId: `session ${at % 10}`,
  url: `https://shop.example/page/${at % 4}`,
  userAgent: AGENT,
  clientTime: timestampFromMs(NOW - (60 - at) * HOUR_MS),
  ...(at >= 55 && { order: { id: `order ${at}`, revenueMicros: BigInt(at) * 1_000_000n, currency: "EUR" } }),
}));

async function send(to: CreatedMerchant, events: readonly Event[]): Promise<void> {
  const { accepted } = await collectClient(footfall.collectorUrl).send(
    { events: [...events] },
    bearer(to.writeKey),
  );
  expect(accepted).toBe(events.length);
}

/** What a merchant sees of some events, counted here. */
function countOf(events: readonly Event[]) {
  const distinct = (read: (event: Event) => unknown) => BigInt(new Set(events.map(read)).size);
  const orders = events.flatMap(({ order }) => order ?? []);
  return {
    events: BigInt(events.length),
    page_views: BigInt(events.filter(({ name }) => name === "page_view").length),
    visitors: distinct(({ visitorId }) => visitorId),
    sessions: distinct(({ sessionId }) => sessionId),
    orders: BigInt(orders.length),
    revenue: orders.reduce((sum, { revenueMicros }) => sum + BigInt(revenueMicros ?? 0), 0n),
  };
}

/** Page views by page, as a report breaks them down, and as counted here. */
async function pagesOf({ readKey }: CreatedMerchant): Promise<Record<string, bigint>> {
  const { period, scope } = allDays();
  const { table } = await grpcQueryClient(footfall.queryUrl).runReport(
    { period, scope, metrics: ["page_views"], dimensions: ["page"] },
    bearer(readKey),
  );
  return Object.fromEntries(tableRows(table!));
}

function countPages(events: readonly Event[]): Record<string, bigint> {
  const pages: Record<string, bigint> = {};
  for (const { name, url } of events) {
    const page = new URL(url!).pathname;
    if (name === "page_view") pages[page] = (pages[page] ?? 0n) + 1n;
  }
  return pages;
}

async function admin<T>(...args: string[]): Promise<T> {
  const env = { DATABASE_URL: footfall.databaseUrl };
  const { code, stdout, stderr } = await launch("admin", { args: [...args, "--json"], env }).finished;
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  return JSON.parse(stdout) as T;
}

async function expectReported(merchant: CreatedMerchant, events: readonly Event[]): Promise<void> {
  const client = grpcQueryClient(footfall.queryUrl);
  await waitUntilReported(client, merchant, Date.now());
  expect(await reportTotals(client, merchant)).toEqual(countOf(events));
  expect(await pagesOf(merchant)).toEqual(countPages(events));
}

// It starts programs and waits for reports over and over: about 50 s on two cores.
test("reports are those of the events without the erased visitor's, who stays away until a new visit", async () => {
  for (const merchant of [shop, neighbour]) {
    await send(merchant, EVENTS);
    await expectReported(merchant, EVENTS);
  }
  const args = ["erasures", "run", "--merchant", String(shop.merchantId), "--visitor", "visitor 3"];
  expect(await admin(...args, "--dry-run")).toMatchObject({ rows: { events: 12, order_keys: 1 } });
  await expectReported(shop, EVENTS);
  const receipt = await admin<Receipt>(...args);
  expect(receipt.removed).toMatchObject({ events: 12, order_keys: 1 });
  expect(receipt.aggregatesRefreshedAt).not.toBeNull();
  const left = EVENTS.filter(({ visitorId }) => visitorId !== "visitor 3");
  await expectReported(shop, left);
  await expectReported(neighbour, EVENTS);

  // Sent a second time by a device that had been offline: no event has an id, so that only the tombstone can tell.
  await send(
    shop,
    EVENTS.filter((event) => !left.includes(event)),
  );
  await expectReported(shop, left);
  const back = { ...EVENTS[3]!, clientTime: timestampFromMs(Date.now()) };
  await send(shop, [back]);
  await expectReported(shop, [...left, back]);
  expect(await admin("aggregates", "verify")).toMatchObject({ ok: true, mismatches: [] });
}, 120_000);

test("a merchant that is erased is in no table; its neighbour's reports are as they were", async () => {
  const receipt = await admin<Receipt>(
    "erasures",
    "run",
    "--merchant",
    String(shop.merchantId),
    "--whole-merchant",
  );
  expect(receipt.removed).toMatchObject({ events: 49, merchants: 1, api_keys: 2 });
  await expectReported(neighbour, EVENTS);
  const { rows } = await footfall.pool.query(
    "SELECT (SELECT count(*) FROM events WHERE merchant_id = $1)::integer AS events, (SELECT count(*) FROM totals_15m WHERE merchant_id = $1)::integer AS cells",
    [shop.merchantId],
  );
  expect(rows).toEqual([{ events: 0, cells: 0 }]);
  expect(await admin("aggregates", "verify")).toMatchObject({ ok: true, mismatches: [] });
});

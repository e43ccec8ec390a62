import type { MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { EventSchema } from "../../internal/gen/footfall/event/v1/event_pb.js";
import { Notice_Kind } from "../../internal/gen/footfall/query/v1/info_pb.js";
import { Traffic } from "../../internal/gen/footfall/query/v1/scope_pb.js";
import { saveRates } from "../../internal/store/currency-rates.ts";
import type { CreatedMerchant } from "../../internal/store/merchants.ts";
import { createTestMerchant, startTestInstallation, type TestInstallation } from "../kit/installation.ts";
import { bearer, collectClient, grpcQueryClient } from "../kit/installation-clients.ts";
import { allDays, noticed, reportNumbers, waitUntilReported } from "../kit/installation-reports.ts";
import { tableRows } from "../kit/report-table.ts";

type Event = MessageInitShape<typeof EventSchema>;

const DAY_MS = 86_400_000;
const CHROME =
  "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36";
const GOOGLEBOT = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)";

let footfall: TestInstallation;
let merchant: CreatedMerchant;
beforeAll(async () => {
  footfall = await startTestInstallation();
  merchant = await createTestMerchant(footfall.pool);
});
afterAll(() => footfall?.close());

// One moment for all events: midnight may pass while the test runs.
const NOW = Date.now();
const at = { clientTime: timestampFromMs(NOW) };
const person = (fields: Event): Event => ({
  name: "page_view",
  ...at,
  userAgent: CHROME,
  ip: "203.0.113.77",
  ...fields,
});
const purchase = (id: string, micros: bigint, currency: string, name = "purchase"): Event =>
  person({ name, order: { id, revenueMicros: micros, currency } });

/** Each send is a batch of its own: the next waits for its answer. */
async function send(events: Event[], to = merchant): Promise<void> {
  const { accepted } = await collectClient(footfall.collectorUrl).send({ events }, bearer(to.writeKey));
  expect(accepted).toBe(events.length);
}

async function report(traffic = Traffic.PEOPLE) {
  const client = grpcQueryClient(footfall.queryUrl);
  await waitUntilReported(client, merchant, Date.now());
  const answer = await client.runReport(allDays(760, traffic), bearer(merchant.readKey));
  const unconverted = noticed(answer.info, Notice_Kind.UNCONVERTED_ORDERS);
  return { ...reportNumbers(answer).total, unconverted };
}

test("bots, repeated orders, refunds and foreign currencies: what a merchant sees", async () => {
  await saveRates(footfall.pool, [{ currency: "USD", day: Math.floor(NOW / DAY_MS) - 1, perEuro: 1.25 }]);
  await send([
    person({ url: "https://shop.example/" }),
    person({ url: "https://shop.example/", ip: "203.0.113.78" }),
    person({ url: "https://shop.example/", ip: "198.51.100.1" }),
    { name: "page_view", ...at, userAgent: GOOGLEBOT, ip: "66.249.66.1" },
    { name: "page_view", ...at, userAgent: GOOGLEBOT, ip: "66.249.66.1" },
  ]);
  await send([
    purchase("1", 50_000_000n, "EUR"),
    purchase("2", 125_000_000n, "USD"),
    purchase("3", 9n, "CHF"),
  ]);
  await send([purchase("1", 50_000_000n, "EUR"), purchase("2", 25_000_000n, "USD", "refund")]);
  const people = { events: 8n, page_views: 3n, visitors: 2n, sessions: 2n };
  // 50 EUR and 125 USD less 25 USD, at 1.25; the francs have no rate.
  const money = { revenue: 50_000_000n + 80_000_000n, orders: 3n, unconverted: 1n };
  expect(await report()).toEqual({ ...people, ...money });
  expect(await report(Traffic.ALL)).toEqual({
    events: 10n,
    page_views: 5n,
    visitors: 3n,
    sessions: 3n,
    ...money,
  });
});

test("addresses are stored truncated, whole only for a merchant that asks for it; query strings clean", async () => {
  const open = await createTestMerchant(footfall.pool, { truncateIp: false });
  const event = person({ name: "stored", url: "https://shop.example/?email=ann@example.com&page=2" });
  await send([event]);
  await send([event], open);
  await waitUntilReported(grpcQueryClient(footfall.queryUrl), open, Date.now());
  await report();
  const { rows } = await footfall.pool.query(
    "SELECT merchant_id, ip, url FROM events WHERE name = 'stored' ORDER BY merchant_id",
  );
  const url = "https://shop.example/?email=(redacted)&page=2";
  expect(rows).toEqual([
    { merchant_id: merchant.merchantId, ip: "203.0.113.0", url },
    { merchant_id: open.merchantId, ip: "203.0.113.77", url },
  ]);
});

test("a visit over midnight UTC, by someone without an id, is one visit that its first page brought", async () => {
  const today = Math.floor(NOW / DAY_MS) * DAY_MS;
  const midnight = NOW - today > 300_000 ? today : today - DAY_MS;
  const minute = (minutes: number) => ({ clientTime: timestampFromMs(midnight + minutes * 60_000) });
  const visit = [
    person({ ...minute(-10), url: "https://shop.example/?utm_source=shopnews&utm_medium=email" }),
    person({ ...minute(-2), url: "https://shop.example/p", referrer: "https://shop.example/" }),
    { ...purchase("1", 50_000_000n, "EUR"), ...minute(3), referrer: "https://shop.example/p" },
  ];
  const client = grpcQueryClient(footfall.queryUrl);
  // At once, and the end of it before its beginning.
  for (const requests of [[visit], visit.toReversed().map((event) => [event])]) {
    const shop = await createTestMerchant(footfall.pool);
    for (const events of requests) await send(events, shop);
    await waitUntilReported(client, shop, Date.now());
    const { total } = reportNumbers(await client.runReport(allDays(), bearer(shop.readKey)));
    expect(total).toMatchObject({ visitors: 1n, sessions: 1n, orders: 1n });
    const { period } = allDays();
    const asked = { period, metrics: ["orders"], dimensions: ["channel"] };
    const { table } = await client.runReport(asked, bearer(shop.readKey));
    expect(tableRows(table!)).toEqual([["Email", 1n]]);
  }
});

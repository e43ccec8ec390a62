import type { MessageInitShape } from "@bufbuild/protobuf";
import { createClient } from "@connectrpc/connect";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { partitionOf } from "../../internal/event/partition.ts";
import { MAX_AMOUNT_MICROS } from "../../internal/event-schema/fields.ts";
import { Granularity } from "../../internal/gen/footfall/query/v1/period_pb.js";
import { QueryService } from "../../internal/gen/footfall/query/v1/query_pb.js";
import type { RunReportRequestSchema } from "../../internal/gen/footfall/query/v1/report_pb.js";
import { type CreatedMerchant, createMerchant } from "../../internal/store/merchants.ts";
import { eventRow } from "../../test/kit/columns.ts";
import { batchOf, commitNext } from "../../test/kit/commits.ts";
import { openTestDatabase, refreshAggregates, type TestDatabase } from "../../test/kit/database.ts";
import { bearer, transportsTo } from "../../test/kit/installation-clients.ts";
import { type Cell, tableRows } from "../../test/kit/report-table.ts";
import { NEW_MERCHANT, startTestQuery, type TestQuery } from "./testing/query-service.ts";

const PARTITIONS = 4;
const DAY_MS = 86_400_000;
const FROM = Date.UTC(2025, 0, 1);
const DAYS = 365;

/** Two orders a day of a shop in Rial, a refund of a tenth of the second, and one order as large as an event may tell. */
interface Sale {
  readonly time: number;
  readonly isRefund: boolean;
  readonly micros: bigint;
  readonly country: string;
}

// No sum of these is a double: each ends in another millionth.
const SALES: readonly Sale[] = Array.from({ length: DAYS }, (_, day): Sale[] => {
  const time = FROM + day * DAY_MS + 3_600_000;
  const micros = 60_000_000_000_000_001n + BigInt(day) * 7n;
  const country = day % 3 === 0 ? "IR" : "VN";
  return [
    { time, isRefund: false, micros, country },
    { time: time + 60_000, isRefund: false, micros: micros + 3n, country: "IR" },
    { time: time + 120_000, isRefund: true, micros: micros / 10n, country: "IR" },
  ];
})
  .flat()
  .concat({ time: FROM + DAY_MS, isRefund: false, micros: MAX_AMOUNT_MICROS, country: "VN" });

const sum = (values: readonly bigint[]) => values.reduce((all, value) => all + value, 0n);
const net = (sales: readonly Sale[]) =>
  sum(sales.map(({ isRefund, micros }) => (isRefund ? -micros : micros)));
const gross = (sales: readonly Sale[]) => net(sales.filter(({ isRefund }) => !isRefund));
const refunded = (sales: readonly Sale[]) => -net(sales.filter(({ isRefund }) => isRefund));

/** revenue, gross_revenue, refund_amount, tax and item_revenue, counted one by one. */
const amounts = (sales: readonly Sale[]) => [
  net(sales),
  gross(sales),
  refunded(sales),
  gross(sales),
  net(sales),
];
const METRICS = ["revenue", "gross_revenue", "refund_amount", "tax", "item_revenue"];

let database: TestDatabase;
let service: TestQuery;
const merchants: CreatedMerchant[] = [];

beforeAll(async () => {
  database = await openTestDatabase(PARTITIONS);
  // One from the totals and the rows, one with rollups.
  for (const hasRollups of [false, true]) {
    const merchant = await createMerchant(database.pool, { ...NEW_MERCHANT, currency: "IRR" });
    merchants.push(merchant);
    if (hasRollups) {
      await database.pool.query(
        "UPDATE merchants SET rollups_from = $2, rollups_ready_from = $2 WHERE merchant_id = $1",
        [merchant.merchantId, new Date(FROM)],
      );
    }
    await store(merchant.merchantId, hasRollups);
  }
  await refreshAggregates(database.pool);
  await database.pool.query("DELETE FROM invalidations");
  service = await startTestQuery(database.url);
}, 120_000);
afterAll(async () => {
  await service?.stop();
  await database?.close();
});

async function store(merchantId: number, isInRollups: boolean): Promise<void> {
  const rows = SALES.map(({ time, isRefund, micros, country }, at) => {
    const converted = isRefund ? -micros : micros;
    const order = {
      id: `o${at}`,
      revenue: micros,
      converted,
      tax: micros,
      taxConverted: micros,
      currency: "IRR",
    };
    const item = {
      item_id: "i",
      price_micros: micros,
      quantity_micros: 1_000_000,
      revenue_micros: converted,
    };
    return eventRow({
      ...{ merchant_id: merchantId, ts: time, received_at: time, country, in_rollups: isInRollups },
      order: { ...order, kind: isRefund ? 3 : 1, coupon: null, isForeign: false },
      items: [{ ...item, name: null, brand: null, category: null, variant: null }],
    });
  });
  await commitNext(database.pool, [batchOf(rows)], { partition: partitionOf(merchantId, PARTITIONS) });
}

const YEAR = { span: { case: "dates", value: { startDate: "2025-01-01", endDate: "2025-12-31" } } } as const;

const ASKED = { period: YEAR, metrics: METRICS };

function by<K>(keyOf: (sale: Sale) => K): Cell[][] {
  const groups = [...Map.groupBy(SALES, keyOf)];
  return groups.map(([key, sales]) => [key as Cell, ...amounts(sales)]);
}
const monthOf = ({ time }: Sale) => Date.UTC(2025, new Date(time).getUTCMonth());

test("the year's sums are beyond 64 bits, those of a month are within", () => {
  expect(gross(SALES)).toBeGreaterThan(2n ** 64n);
  expect(net(SALES)).toBeGreaterThan(2n ** 63n);
  expect(Math.max(...by(monthOf).map(([, revenue]) => Number(revenue)))).toBeLessThan(2 ** 63);
});

describe.each([
  ["a merchant without rollups", 0],
  ["a merchant with rollups", 1],
])("%s", (_, which) => {
  const ask = (name: string, question: MessageInitShape<typeof RunReportRequestSchema>) =>
    createClient(QueryService, transportsTo(service.url)[name]!).runReport(
      question,
      bearer(merchants[which]!.readKey),
    );

  test.each(["gRPC", "Connect with JSON", "Connect, binary"])(
    "totals, months and values by %s",
    async (name) => {
      const months = await ask(name, { ...ASKED, dimensions: ["time"], granularity: Granularity.MONTH });
      expect(tableRows(months.totals!)).toEqual([amounts(SALES)]);
      expect(tableRows(months.table!)).toEqual(by(monthOf));
      const countries = await ask(name, {
        ...ASKED,
        dimensions: ["country"],
        orderBy: [{ field: "revenue" }],
      });
      const byRevenue = by(({ country }) => country).sort((a, b) => (a[1]! > b[1]! ? -1 : 1));
      expect(tableRows(countries.totals!)).toEqual([amounts(SALES)]);
      expect(tableRows(countries.table!)).toEqual(byRevenue);
      const rest = await ask(name, { ...ASKED, dimensions: ["country"], topValues: 1 });
      expect(tableRows(rest.table!).map((row) => row.slice(1))).toEqual(byRevenue.map((row) => row.slice(1)));
    },
  );

  test("by the events' name, over a span of minutes", async () => {
    const startTime = { seconds: BigInt(FROM / 1_000 + 60) };
    const period = {
      span: {
        case: "times",
        value: { startTime, endTime: { seconds: BigInt(FROM / 1_000 + 364.5 * 86_400) } },
      },
    } as const;
    const { table, totals } = await ask("gRPC", { ...ASKED, period, dimensions: ["event_name"] });
    expect(tableRows(totals!)).toEqual([amounts(SALES)]);
    expect(tableRows(table!).map((row) => row.slice(1))).toEqual([amounts(SALES)]);
  });

  test("JSON as it is on the wire has every digit", async () => {
    const response = await fetch(`${service.url}/footfall.query.v1.QueryService/RunReport`, {
      method: "POST",
      headers: { authorization: `Bearer ${merchants[which]!.readKey}`, "content-type": "application/json" },
      body: JSON.stringify({
        period: { dates: { startDate: "2025-01-01", endDate: "2025-12-31" } },
        metrics: ["gross_revenue"],
      }),
    });
    const { totals } = (await response.json()) as {
      totals: { columns: { amounts: { units: string[]; nanos: number[] } }[] };
    };
    const { units, nanos } = totals.columns[0]!.amounts;
    expect([units, nanos]).toEqual([
      [String(gross(SALES) / 1_000_000n)],
      [Number(gross(SALES) % 1_000_000n) * 1_000],
    ]);
  });
});

import { afterAll, beforeAll, expect, test } from "vitest";
import { openTestDatabase, type TestDatabase } from "../../test/kit/database.ts";
import type { DIMENSIONS, DimensionName } from "./dimensions/registry.ts";
import { type BreakdownRequest, getBreakdown } from "./get-breakdown.ts";
import { A, B, PARTITIONS } from "./testing/fixture.ts";

interface Row {
  readonly merchantId: number;
  readonly name: string;
  readonly url: string | null;
  readonly referrer: string | null;
  readonly language: string | null;
  /** Also the value of every column that a step derives. */
  readonly derived: string | null;
  readonly bot: boolean;
  readonly visitor: number;
  readonly revenue: number | null;
}

/** Urls with the page and host that a person would read from them. */
const URLS: readonly (readonly [url: string | null, page: string, host: string])[] = [
  ["https://shop.example/a?utm=1#x", "/a", "shop.example"],
  ["https://SHOP.example/a", "/a", "shop.example"],
  ["http://user:pw@shop.example:8080/b/", "/b/", "shop.example"],
  ["https://shop.example", "/", "shop.example"],
  ["https://shop.example?q=/no/path", "/", "shop.example"],
  ["https://other.example/ä%20b", "/ä%20b", "other.example"],
  [null, "", ""],
];
const REFERRERS: readonly (readonly [referrer: string | null, host: string])[] = [
  ["https://www.Google.com/search?q=x", "www.google.com"],
  ["android-app://com.example/", "com.example"],
  ["http://[2001:db8::1]:8080/", "[2001:db8::1]"],
  ["https://news.example.:8443", "news.example"],
  ["no address", ""],
  [null, ""],
];

const ROWS: readonly Row[] = Array.from({ length: 600 }, (_, i) => ({
  merchantId: i % 3 === 0 ? B : A,
  name: ["page_view", "click", "purchase"][((i * 7) % 11) % 3]!,
  url: URLS[(i * 5) % URLS.length]![0],
  referrer: REFERRERS[(i * 3) % REFERRERS.length]![0],
  language: i % 5 === 0 ? null : `l${(i * i) % 7}`,
  derived: i % 6 === 1 ? null : `d${(i * i) % 5}`,
  bot: i % 7 === 3,
  visitor: (i * i) % 41,
  revenue: i % 4 === 0 ? i * 1_000_000 : null,
}));

/** Columns that the steps derive, each a dimension of its own name: of the visit, and of each event. */
const VISITS = ["channel", "source", "medium", "campaign"] as const;
const EVENTS = ["country", "region", "city", "browser", "os", "device_type"] as const;
const DERIVED = [...VISITS, ...EVENTS];
/** Those that bots alone have. */
const BOTS = ["bot_name", "bot_kind"] as const;

const DAY = "2025-03-29";
const MERCHANT = { merchantId: A, timeZone: "UTC", currency: "EUR" };

function toStored({ merchantId, ...row }: Row) {
  const [, page, host] = URLS.find(([url]) => url === row.url)!;
  // An absent one is null.
  return { merchant_id: merchantId, ...row, page: page || null, host: host || null };
}

let database: TestDatabase;
beforeAll(async () => {
  database = await openTestDatabase(PARTITIONS);
  await database.pool.query(
    `INSERT INTO events (merchant_id, ts, received_at, event_id, visitor_id, session_id, processor_version,
       name, url, page, host, referrer, language, is_bot, order_id, order_kind, revenue_micros, ${[...DERIVED, ...BOTS].join(", ")})
     SELECT merchant_id, '${DAY}T12:00Z', now(), gen_random_uuid(), visitor, visitor, 1, name, url, page, host, referrer,
       language, bot, revenue::text, 1 + 0 * revenue, revenue, ${DERIVED.map((name) => `'${name} ' || derived`).join(", ")},
       ${BOTS.map((name) => `CASE WHEN bot THEN '${name} ' || derived END`).join(", ")}
     FROM jsonb_to_recordset($1::jsonb) AS r (merchant_id integer, name text, url text, page text, host text, referrer text,
       language text, bot boolean, visitor bigint, revenue bigint, derived text)`,
    [JSON.stringify(ROWS.map(toStored))],
  );
});
afterAll(() => database?.close());

const ask = (request: Partial<BreakdownRequest> & { dimension: DimensionName }, merchant = MERCHANT) =>
  getBreakdown({ pool: database.pool, partitions: PARTITIONS, statementTimeoutMs: 30_000 }, merchant, {
    range: { kind: "dates", start: DAY, end: DAY },
    ...request,
  });

/** The dimensions that events have a value of by themselves, or by their visit. */
type OwnDimension =
  | { [D in DimensionName]: (typeof DIMENSIONS)[D] extends { rows: string } ? never : D }[DimensionName]
  | (typeof VISITS)[number];

const OWN = ROWS.filter(({ merchantId, bot }) => merchantId === A && !bot);

/** All events are of one time: the least of a visit's values decides. A visitor has one visit. */
const visitValue = ({ visitor }: Row) =>
  OWN.flatMap((row) => (row.visitor === visitor && row.derived !== null ? [row.derived] : [])).sort()[0];

/** The value of each dimension of a row, found without SQL. */
const VALUE_OF: Readonly<Record<OwnDimension, (row: Row) => string>> = {
  event_name: ({ name }) => name,
  page: ({ url }) => URLS.find(([text]) => text === url)![1],
  host: ({ url }) => URLS.find(([text]) => text === url)![2],
  referrer_host: ({ referrer }) => REFERRERS.find(([text]) => text === referrer)![1],
  language: ({ language }) => language ?? "",
  ...derivedOf(VISITS, visitValue),
  ...derivedOf(EVENTS, ({ derived }) => derived),
  ...derivedOf(BOTS, ({ bot, derived }) => (bot ? derived : null)),
};

function derivedOf<N extends string>(
  names: readonly N[],
  of: (row: Row) => string | null | undefined,
): Record<N, (row: Row) => string> {
  const reader = (name: string) => (row: Row) => (of(row) == null ? "" : `${name} ${of(row)}`);
  return Object.fromEntries(names.map((name) => [name, reader(name)])) as Record<N, (row: Row) => string>;
}

test.each(Object.keys(VALUE_OF) as OwnDimension[])("%s: as counted row by row", async (dimension) => {
  const own = OWN;
  const groups = Map.groupBy(own, VALUE_OF[dimension]);
  const counted = [...groups].map(([value, rows]) => ({
    value,
    events: BigInt(rows.length),
    visitors: BigInt(new Set(rows.map(({ visitor }) => visitor)).size),
    revenue: BigInt(rows.reduce((sum, { revenue }) => sum + (revenue ?? 0), 0)),
  }));
  const answer = await ask({ dimension, metrics: ["events", "visitors", "revenue"], limit: 1_000 });
  const [events, visitors, revenue] = answer.series;
  const found = answer.values.map((value, i) => ({
    value,
    events: events!.values[i],
    visitors: visitors!.values[i],
    revenue: revenue!.values[i],
  }));
  const byValue = (a: { value: string }, b: { value: string }) => (a.value < b.value ? -1 : 1);
  expect(found.toSorted(byValue)).toEqual(counted.toSorted(byValue));
  expect(answer.valuesFound).toBe(BigInt(counted.length));
  expect(answer.series.map(({ total }) => total)).toEqual([
    BigInt(own.length),
    BigInt(new Set(own.map(({ visitor }) => visitor)).size),
    BigInt(own.reduce((sum, { revenue: micros }) => sum + (micros ?? 0), 0)),
  ]);
});

test("the first metric orders the values, and the limit leaves out the smallest", async () => {
  const all = await ask({ dimension: "language", metrics: ["visitors", "events"], limit: 1_000 });
  const counts = all.series[0]!.values;
  expect(counts).toEqual(counts.toSorted((a, b) => Number(b - a)));
  const two = await ask({ dimension: "language", metrics: ["visitors", "events"], limit: 2 });
  expect(two.values).toEqual(all.values.slice(0, 2));
  expect(two.valuesFound).toBe(all.valuesFound);
  expect(two.series.map(({ total }) => total)).toEqual(all.series.map(({ total }) => total));
});

test("a span without events has no values and totals of 0", async () => {
  const answer = await ask({
    dimension: "page",
    range: { kind: "dates", start: "2025-01-01", end: "2025-01-01" },
  });
  expect(answer).toMatchObject({ values: [], valuesFound: 0n });
  expect(new Set(answer.series.map(({ total }) => total))).toEqual(new Set([0n]));
});

test("days are those of the time zone", async () => {
  const range = { kind: "dates", start: "2025-03-30", end: "2025-03-30" } as const;
  const events = async (timeZone: string) =>
    (await ask({ dimension: "event_name", range, timeZone, metrics: ["events"], includeBots: true }))
      .series[0]!.total;
  expect(await events("UTC")).toBe(0n);
  expect(await events("Pacific/Kiritimati")).toBe(400n);
});

test.each([0, -1, 1_001])("a limit of %i is refused", async (limit) => {
  await expect(ask({ dimension: "page", limit })).rejects.toThrow(`limit "${limit}" is outside of 1 to 1000`);
});

test.each(BOTS)("%s: of people's and bots' events together, as counted row by row", async (dimension) => {
  const all = ROWS.filter(({ merchantId }) => merchantId === A);
  const groups = Map.groupBy(all, VALUE_OF[dimension]);
  const answer = await ask({ dimension, metrics: ["events"], limit: 1_000, includeBots: true });
  const found = new Map(answer.values.map((value, i) => [value, answer.series[0]!.values[i]]));
  expect(found).toEqual(new Map([...groups].map(([value, rows]) => [value, BigInt(rows.length)])));
  expect(found.size).toBeGreaterThan(2);
});

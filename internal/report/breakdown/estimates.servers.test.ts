import { createHash } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openTestDatabase, type TestDatabase } from "../../../test/kit/database.ts";
import { partitionOf } from "../../event/partition.ts";
import { sampleFrom } from "../../store/breakdown/sample.ts";
import { refreshAll } from "../../store/refresh.ts";
import { DAY_MS } from "../../store/rollups.ts";
import { type Breakdown, type BreakdownRequest, getBreakdown } from "../get-breakdown.ts";
import { PARTITIONS } from "../testing/fixture.ts";
import { insertMerchants } from "../testing/merchants.ts";

/** Two with rollups and one without, all of one partition and with the same visitors. */
const [A, OTHER, NEVER] = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16].filter(
  (id) => partitionOf(id, PARTITIONS) === partitionOf(1, PARTITIONS),
) as [number, number, number];
const START = Date.UTC(2025, 4, 5);
const DAYS = 20;
const VISITORS = 6_000;
const PAGES = 60;

interface Seen {
  readonly visitor: bigint;
  readonly session: bigint;
  readonly page: string;
  readonly ts: number;
}

/** As ids are: the first 64 bits of a hash. */
const idOf = (text: string) => createHash("sha256").update(text).digest().readBigInt64BE();

/** Each visitor on one page of its own choice in one, two or five sessions, with two events in each. */
const SEEN: readonly Seen[] = Array.from({ length: VISITORS }, (_, v) => {
  const chance = Number(BigInt.asUintN(32, idOf(`chance ${v}`)));
  const sessions = 1 + (chance % 3) ** 2;
  return Array.from({ length: 2 * sessions }, (_, e) => ({
    visitor: idOf(`visitor ${v}`),
    session: idOf(`session ${v} ${e >> 1}`),
    // Long-tailed: a page has twice as many as the one at twice its number.
    page: `/${Math.floor(PAGES ** ((chance % 1_009) / 1_009))}`,
    ts: START + ((v + e) % DAYS) * DAY_MS + (v % 1_400) * 60_000,
  }));
}).flat();

let database: TestDatabase;
beforeAll(async () => {
  database = await openTestDatabase(PARTITIONS);
  const since = Date.UTC(2020, 0);
  const starts = new Map([A, OTHER].map((id) => [id, since]));
  await insertMerchants(database.pool, [A, OTHER, NEVER], starts);
  for (const [merchant, some] of [
    [A, SEEN],
    [OTHER, SEEN.slice(0, 500)],
    [NEVER, SEEN.slice(0, 500)],
  ] as const) {
    await store(merchant, some);
  }
  await refreshAll(database.pool);
}, 120_000);
afterAll(() => database?.close());

async function store(merchantId: number, seen: readonly Seen[]): Promise<void> {
  await database.pool.query(
    `WITH stored AS (
       INSERT INTO events (merchant_id, ts, received_at, event_id, visitor_id, session_id, processor_version, name, url,
         page, host, in_rollups)
       SELECT $1::integer, ts, now(), gen_random_uuid(), visitor, session, 1, 'page_view', 'https://shop.example' || page,
         page, 'shop.example', $2
       FROM unnest($3::timestamptz[], $4::bigint[], $5::bigint[], $6::text[]) AS s (ts, visitor, session, page)
       RETURNING ts
     )
     INSERT INTO invalidations (grain, start, partition_id)
     SELECT DISTINCT '15m', time_bucket(INTERVAL '15 minutes', ts), $7::integer FROM stored
     ON CONFLICT (grain, start, partition_id) DO UPDATE SET version = DEFAULT`,
    [
      merchantId,
      merchantId !== NEVER,
      seen.map(({ ts }) => new Date(ts).toISOString()),
      seen.map(({ visitor }) => visitor),
      seen.map(({ session }) => session),
      seen.map(({ page }) => page),
      partitionOf(merchantId, PARTITIONS),
    ],
  );
}

const day = (number: number) => new Date(START + number * DAY_MS).toISOString().slice(0, 10);
const ALL = { kind: "dates", start: day(0), end: day(DAYS) } as const;

/** @param sampleFromEvents as the setting has it. */
function ask(
  merchantId: number,
  request: Partial<BreakdownRequest> = {},
  sampleFromEvents = 0,
): Promise<Breakdown> {
  const merchant = {
    merchantId,
    timeZone: "UTC",
    currency: "EUR",
    rollupsReadyFrom: merchantId === NEVER ? null : Date.UTC(2020, 0, 1),
  };
  const deps = {
    pool: database.pool,
    partitions: PARTITIONS,
    statementTimeoutMs: 60_000,
    sampleFor: sampleFrom(sampleFromEvents),
  };
  return getBreakdown(deps, merchant, {
    range: ALL,
    dimension: "page",
    metrics: ["page_views", "visitors", "sessions"],
    limit: 1_000,
    ...request,
  });
}

const counted = (seen: readonly Seen[], key: "visitor" | "session") =>
  new Set(seen.map((one) => one[key])).size;

/** (estimate - truth) / standard error, of each value of a metric that is not known exactly. */
function deviations({ values, series }: Breakdown, metric: "visitors" | "sessions"): number[] {
  const { values: estimates, standardErrors } = series.find((each) => each.metric === metric)!;
  const truths = Map.groupBy(SEEN, ({ page }) => page);
  return values.flatMap((value, at) => {
    const truth = counted(truths.get(value)!, metric === "visitors" ? "visitor" : "session");
    const estimate = Number(estimates[at]);
    const error = standardErrors![at]! * estimate;
    if (error === 0) expect(estimate).toBe(truth);
    return error === 0 ? [] : [(estimate - truth) / error];
  });
}

test.each(["visitors", "sessions"] as const)(
  "estimates of %s are as near as their errors say",
  async (metric) => {
    const found = deviations(await ask(A), metric);
    expect(found.length).toBeGreaterThan(40);
    const within = (errors: number) => found.filter((each) => Math.abs(each) <= errors).length / found.length;
    // Of a normal distribution 68 and 95 %; of 60 draws rarely fewer than these.
    expect(within(1)).toBeGreaterThan(0.5);
    expect(within(2)).toBeGreaterThan(0.85);
    expect(within(4.5)).toBe(1);
    // And not merely larger than they need to be.
    expect(within(0.5)).toBeLessThan(0.65);
    const mean = found.reduce((sum, each) => sum + each, 0) / found.length;
    expect(Math.abs(mean)).toBeLessThan(0.5);
  },
);

test("all else is exact: sums, how many values there are, and their order", async () => {
  const [estimated, exact] = [await ask(A), await ask(A, { exact: true })];
  expect(estimated.values).toEqual(exact.values);
  expect(estimated.valuesFound).toBe(exact.valuesFound);
  expect(estimated.series[0]).toEqual(exact.series[0]);
  expect(exact.series.map(({ total }) => Number(total))).toEqual([
    SEEN.length,
    counted(SEEN, "visitor"),
    counted(SEEN, "session"),
  ]);
  expect(exact.series.map(({ standardErrors }) => standardErrors)).toEqual([undefined, undefined, undefined]);
  for (const { total, standardError } of estimated.series.slice(1)) {
    expect(standardError).toBeGreaterThan(0);
    expect(standardError).toBeLessThan(0.05);
    expect(Number(total) % 8).toBe(0);
  }
});

test("an estimate lies between one and the value's events", async () => {
  const { series } = await ask(A);
  const [events, visitors, sessions] = series.map(({ values }) => values);
  for (const [at, most] of events!.entries()) {
    for (const values of [visitors!, sessions!]) {
      expect(values[at]).toBeGreaterThanOrEqual(1n);
      expect(values[at]).toBeLessThanOrEqual(most);
    }
  }
});

test("few events, merchants without rollups and what the sample does not tell are counted", async () => {
  const visitors = (answer: Breakdown) => answer.series.find(({ metric }) => metric === "visitors")!;
  const own = SEEN.slice(0, 500);
  expect(visitors(await ask(OTHER, {}, 501))).toMatchObject({ total: BigInt(counted(own, "visitor")) });
  expect(visitors(await ask(OTHER, {}, 501)).standardErrors).toBeUndefined();
  expect(visitors(await ask(OTHER, {}, 500)).standardErrors).toBeDefined();
  expect(visitors(await ask(NEVER))).toMatchObject({ total: BigInt(counted(own, "visitor")) });
  for (const dimension of ["channel", "entry_page", "referrer_host"] as const) {
    const answer = visitors(await ask(A, { dimension }));
    expect(answer).toMatchObject({ total: BigInt(counted(SEEN, "visitor")) });
    expect(answer.standardErrors).toBeUndefined();
  }
});

test("nobody else's visitors are in an estimate", async () => {
  const own = SEEN.slice(0, 500);
  const sampled = own.filter(({ visitor }) => visitor % 8n === 0n);
  const { series } = await ask(OTHER, { dimension: "host" });
  expect(series.slice(0, 2).map(({ total }) => Number(total))).toEqual([
    own.length,
    8 * counted(sampled, "visitor"),
  ]);
});

test("the sample that is read is denser the fewer events there are", () => {
  const sampleFor = sampleFrom(500_000);
  const events = [0, 499_999, 500_000, 2_400_000, 2_400_001, 38_400_001, 10_000_000_000];
  const chosen = events.map((each) => sampleFor(each, "rows"));
  expect(chosen).toEqual([undefined, undefined, 8, 8, 32, 512, 512]);
  expect([999_999, 1_000_000].map((each) => sampleFor(each, "visits"))).toEqual([undefined, 8]);
});

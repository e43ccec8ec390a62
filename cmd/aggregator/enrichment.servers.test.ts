import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { PROCESSOR_VERSION } from "../../internal/aggregate/steps/process.ts";
import { saveRates } from "../../internal/store/currency-rates.ts";
import { destroyOldSalts, visitorSalts } from "../../internal/store/visitor-salts.ts";
import { merchantsOf, type TestEvent, testBatch } from "../../test/kit/batches.ts";
import { PARTITIONS, Rig } from "./testing/rig.ts";

const DAY_MS = 86_400_000;
const NOON = Date.UTC(2026, 2, 29, 12);

let rig: Rig;
beforeAll(async () => {
  rig = await Rig.open();
});
afterEach(() => rig?.stop());
afterAll(() => rig?.close());

const PARTITION = 0;
const [M] = merchantsOf(PARTITION, PARTITIONS, 1) as [number];

/** Publishes events as one batch, and waits until they are committed. */
async function store(...events: Partial<TestEvent>[]): Promise<void> {
  const all = events.map((event) => ({ merchantId: M, time: NOON, visitorId: "v", ...event }));
  const batch = testBatch(all, { partition: PARTITION });
  await rig.publish(batch);
  await rig.committed(batch);
}

test("what the steps derive is stored with the row", async () => {
  await rig.start();
  await store({
    name: "derived",
    time: NOON - 7_200_000,
    sentTime: NOON - 3_600_000,
    receivedTime: NOON,
    ip: "130.237.218.0",
    url: "https://shop.example/?utm_source=News&utm_medium=email&utm_campaign=Spring",
    referrer: "https://www.google.com/",
    userAgent:
      "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1",
  });
  const [row] = await rig.query<object>("SELECT * FROM events WHERE name = 'derived'");
  expect(row).toMatchObject({
    ts: new Date(NOON - 3_600_000),
    time_quality: 1,
    processor_version: PROCESSOR_VERSION,
    is_bot: false,
    browser: "Safari",
    browser_version: "17",
    os: "iOS",
    device_type: "mobile",
    country: "SE",
    region: null,
    city: null,
    channel: "Email",
    source: "news",
    medium: "email",
    campaign: "Spring",
    click_id: null,
    page: "/",
    host: "shop.example",
    order_kind: null,
  });
});

test("a merchant's own domains and ignored referrers bring nobody", async () => {
  const say = (own: string[], ignored: string[]) =>
    rig.query("UPDATE merchants SET own_domains = $2, ignored_referrers = $3 WHERE merchant_id = $1", [
      M,
      own,
      ignored,
    ]);
  await say(["checkout.example"], ["bank.example"]);
  await rig.start();
  const referrers = [
    "https://pay.checkout.example/x",
    "https://bank.example/",
    "https://www.paypal.com/",
    "https://t.co/x",
  ];
  await store(...referrers.map((referrer) => ({ name: "sites", url: "https://shop.example/", referrer })));
  await say([], []);
  const rows = await rig.query<object>("SELECT referrer, source FROM events WHERE name = 'sites'");
  expect(new Set(rows)).toEqual(
    new Set(
      referrers.map((referrer) => ({ referrer, source: referrer === "https://t.co/x" ? "t.co" : null })),
    ),
  );
});

test("texts of any kind harm nothing: no step fails on them, and the database takes what is derived", async () => {
  await rig.start();
  const odd = [
    "https://shop.example/?utm_source=%00&utm_medium=%00a&utm_campaign=%ED%A0%80&utm_term=%",
    "https://\u0001\u007f/?gclid=\ufffe",
    "http://[::1]:99999/%%%?&&==&utm_id=%F0%9F%9B%92",
    "https://xn--\u{1f6cd}.example/?utm_source=\u{1f6cd}",
    "android-app:///",
    "://",
    "'; DROP TABLE events; --",
    `https://${"a.".repeat(1_500)}/?${"utm_content=x&".repeat(100)}`,
    "\\N\t\n",
  ];
  await store(
    ...odd.map((text) => ({
      name: "odd",
      url: text,
      referrer: text,
      userAgent: text,
      ip: text,
      language: text,
    })),
  );
  const [row] = await rig.query<{ n: number }>(
    "SELECT count(*)::integer AS n FROM events WHERE name = 'odd'",
  );
  expect(row!.n).toBe(odd.length);
});

describe("orders", () => {
  const counted = (id: string) =>
    rig.query<object>(
      "SELECT order_kind AS kind, revenue_micros::integer AS revenue FROM events WHERE order_id LIKE $1 ORDER BY received_at, order_id",
      [id],
    );

  test("a thank-you page that is loaded again, days later and by another batch, counts once", async () => {
    await rig.start();
    const order = { id: "thanks", revenueMicros: 5_000_000n, currency: "EUR" };
    await store({ name: "purchase", order });
    await store({ name: "purchase", order, time: NOON + DAY_MS });
    expect(await counted("thanks")).toEqual([
      { kind: 1, revenue: 5_000_000 },
      { kind: 2, revenue: null },
    ]);
  });

  test("rates convert once they are loaded: the day's or the last before it, a week back at most", async () => {
    const first = NOON / DAY_MS - 0.5;
    await saveRates(rig.pool, [{ currency: "USD", day: first, perEuro: 1.25 }]);
    await rig.start();
    const dollars = (days: number) => ({
      name: "purchase",
      time: NOON + days * DAY_MS,
      order: { id: `usd${days + 1}`, revenueMicros: 100_000_000n, currency: "USD" },
    });
    await store(dollars(-1), dollars(0), dollars(7), dollars(8));
    expect(await counted("usd%")).toEqual([
      { kind: 1, revenue: null },
      { kind: 1, revenue: 80_000_000 },
      { kind: 1, revenue: 80_000_000 },
      { kind: 1, revenue: null },
    ]);
  });

  test("a refund that a webhook tells again without an id counts once, and is known by its name in any case", async () => {
    await rig.start();
    const order = { id: "back", revenueMicros: 50_000_000n };
    await store({ name: "checkout_completed", order }, { name: "Refund", order }, { name: "Refund", order });
    await store({ name: "Order Refunded", order, time: NOON + DAY_MS });
    await store({ name: "told", order, refund: { id: "2", amountMicros: 1n }, time: NOON + 2 * DAY_MS });
    await store({ name: "Begin_Checkout", order, time: NOON + 3 * DAY_MS });
    expect((await counted("back")).map((row) => Object.values(row))).toEqual([
      [1, 50_000_000],
      [3, -50_000_000],
      [4, null],
      [4, null],
      [3, -1],
      [0, null],
    ]);
  });

  test("an order of a thousand million rials and one of a million million of them are exact", async () => {
    await rig.start();
    const purchase = (id: string, revenueMicros: bigint) => ({
      name: "purchase",
      order: { id, revenueMicros },
    });
    await store(purchase("rial1", 1_500_000_000_000_001n), purchase("rial2", 999_999_999_999_999_999n));
    const sums = await rig.query<{ revenue: string }>(
      "SELECT revenue_micros::text AS revenue FROM events WHERE order_id LIKE 'rial%' ORDER BY order_id",
    );
    expect(sums.map(({ revenue }) => revenue)).toEqual(["1500000000000001", "999999999999999999"]);
  });
});

describe("salts", () => {
  // One moment for all events: midnight may pass while the test runs.
  const now = Date.now();
  const today = Math.floor(now / DAY_MS);
  const visitor = async (name: string) =>
    (await rig.query<{ id: string }>("SELECT visitor_id AS id FROM events WHERE name = $1", [name])).map(
      ({ id }) => id,
    );
  const event = (name: string): Partial<TestEvent> => ({
    name,
    time: now,
    visitorId: "",
    ip: "192.0.2.0",
    userAgent: "Mozilla/5.0 (X11; Linux x86_64; rv:127.0) Gecko/20100101 Firefox/127.0",
  });

  test("all aggregators share a day's: a visitor without an id is one through two of them", async () => {
    await rig.start();
    await store(event("salt-a"));
    await rig.stop();
    await rig.start();
    await store(event("salt-b"));
    const [[a], [b]] = [await visitor("salt-a"), await visitor("salt-b")];
    expect(a).toBe(b);
  });

  test("after 48 hours a salt is gone, and its day's visitors have nothing in common with rows stored before", async () => {
    const before = await visitorSalts(rig.pool, [today]);
    await rig.pool.query(
      // In the last hour of a day the next one's is there already.
      "UPDATE visitor_salts SET created_at = created_at - INTERVAL '48 hours' WHERE created_at <= now()",
    );
    await rig.start();
    await store(event("salt-c"));
    const [[a], [c]] = [await visitor("salt-a"), await visitor("salt-c")];
    expect(c).not.toBe(a);
    const [after] = await visitorSalts(rig.pool, [today]);
    expect(after!.salt.equals(before[0]!.salt)).toBe(false);
    expect(after!.leftMs).toBeGreaterThan(47 * 3_600_000);
  });

  test("tomorrow's lives until 48 hours after its day began", async () => {
    const [tomorrow] = await visitorSalts(rig.pool, [today + 1]);
    const left = (today + 1) * DAY_MS + 48 * 3_600_000 - Date.now();
    expect(Math.abs(tomorrow!.leftMs - left)).toBeLessThan(60_000);
  });

  test("of programs that ask at the same time one makes it", async () => {
    const salts = await Promise.all(Array.from({ length: 4 }, () => visitorSalts(rig.pool, [1, 2, 3])));
    const different = new Set(salts.flat().map(({ day, salt }) => `${day} ${salt.toString("hex")}`));
    expect(different.size).toBe(3);
    expect(await destroyOldSalts(rig.pool)).toBe(0);
  });
});

test("a geo database that cannot be read stops the start, and is named", async () => {
  await expect(rig.start({ "geoip-db": "/no/such.mmdb" })).rejects.toThrow(
    "GEOIP_DB: /no/such.mmdb cannot be used as a MaxMind database: ENOENT",
  );
});

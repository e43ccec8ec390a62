import { createHash, createHmac, randomUUID } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Receipt } from "../../internal/store/erasure/receipt.ts";
import { convertOld } from "../../internal/store/maintenance/columnstore.ts";
import { createMerchant } from "../../internal/store/merchants.ts";
import { refreshGrain } from "../../internal/store/refresh.ts";
import { eventRow } from "../../test/kit/columns.ts";
import { batchOf, commitNext } from "../../test/kit/commits.ts";
import { openTestDatabase, type TestDatabase } from "../../test/kit/database.ts";
import { waitFor } from "../../test/kit/installation-wait.ts";
import { startAdmin } from "./testing/run.ts";

const START = Date.UTC(2026, 2, 1);
const HOUR = 3_600_000;
/** Between two events of a visitor: far enough apart for many chunks. */
const STEP = 16 * HOUR;

let database: TestDatabase;
beforeAll(async () => {
  database = await openTestDatabase(1);
  for (let merchant = 1; merchant <= 3; merchant++) {
    await createMerchant(database.pool, {
      name: "A shop",
      timeZone: "UTC",
      currency: "EUR",
      retentionDays: 760,
    });
  }
});
afterAll(() => database?.close());

const query = async <T>(sql: string) => (await database.pool.query(sql)).rows as T[];

const run = (...args: string[]) =>
  startAdmin(["erasures", ...args, "--json"], { DATABASE_URL: database.url });

const ERASE = ["run", "--refresh-wait-ms", "0"] as const;

async function result<T>(...args: string[]): Promise<T> {
  const { code, stdout, stderr } = await run(...args).finished;
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  return JSON.parse(stdout) as T;
}

/** What docs/processing.md says of a visitor's or user's hash: the first 64 bits of a SHA-256, little-endian. */
function documentedHash(merchant: number, id: string, kind = "visitor"): bigint {
  return createHash("sha256")
    .update(JSON.stringify([kind, merchant, id]))
    .digest()
    .readBigInt64LE();
}

const RANDOM_ID = "0190b3c4-7a2e-7abc-8def-0123456789ab";

/** What docs/processing.md says of an id that could be guessed: its HMAC under the merchant's visitor-id key. */
async function stored(merchant: number, visitor: string): Promise<string> {
  const [row] = await query<{ secret: Buffer }>("SELECT secret FROM visitor_id_secret");
  const key = createHmac("sha256", row!.secret).update(`visitor ids of merchant ${merchant}`).digest();
  return `hmac:${createHmac("sha256", key).update(visitor).digest("hex").slice(0, 32)}`;
}

/** Stores a page view each STEP of some visitors, given by hash. */
async function store(merchant: number, visitors: readonly bigint[], views: number): Promise<void> {
  const rows = visitors.flatMap((visitor_id) =>
    Array.from({ length: views }, (_, at) => {
      const ts = START + at * STEP;
      return eventRow({ merchant_id: merchant, visitor_id, ts, received_at: ts, event_id: randomUUID() });
    }),
  );
  await commitNext(database.pool, [batchOf(rows)]);
  await refreshGrain(database.pool, "15m");
}

const left = (merchant: number) =>
  query<{ visitor: string; n: number }>(
    `SELECT visitor_id::text AS visitor, count(*)::integer AS n FROM events
     WHERE merchant_id = ${merchant} GROUP BY 1 ORDER BY 1`,
  );

test("a visitor is named by the id that the SDK sent, or by the stored hash", async () => {
  const [zoe, max] = [documentedHash(1, await stored(1, "zoë 'x'")), documentedHash(1, RANDOM_ID)];
  await store(1, [zoe, max, 7n], 3);
  const dry = await result<object>(...ERASE, "--merchant", "1", "--visitor", "zoë 'x'", "--dry-run");
  expect(dry).toMatchObject({
    dryRun: true,
    personKind: "visitor",
    personHash: zoe.toString(),
    rows: { events: 3 },
  });
  expect(await left(1)).toHaveLength(3);
  const receipt = await result<Receipt>(...ERASE, "--merchant", "1", "--visitor", "zoë 'x'");
  expect(receipt).toMatchObject({ merchantId: 1, personHash: zoe.toString(), removed: { events: 3 } });
  expect(JSON.stringify(receipt)).not.toContain("zoë");
  const second = await result<Receipt>(...ERASE, "--merchant", "1", `--visitor-hash=${max}`);
  expect(await left(1)).toEqual([{ visitor: "7", n: 3 }]);
  expect(await result("list")).toEqual([second, receipt]);
  expect(await result("list", "--merchant", "2")).toEqual([]);
  expect(await query("SELECT sum(events)::integer AS n FROM totals_15m WHERE merchant_id = 1")).toEqual([
    { n: 3 },
  ]);
});

test("an id that nobody can guess is named as it is, and one that was hashed by its hash, too", async () => {
  const dry = (visitor: string) =>
    result<{ personHash: string }>(...ERASE, "--merchant", "1", "--dry-run", "--visitor", visitor);
  expect((await dry(RANDOM_ID)).personHash).toBe(String(documentedHash(1, RANDOM_ID)));
  const jane = await stored(1, "jane@example.org");
  expect((await dry("jane@example.org")).personHash).toBe(String(documentedHash(1, jane)));
  expect((await dry(jane)).personHash).toBe(String(documentedHash(1, jane)));
});

test("a person is named by the user id, or by the customer id of orders", async () => {
  const jane = documentedHash(1, await stored(1, "jane@example.org"), "user");
  const ts = START;
  const event = { merchant_id: 1, ts, received_at: ts };
  const order = { id: "1", revenue: 1, converted: 1, currency: "EUR", coupon: null, customer: jane };
  const rows = [{ visitor_id: 8n, user_id: jane }, { visitor_id: 9n, order }, { visitor_id: 8n }];
  await commitNext(database.pool, [batchOf(rows.map((row) => eventRow({ ...event, ...row })))]);
  const erase = (...args: string[]) => result<Receipt>(...ERASE, "--merchant", "1", ...args);
  const found = { personHash: String(jane), rows: { events: 1 } };
  expect(await erase("--user", "jane@example.org", "--dry-run")).toMatchObject({ ...found, visitors: ["8"] });
  expect(await erase("--customer", "jane@example.org", "--dry-run")).toMatchObject({
    personKind: "customer",
    visitors: ["9"],
  });
  expect((await erase("--user", "jane@example.org")).removed).toMatchObject({ events: 1 });
  expect(await left(1)).toEqual([
    { visitor: "7", n: 3 },
    { visitor: "8", n: 1 },
    { visitor: "9", n: 1 },
  ]);
  expect((await erase("--customer", "jane@example.org")).removed).toEqual({
    events: 1,
    order_keys: 1,
    visitors: 1,
  });
  expect(await left(1)).toEqual([
    { visitor: "7", n: 3 },
    { visitor: "8", n: 1 },
  ]);
});

test.each([
  [["--visitor", "x"], "admin erasures run: --merchant is required"],
  [
    ["--merchant", "1"],
    "admin erasures run: exactly one of --visitor, --visitor-hash, --user, --customer and --whole-merchant",
  ],
  [["--merchant", "1", "--visitor", ""], 'admin erasures run: --visitor: "" is empty'],
  [["--merchant", "1", "--visitor", "x", "--whole-merchant"], "admin erasures run: exactly one of"],
  [["--merchant", "1", "--user", "x", "--customer", "x"], "admin erasures run: exactly one of"],
  [["--merchant", "1", "--user", ""], 'admin erasures run: --user: "" is empty'],
  [["--merchant", "1", "--customer", ""], 'admin erasures run: --customer: "" is empty'],
  [["--merchant", "1", "--visitor-hash", "9223372036854775808"], "is not a whole number of 64 bits"],
  [["--merchant", "77", "--visitor", "x"], "admin erasures run: there is no merchant 77"],
])("%j is refused and erases nothing", async (args, message) => {
  const { code, stderr, stdout } = await run(...ERASE, ...args).finished;
  expect(code).toBe(2);
  expect(stdout).toBe("");
  expect(stderr).toContain(message);
  expect(await left(1)).not.toEqual([]);
});

test.each([
  ["a visitor", 2, ["--visitor-hash", "5"]],
  ["a merchant", 3, ["--whole-merchant"]],
])(
  "kill -9 in the midst of erasing %s: the same command goes on, and counts each row once",
  async (_, merchant, who) => {
    const views = 96;
    await store(merchant, [5n, 6n], views);
    await convertOld(database.pool, START + 400 * STEP);
    const args = [...ERASE, "--merchant", String(merchant), ...who];
    const removed = `SELECT coalesce(sum(rows), 0)::integer AS n FROM erasure_removals JOIN erasures USING (erasure_id)
    WHERE merchant_id = ${merchant} AND table_name = 'events'`;
    const killed = run(...args);
    await waitFor("the first rows to go", async () => (await query<{ n: number }>(removed))[0]!.n > 0);
    killed.process.kill("SIGKILL");
    await killed.finished;
    const [unfinished] = await result<Receipt[]>("list", "--merchant", String(merchant));
    expect(unfinished!.finishedAt).toBeNull();
    const receipt = await result<Receipt>(...args);
    const whole = merchant === 3;
    expect(receipt.erasureId).toBe(unfinished!.erasureId);
    expect(receipt.removed.events).toBe(whole ? 2 * views : views);
    expect(await left(merchant)).toEqual(whole ? [] : [{ visitor: "6", n: views }]);
    const cells = await query<{ n: number }>(
      `SELECT coalesce(sum(events), 0)::integer AS n FROM totals_15m WHERE merchant_id = ${merchant}`,
    );
    expect(cells).toEqual([{ n: whole ? 0 : views }]);
    expect(await query("SELECT FROM invalidations WHERE grain = '15m'")).toEqual([]);
  },
  120_000,
);

test("a merchant that is erased is unknown", async () => {
  const { code, stderr } = await run(...ERASE, "--merchant", "3", "--whole-merchant").finished;
  expect(code).toBe(2);
  expect(stderr).toContain("there is no merchant 3");
});

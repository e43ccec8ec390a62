import { afterAll, beforeAll, expect, test } from "vitest";
import type { CreatedMerchant } from "../../internal/store/merchants.ts";
import { openTestDatabase, type TestDatabase } from "../../test/kit/database.ts";
import { resultOf, runAdmin } from "./testing/run.ts";

let database: TestDatabase;
beforeAll(async () => {
  database = await openTestDatabase(1);
});
afterAll(() => database?.close());

const run = (...args: string[]) => runAdmin(["merchants", ...args], { DATABASE_URL: database.url });
const result = <T>(...args: string[]) => resultOf<T>(["merchants", ...args], { DATABASE_URL: database.url });

test("hosts are stored in lower case and ASCII, each once, however they are given", async () => {
  const made = await result<CreatedMerchant>(
    "create",
    ...["--name", "Shop", "--currency", "EUR"],
    ...["--own-domain", "Shop.Example,MÜLLER.example.", "--own-domain", "shop.example"],
    ...["--ignored-referrer", "pay.example"],
  );
  const lists = {
    ownDomains: ["shop.example", "xn--mller-kva.example"],
    ignoredReferrers: ["pay.example"],
  };
  expect(made).toMatchObject(lists);
  const { rows } = await database.pool.query(
    `SELECT own_domains AS "ownDomains", ignored_referrers AS "ignoredReferrers" FROM merchants`,
  );
  expect(rows).toEqual([lists]);
});

test("update changes what is given, and nothing else", async () => {
  const before = (await result<object[]>("list"))[0]!;
  const changes = { name: "Boutique", timeZone: "Asia/Tokyo", retentionDays: 90, truncateIp: false };
  const flags = ["--name", "Boutique", "--time-zone", "Asia/Tokyo", "--retention-days", "90"];
  const updated = await result("update", "--merchant", "1", ...flags, "--truncate-ip", "false");
  expect(updated).toEqual({ ...before, ...changes });
  const noLists = await result("update", "--merchant", "1", "--own-domain=");
  expect(noLists).toEqual({ ...before, ...changes, ownDomains: [] });
  expect(await result("list")).toEqual([noLists]);
});

test("the currency changes as long as there are no events", async () => {
  expect(await result("update", "--merchant", "1", "--currency", "JPY")).toMatchObject({ currency: "JPY" });
  await database.pool.query(
    `INSERT INTO events (merchant_id, ts, received_at, event_id, visitor_id, session_id, processor_version, name)
     VALUES (1, now(), now(), gen_random_uuid(), 1, 1, 1, 'click')`,
  );
  const { code, stderr } = await run("update", "--merchant", "1", "--currency", "EUR", "--name", "x");
  expect(stderr).toContain(
    "admin merchants update: currency: merchant 1 has events, whose amounts are in JPY",
  );
  expect(code).toBe(2);
  // All or nothing; and the currency that it has is no change.
  expect(await result("update", "--merchant", "1", "--currency", "JPY")).toMatchObject({ name: "Boutique" });
});

test("for people: tables, whose cells cannot move the cursor", async () => {
  await database.pool.query("UPDATE merchants SET name = E'Bout\\x1b[2Jique'");
  const { stdout } = await run("list");
  expect(stdout).toMatch(/│ merchant +│ name +│ time zone +│ currency/);
  expect(stdout).toMatch(/│ 1 +│ Bout\ufffd\[2Jique +│ Asia\/Tokyo +│ JPY +│ +90 │ no/);
  expect(stdout).not.toContain("\x1b");
});

test("an unknown merchant: exit code 2", async () => {
  const { code, stderr } = await run("update", "--merchant", "77", "--name", "x");
  expect({ code, stderr }).toEqual({
    code: 2,
    stderr: "admin merchants update: there is no merchant 77\n",
  });
});

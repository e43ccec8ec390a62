import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { openTestDatabase, type TestDatabase } from "../../test/kit/database.ts";
import { addGoal, listGoals, MAX_GOALS, type NewGoal, removeGoal, updateGoal } from "./goals.ts";
import { createMerchant } from "./merchants.ts";

let database: TestDatabase;
beforeAll(async () => {
  database = await openTestDatabase(4);
});
afterAll(() => database?.close());

let merchantId: number;
let other: number;
beforeEach(async () => {
  const shop = { name: "Shop", timeZone: "UTC", currency: "EUR", retentionDays: 30 };
  merchantId = (await createMerchant(database.pool, shop)).merchantId;
  other = (await createMerchant(database.pool, shop)).merchantId;
});

const goal = (name: string, fields: Partial<NewGoal> = {}): NewGoal => ({
  name,
  eventName: "signup",
  pagePattern: undefined,
  valueMicros: undefined,
  ...fields,
});
const add = (name: string, fields: Partial<NewGoal> = {}, to = merchantId) =>
  addGoal(database.pool, to, goal(name, fields));
const names = async (of = merchantId) => (await listGoals(database.pool, of)).map(({ name }) => name);

test("goals are listed as they were made, each merchant's from 1 on", async () => {
  const before = Date.now();
  const first = await add("Größe 'x'; --", { pagePattern: "/a/**", valueMicros: 9_007_199_254_740_993n });
  const second = await add("Page", { eventName: undefined, pagePattern: "/%_\\*", valueMicros: 0n });
  expect((await add("Page", {}, other)).goalId).toBe(1);
  expect(await listGoals(database.pool, merchantId)).toEqual([first, second]);
  expect(first).toMatchObject({
    goalId: 1,
    ...goal("Größe 'x'; --", { pagePattern: "/a/**", valueMicros: 9_007_199_254_740_993n }),
  });
  expect(second).toMatchObject({ goalId: 2, eventName: undefined, pagePattern: "/%_\\*", valueMicros: 0n });
  expect(Math.abs(first.createdTime - before)).toBeLessThan(60_000);
});

test("a name is a merchant's once, until its goal is removed; ids are never used again", async () => {
  await add("Signup");
  await expect(add("Signup")).rejects.toMatchObject({
    kind: "already_exists",
    message: `name "Signup" is that of the merchant's goal 1`,
  });
  expect(await removeGoal(database.pool, merchantId, 1)).toMatchObject({ goalId: 1, name: "Signup" });
  expect(await names()).toEqual([]);
  expect((await add("Signup")).goalId).toBe(2);
  await expect(removeGoal(database.pool, merchantId, 1)).rejects.toMatchObject({ kind: "not_found" });
  await removeGoal(database.pool, merchantId, 2);
  expect((await add("Signup")).goalId).toBe(3);
});

test("a goal changes in place; what is refused leaves it as it is", async () => {
  const first = await add("First", { valueMicros: 5n });
  await add("Second");
  const update = (goalId: number, fields: Partial<NewGoal>, of = merchantId) =>
    updateGoal(database.pool, of, goalId, (now) => ({ ...now, ...fields }));
  const changed = { name: "1st", eventName: undefined, pagePattern: "/a", valueMicros: undefined };
  expect(await update(1, changed)).toEqual({ ...first, ...changed });
  expect(await update(1, { name: "1st" })).toEqual({ ...first, ...changed });
  await expect(update(1, { name: "Second" })).rejects.toMatchObject({ kind: "already_exists" });
  await expect(update(3, { name: "Third" })).rejects.toMatchObject({ kind: "not_found" });
  await expect(update(1, { name: "Theirs" }, other)).rejects.toMatchObject({ kind: "not_found" });
  expect(await names()).toEqual(["1st", "Second"]);
});

test("nobody removes another merchant's goal", async () => {
  await add("Mine");
  await expect(removeGoal(database.pool, other, 1)).rejects.toThrow(`merchant ${other} has no goal 1`);
  expect(await names()).toEqual(["Mine"]);
});

test("a merchant that is not there has no goals", async () => {
  await expect(add("Goal", {}, 999_999)).rejects.toMatchObject({ kind: "not_found" });
  expect(await names(999_999)).toEqual([]);
});

test(`of many at once ${MAX_GOALS} are made, and of one name one`, async () => {
  const many = Array.from({ length: MAX_GOALS + 10 }, (_, at) => `Goal ${at % (MAX_GOALS + 5)}`);
  const settled = await Promise.allSettled(many.map((name) => add(name)));
  const made = settled.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
  expect(made.map(({ goalId }) => goalId).toSorted((a, b) => a - b)).toEqual(
    Array.from({ length: MAX_GOALS }, (_, at) => at + 1),
  );
  expect(new Set(made.map(({ name }) => name)).size).toBe(MAX_GOALS);
  await expect(add("One more")).rejects.toMatchObject({ kind: "exhausted" });
  await removeGoal(database.pool, merchantId, 7);
  expect((await add("One more")).goalId).toBe(MAX_GOALS + 1);
});

test("a merchant's goals go with the merchant", async () => {
  await add("Goal");
  await database.pool.query("DELETE FROM api_keys WHERE merchant_id = $1", [merchantId]);
  await database.pool.query("DELETE FROM merchants WHERE merchant_id = $1", [merchantId]);
  expect(await names()).toEqual([]);
});

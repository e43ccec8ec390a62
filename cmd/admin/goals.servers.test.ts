import { afterAll, beforeAll, expect, test } from "vitest";
import { createMerchant } from "../../internal/store/merchants.ts";
import { openTestDatabase, type TestDatabase } from "../../test/kit/database.ts";
import { launch } from "../../test/kit/launch.ts";

let database: TestDatabase;
let shop: string;
let other: string;
beforeAll(async () => {
  database = await openTestDatabase(4);
  const fields = { timeZone: "UTC", currency: "EUR", retentionDays: 30 };
  shop = String((await createMerchant(database.pool, { name: "Shop", ...fields })).merchantId);
  other = String((await createMerchant(database.pool, { name: "Other", ...fields })).merchantId);
});
afterAll(() => database?.close());

const goal = (...args: string[]) =>
  launch("admin", { args: ["goals", ...args], env: { DATABASE_URL: database.url } }).finished;

/** Runs a command that must succeed. @returns what it prints. */
async function result(...args: string[]): Promise<unknown> {
  const { code, stdout, stderr } = await goal(...args, "--json");
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  return JSON.parse(stdout);
}

test("goals are added, listed and removed, each merchant's apart", async () => {
  const createdAt = expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/);
  const signup = { goalId: 1, name: "Sign-up", eventName: "sign_up", valueMicros: 12_500_000, createdAt };
  const add = ["add", "--merchant", shop];
  expect(await result(...add, "--name", "Sign-up", "--event-name", "sign_up", "--value", "12.50")).toEqual(
    signup,
  );
  const thanks = {
    goalId: 2,
    name: "Thanks",
    eventName: "page_view",
    pagePattern: "/*/thanks/**",
    createdAt,
  };
  const both = ["--event-name", "page_view", "--page-pattern", "/*/thanks/**"];
  expect(await result(...add, "--name", "Thanks", ...both)).toEqual(thanks);
  expect(await result("list", "--merchant", shop)).toEqual([signup, thanks]);
  expect(await result("list", "--merchant", other)).toEqual([]);
  expect(await result("remove", "--merchant", shop, "--goal", "1")).toEqual({ removed: signup });
  expect(await result("list", "--merchant", shop)).toEqual([thanks]);
});

test("an update changes what its flags name, and nothing else", async () => {
  const { goalId, ...added } = (await result(
    ...["add", "--merchant", shop, "--name", "Old", "--event-name", "old", "--value", "2"],
  )) as { goalId: number };
  const update = (...args: string[]) =>
    result("update", "--merchant", shop, "--goal", String(goalId), ...args);
  const renamed = { goalId, ...added, name: "New" };
  expect(await update("--name", "New")).toEqual(renamed);
  const { eventName: _, valueMicros: __, ...kept } = { eventName: 0, valueMicros: 0, ...renamed };
  const moved = { ...kept, pagePattern: "/a/*" };
  expect(await update("--page-pattern", "/a/*", "--any-event", "--event-revenue")).toEqual(moved);
  const { pagePattern: ___, ...bare } = moved;
  const worth = { ...bare, eventName: "x", valueMicros: 0 };
  expect(await update("--any-page", "--event-name", "x", "--value", "0")).toEqual(worth);
  expect(await result("list", "--merchant", shop)).toContainEqual(worth);
});

const WRONG: [says: string, args: (merchant: string) => string[]][] = [
  ["admin goals add: --merchant is required", () => ["add", "--name", "x", "--event-name", "y"]],
  ["admin goals add: --name is required", (id) => ["add", "--merchant", id, "--event-name", "y"]],
  [
    'admin goals add: --event-name "" must be given where --page-pattern is not',
    (id) => ["add", "--merchant", id, "--name", "x"],
  ],
  [
    'admin goals add: --page-pattern "/a?b" must be a path alone',
    (id) => ["add", "--merchant", id, "--name", "x", "--page-pattern", "/a?b"],
  ],
  [
    '--value: "1,5" is no amount such as 12.50',
    (id) => ["add", "--merchant", id, "--name", "x", "--event-name", "y", "--value", "1,5"],
  ],
  [
    'admin goals add: --value, in micros, "1000000001000000" must be 0 to 1000000000000000',
    (id) => ["add", "--merchant", id, "--name", "x", "--event-name", "y", "--value", "1000000001"],
  ],
  [
    "admin goals add: there is no merchant 77",
    () => ["add", "--merchant", "77", "--name", "x", "--event-name", "y"],
  ],
  [
    "admin goals update: a flag must say what changes, such as --name",
    (id) => ["update", "--merchant", id, "--goal", "2"],
  ],
  [
    "admin goals update: --event-name and --any-event cannot be given together",
    (id) => ["update", "--merchant", id, "--goal", "2", "--event-name", "x", "--any-event"],
  ],
  [
    "must be given where --page-pattern is not: what reaches the goal",
    (id) => ["update", "--merchant", id, "--goal", "2", "--any-event", "--any-page"],
  ],
  ["has no goal 9", (id) => ["update", "--merchant", id, "--goal", "9", "--name", "x"]],
  [
    'name "Thanks" is that of the merchant\'s goal 2',
    (id) => ["update", "--merchant", id, "--goal", "3", "--name", "Thanks"],
  ],
  ["admin goals remove: --goal is required", (id) => ["remove", "--merchant", id]],
  ["has no goal 9", (id) => ["remove", "--merchant", id, "--goal", "9"]],
  [
    "admin goals: unknown command 'drop'; there are add, list, update, remove",
    (id) => ["drop", "--merchant", id],
  ],
  ["admin goals: a command is missing; there are add, list, update, remove", () => []],
];

test.each(WRONG)("%s: exit code 2, one line that names what is wrong", async (says, args) => {
  const { code, stdout, stderr } = await goal(...args(shop));
  expect(stderr).toContain(says);
  expect(stderr.trim().split("\n")).toHaveLength(1);
  expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
});

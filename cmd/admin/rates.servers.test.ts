import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { temporaryDirectory } from "../../internal/embedded/temporary.ts";
import { openTestDatabase, type TestDatabase } from "../../test/kit/database.ts";
import { runAdmin } from "./testing/run.ts";

let database: TestDatabase;
let folder: Awaited<ReturnType<typeof temporaryDirectory>>;
beforeAll(async () => {
  [database, folder] = await Promise.all([openTestDatabase(1), temporaryDirectory("rates")]);
});
afterAll(async () => {
  await folder?.remove();
  await database?.close();
});

const run = (args: readonly string[]) => runAdmin(args, { DATABASE_URL: database.url });
const query = async (sql: string) => (await database.pool.query(sql)).rows;

describe("rates load", () => {
  // The head and two days of the ECB's file, as it comes.
  const ECB = "Date,USD,JPY,SIT,\n2026-03-27,1.0834,163.99,N/A,\n2026-03-26,1.0826,,N/A,\n";
  const load = async (text: string) => {
    const file = join(folder.path, "rates.csv");
    await writeFile(file, text);
    return run(["rates", "load", "--json", "--file", file]);
  };
  const stored = () =>
    query("SELECT currency, day::text, per_euro FROM currency_rates ORDER BY day, currency");

  test("stores each rate, and replaces one that is there", async () => {
    expect(JSON.parse((await load(ECB)).stdout)).toEqual({ rates: 3, days: 2 });
    expect(JSON.parse((await load("\ufeffDate,USD\r\n2026-03-27,1.5\r\n")).stdout)).toEqual({
      rates: 1,
      days: 1,
    });
    expect(await stored()).toEqual([
      { currency: "USD", day: "2026-03-26", per_euro: 1.0826 },
      { currency: "JPY", day: "2026-03-27", per_euro: 163.99 },
      { currency: "USD", day: "2026-03-27", per_euro: 1.5 },
    ]);
  });

  test.each([
    ["no head", "2026-03-27,1\n", /line 1: begins with "2026-03-27", not with "Date"/],
    ["no currency", "Date,Dollar\n", /line 1: "Dollar" is no currency/],
    ["no day", "Date,USD\n2026-03-27,2\n27 March 2026,1\n", /line 3: "27 March 2026" is no day/],
    ["no rate", "Date,USD\n2026-03-27,-1\n", /line 2: USD: "-1" is no rate/],
  ])("a file with %s: exit code 2, the line is named, and nothing is stored", async (_, text, message) => {
    const before = await stored();
    const { code, stderr } = await load(text);
    expect(stderr).toMatch(message);
    expect(code).toBe(2);
    expect(await stored()).toEqual(before);
  });

  test("a file that is not there is named", async () => {
    const { code, stderr } = await run(["rates", "load", "--file", join(folder.path, "none.csv")]);
    expect(stderr).toMatch(/admin rates load: .*none\.csv cannot be read: ENOENT/);
    expect(code).toBe(2);
  });
});

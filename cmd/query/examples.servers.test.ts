import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { eventsWithin } from "../../internal/query/testing/generate/events.ts";
import type { StoredEvent } from "../../internal/query/testing/naive/event.ts";
import { storeEvents } from "../../internal/query/testing/store-events.ts";
import { createMerchant } from "../../internal/store/merchants.ts";
import { openTestDatabase, type TestDatabase } from "../../test/kit/database.ts";
import { launch } from "../../test/kit/launch.ts";
import { NEW_MERCHANT, startTestQuery, type TestQuery } from "./testing/query-service.ts";

// The examples of the pages as they stand there, and the command line client, against the real service.

const ROOT = join(import.meta.dirname, "../..");
const DAY_MS = 86_400_000;
const run = promisify(execFile);

const examples = ["docs/reports.md", "docs/analyses.md"].flatMap((page) =>
  [...readFileSync(join(ROOT, page), "utf8").matchAll(/^```sh\n([\s\S]*?)^```$/gm)].map(([, lines]) =>
    lines!.trim(),
  ),
);

let database: TestDatabase;
let service: TestQuery;
let env: Record<string, string>;
let events: StoredEvent[];

beforeAll(async () => {
  database = await openTestDatabase(4);
  const { merchantId, readKey } = await createMerchant(database.pool, NEW_MERCHANT);
  const today = Math.floor(Date.now() / DAY_MS) * DAY_MS;
  const where = { merchants: [merchantId], from: today - 7 * DAY_MS, to: today - DAY_MS, sessions: 40 };
  const [all] = fc.sample(eventsWithin(where), { numRuns: 1, seed: 18 }) as [StoredEvent[]];
  await storeEvents(database.pool, all, new Map());
  events = all.filter(({ isBot }) => !isBot);
  service = await startTestQuery(database.url);
  env = { FOOTFALL_URL: service.url, FOOTFALL_READ_KEY: readKey };
});
afterAll(async () => {
  await service?.stop();
  await database?.close();
});

test("there are examples of all clients", () => {
  for (const client of ["npx footfall", "curl", "npx buf curl", "grpcurl"]) {
    expect(examples.some((example) => example.startsWith(client))).toBe(true);
  }
});

test.for(examples)("%s", async (example, { skip }) => {
  const program = example.split(" ")[0]!;
  const isThere = await run("sh", ["-c", `command -v ${program}`]).catch(() => undefined);
  if (isThere === undefined) skip(`${program} is not installed`);
  const { stdout } = await run("sh", ["-c", example], { cwd: ROOT, env: { ...process.env, ...env } });
  expect(stdout).toMatch(/visitors/);
});

test("the client shows what a count by hand finds", async () => {
  const args = ["report", "--metrics", "events,visitors", "--by", "page", "--last", "30d", "--limit", "1000"];
  const main = join(ROOT, "cmd/footfall/main.ts");
  const { stdout } = await launch(main, { args: [...args, "--format", "json"], env }).finished;
  const { rows, totals } = JSON.parse(stdout) as { rows: Record<string, unknown>[]; totals: object };
  const pages = Map.groupBy(events, ({ texts }) => texts.page || null);
  const visitors = (some: readonly StoredEvent[]) => new Set(some.map(({ visitor }) => visitor)).size;
  const counted = [...pages].map(([name, some]) => ({
    page: name,
    events: some.length,
    visitors: visitors(some),
  }));
  const byPage = (list: object[]) => list.map((row) => JSON.stringify(row)).sort();
  expect(byPage(rows)).toEqual(byPage(counted));
  expect(totals).toEqual({ events: events.length, visitors: visitors(events) });
});

import { execFileSync } from "node:child_process";
import { copyFile, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Granularity } from "../../internal/gen/footfall/query/v1/period_pb.js";
import { Traffic } from "../../internal/gen/footfall/query/v1/scope_pb.js";
import type { CreatedMerchant } from "../../internal/store/merchants.ts";
import { createTestMerchant, startTestInstallation, type TestInstallation } from "../kit/installation.ts";
import { bearer, grpcQueryClient } from "../kit/installation-clients.ts";
import { ledgerTotals, storedRows } from "../kit/installation-recount.ts";
import { localDays, reportNumbers, waitUntilReported } from "../kit/installation-reports.ts";
import { waitFor } from "../kit/installation-wait.ts";
import { launch } from "../kit/launch.ts";
import { sharedData } from "../kit/shared-data.ts";

const REAL = sharedData("access.log");
const realTitle = REAL === undefined ? "skipped: ../shared/data/access.log is absent; " : "";

let footfall: TestInstallation;
beforeAll(async () => {
  footfall = await startTestInstallation();
});
afterAll(() => footfall?.close());

/** Logs of 2015 are older than the usual retention. */
function createLogOwner(): Promise<CreatedMerchant> {
  return createTestMerchant(footfall.pool, { retentionDays: 7_300 });
}

function startReader(file: string, { writeKey }: CreatedMerchant, ...more: string[]) {
  const key = { FOOTFALL_COLLECTOR_ACCESS_LOG_KEY: writeKey, FOOTFALL_COLLECTOR_OPS_PORT: "0" };
  return launch("collector", { args: ["--access-log", file, ...more], env: { ...footfall.env, ...key } });
}

/** Reads a log to its end; @returns the summary that the collector prints. */
async function readLog(file: string, merchant: CreatedMerchant) {
  const { code, stdout, stderr } = await startReader(file, merchant).finished;
  expect(code).toBe(0);
  return { summary: JSON.parse(stdout.trimEnd().split("\n").at(-1)!), stderr };
}

/** Events by UTC day of May 2015, by the report; bots' too unless told otherwise. */
async function reportedDays(merchant: CreatedMerchant, includeBots = true): Promise<Record<string, number>> {
  const client = grpcQueryClient(footfall.queryUrl);
  await waitUntilReported(client, merchant, Date.now());
  const days = [Date.UTC(2015, 4, 1), Date.UTC(2015, 4, 31)];
  const request = localDays(days, "UTC", Granularity.DAY, includeBots ? Traffic.ALL : Traffic.PEOPLE);
  const { buckets } = reportNumbers(await client.runReport(request, bearer(merchant.readKey)));
  return Object.fromEntries(
    [...buckets].map(([ms, { events }]) => [new Date(ms).toISOString().slice(8, 10), Number(events)]),
  );
}

/** Rows of a merchant that are people's, without the report's SQL. */
async function peopleBySql({ merchantId }: CreatedMerchant): Promise<number> {
  const { rows } = await footfall.pool.query<{ is_bot: boolean; n: number }>(
    "SELECT is_bot, count(*)::integer AS n FROM events WHERE merchant_id = $1 GROUP BY 1",
    [merchantId],
  );
  return rows.find(({ is_bot }) => !is_bot)!.n;
}

/** 300 lines of four days, among them two that are the same but for where they stand, and two that are no lines. */
async function writeLog(name: string): Promise<string> {
  const lines = Array.from({ length: 300 }, (_, index) => {
    const time = `${String(11 + Math.floor(index / 75))}/May/2015:10:${String(index % 60).padStart(2, "0")}:00 +0000`;
    return `192.0.2.${index % 50} - - [${time}] "GET /page/${index} HTTP/1.1" 200 512 "-" "Mozilla/5.0 (${index})"`;
  });
  lines[7] = lines[6]!;
  lines[100] = lines[100]!.slice(0, -1);
  lines[200] = "not a line of a log";
  const path = join(footfall.dataDir, name);
  await writeFile(path, `${lines.join("\n")}\n`);
  return path;
}

test("a log read twice, from another path by another collector, counts once", async () => {
  const merchant = await createLogOwner();
  const file = await writeLog("small.log");
  const { summary, stderr } = await readLog(file, merchant);
  expect(summary).toEqual({ lines: 300, accepted: 298, duplicates: 0, rejected: 2 });
  const refused = stderr.split("\n").filter((line) => line.includes('"line refused"'));
  expect(refused.map((line) => JSON.parse(line).line)).toEqual([101, 201]);
  const days = { "11": 75, "12": 74, "13": 74, "14": 75 };
  expect(await reportedDays(merchant)).toEqual(days);
  const before = await ledgerTotals(footfall.pool);
  const copy = join(footfall.dataDir, "rotated.log");
  await copyFile(file, copy);
  await readLog(copy, merchant);
  expect(await reportedDays(merchant)).toEqual(days);
  expect(await storedRows(footfall.pool, merchant.merchantId)).toEqual({ rows: 298, distinct: 298 });
  const after = await ledgerTotals(footfall.pool);
  expect(after.stored).toBe(before.stored);
  expect(after.duplicates - before.duplicates).toBe(298);
});

test("a followed log, its reader killed and started again, counts every line once", async () => {
  const merchant = await createLogOwner();
  const file = await writeLog("followed.log");
  const stored = async (rows: number) => (await storedRows(footfall.pool, merchant.merchantId)).rows === rows;
  const killed = startReader(file, merchant, "--follow");
  await waitFor("the log's rows", () => stored(298));
  killed.process.kill("SIGKILL");
  await killed.finished;
  const grown = (await readFile(file, "utf8")).replaceAll("/page/", "/more/");
  await writeFile(file, grown, { flag: "a" });
  const restarted = startReader(file, merchant, "--follow");
  await waitFor("the added rows", () => stored(596));
  restarted.process.kill("SIGTERM");
  const { code, stdout } = await restarted.finished;
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toEqual({ lines: 600, accepted: 596, duplicates: 0, rejected: 4 });
  expect(await reportedDays(merchant)).toEqual({ "11": 150, "12": 148, "13": 148, "14": 150 });
});

test.skipIf(REAL === undefined)(
  `${realTitle}the real log: 9,999 lines of 10,000, each on its day, also when it is read again`,
  async () => {
    const merchant = await createLogOwner();
    // Lines whose last field ends with a quote, by the day of their fourth field.
    const script = `/"$/ { n[substr($4, 2, 2)]++ } END { for (d in n) print d, n[d] }`;
    const counted = execFileSync("awk", [script, REAL!], { encoding: "utf8" }).trim().split("\n");
    const days = Object.fromEntries(counted.map((line) => [line.split(" ")[0], Number(line.split(" ")[1])]));
    expect(days).toEqual({ "17": 1_632, "18": 2_893, "19": 2_896, "20": 2_578 });
    const first = await readLog(REAL!, merchant);
    expect(first.summary).toEqual({ lines: 10_000, accepted: 9_999, duplicates: 0, rejected: 1 });
    expect(await reportedDays(merchant)).toEqual(days);
    const people = Object.values(await reportedDays(merchant, false)).reduce((sum, events) => sum + events);
    expect(people).toBe(await peopleBySql(merchant));
    // Of the real log's lines, three in ten are bots': internal/aggregate/steps/access-log.test.ts knows which.
    expect(people).toBe(9_999 - 2_898);
    const again = await readLog(REAL!, merchant);
    expect(again.summary).toEqual({ lines: 10_000, accepted: 9_999, duplicates: 0, rejected: 1 });
    expect(await reportedDays(merchant)).toEqual(days);
    expect(await storedRows(footfall.pool, merchant.merchantId)).toEqual({ rows: 9_999, distinct: 9_999 });
  },
);

import { execFileSync } from "node:child_process";
import { timestampMs } from "@bufbuild/protobuf/wkt";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { GetGoalReportResponse } from "../../internal/gen/footfall/report/v1/report_pb.js";
import type { CreatedMerchant } from "../../internal/store/merchants.ts";
import {
  createNeighbours,
  createTestMerchant,
  startTestInstallation,
  type TestInstallation,
} from "../kit/installation.ts";
import {
  bearer,
  collectClient,
  postJson,
  type QueryClient,
  queryClient,
  queryClients,
  refusalOf,
} from "../kit/installation-clients.ts";
import { launch } from "../kit/installation-programs.ts";
import { allDays, waitUntilReported } from "../kit/installation-reports.ts";
import { testKey } from "../kit/keys.ts";
import { sharedData } from "../kit/shared-data.ts";

const LOG = sharedData("access.log");

let footfall: TestInstallation;
let client: QueryClient;
beforeAll(async () => {
  footfall = await startTestInstallation();
  client = queryClient(footfall.queryUrl);
});
afterAll(() => footfall?.close());

/** Runs `admin goals add`, as an operator would. */
async function addGoal({ merchantId }: CreatedMerchant, name: string, ...flags: string[]): Promise<void> {
  const args = ["goals", "add", "--merchant", String(merchantId), "--name", name, ...flags];
  const { exitCode, stderr } = await launch("admin", args, { DATABASE_URL: footfall.databaseUrl }).finished;
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
}

const totals = ({ results }: GetGoalReportResponse) =>
  results.map(({ goal, conversions, visitors, valueMicros }) => [
    goal!.name,
    conversions!.total,
    visitors!.total,
    valueMicros!.total,
  ]);

/**
 * Counts lines of the log with awk, by its fields: $1 the address, $4 the time, $6 the method, $7 the target, $9 the
 * status. A visitor without an id is a truncated address, an agent and a day.
 * @param condition over the line, its `path` and its `query`. @returns lines, visitors, and lines by day of May 2015.
 */
function awk(condition: string): { lines: bigint; visitors: bigint; days: bigint[] } {
  const script = `/"$/ {
      path = $7; sub(/[?#].*/, "", path); query = $7; sub(/^[^?]*/, "", query)
      if (!(${condition})) next
      lines++; days[substr($4, 2, 2)]++
      network = $1; sub(/[.][0-9]+$/, "", network); split($0, quoted, "\\"")
      visitor = network " " substr($4, 2, 2) " " quoted[6]
      if (!(visitor in seen)) { seen[visitor]; visitors++ }
    }
    END { print lines + 0, visitors + 0, days["17"] + 0, days["18"] + 0, days["19"] + 0, days["20"] + 0 }`;
  const counted = execFileSync("awk", [script, LOG!], { encoding: "utf8" }).trim().split(" ").map(BigInt);
  return { lines: counted[0]!, visitors: counted[1]!, days: counted.slice(2) };
}

const LOG_GOALS: readonly (readonly [name: string, flags: string[], condition: string])[] = [
  ["Presentations", ["--page-pattern", "/presentations/**"], "path ~ /^[/]presentations[/]/"],
  [
    "A tag of the blog",
    ["--event-name", "page_view", "--page-pattern", "/blog/tags/*", "--value", "0.25"],
    // A page view is a successful GET; a feed is no page.
    `path ~ /^[/]blog[/]tags[/][^/]*$/ && query !~ /flav=rss/ && $6 == "\\"GET" && ($9 ~ /^2/ || $9 == 304)`,
  ],
  ["A project", ["--page-pattern", "/projects/*/"], "path ~ /^[/]projects[/][^/]*[/]$/"],
  [
    "A picture of a slide",
    ["--page-pattern", "/presentations/**/images/*.png"],
    "path ~ /^[/]presentations[/].*[/]images[/][^/]*[.]png$/",
  ],
  ["Errors' page", ["--event-name", "no such event"], "0"],
];

test.skipIf(LOG === undefined)(
  `goals made after a real access log was read count its lines${LOG === undefined ? " (skipped: ../shared/data/access.log is absent)" : ""}`,
  async () => {
    const merchant = await createTestMerchant(footfall.pool, { retentionDays: 7_300 });
    const env = { FOOTFALL_COLLECTOR_ACCESS_LOG_KEY: merchant.writeKey, FOOTFALL_COLLECTOR_OPS_PORT: "0" };
    const reader = launch("collector", ["--access-log", LOG!], { ...footfall.env, ...env });
    expect((await reader.finished).exitCode).toBe(0);
    await waitUntilReported(client, merchant, Date.now());
    for (const [name, flags] of LOG_GOALS) await addGoal(merchant, name, ...flags);
    const range = { case: "dates", value: { start: "2015-05-17", end: "2015-05-20" } } as const;
    const answer = await client.getGoalReport({ range, includeBots: true }, bearer(merchant.readKey));
    const counted = LOG_GOALS.map(([, , condition]) => awk(condition));
    expect(counted[0]).toMatchObject({ lines: 2_304n, visitors: 373n });
    expect(answer.results.map(({ conversions, visitors }) => [conversions!.total, visitors!.total])).toEqual(
      counted.map(({ lines, visitors }) => [lines, visitors]),
    );
    expect(answer.results.map(({ conversions }) => conversions!.values)).toEqual(
      counted.map(({ days }) => days),
    );
    expect(answer.results[1]!.valueMicros!.total).toBe(counted[1]!.lines * 250_000n);
    expect(answer.visitors!.total).toBe(awk("1").visitors);
    const people = await client.getGoalReport({ range }, bearer(merchant.readKey));
    expect(people.results[0]!.conversions!.total).toBeLessThan(counted[0]!.lines);
  },
);

test("merchants of one partition see neither each other's goals nor each other's conversions", async () => {
  const [a, b] = await createNeighbours(footfall.pool);
  const [name, url] = ["purchase", "https://shop.example/checkout/1/thanks"];
  const order = (id: string) => ({ id, revenueMicros: 5_000_000n, currency: "EUR" });
  const bought = (id: string) => ({ name, url, visitorId: "the same person", order: order(id) });
  const collect = collectClient(footfall.collectorUrl);
  await collect.send(
    { events: [bought("1"), bought("2"), { name, visitorId: "nowhere" }] },
    bearer(a.writeKey),
  );
  await collect.send({ events: [bought("1")] }, bearer(b.writeKey));
  await Promise.all([a, b].map((merchant) => waitUntilReported(client, merchant, Date.now())));
  await addGoal(a, "Bought", "--event-name", name);
  await addGoal(a, "Thanked", "--page-pattern", "/checkout/*/thanks", "--value", "1.5");
  await addGoal(b, "Bought too", "--page-pattern", "/checkout/**");
  const { range } = allDays(1);
  const report = (key: string, more = {}) => client.getGoalReport({ range: range!, ...more }, bearer(key));
  expect(totals(await report(a.readKey))).toEqual([
    ["Bought", 3n, 2n, 10_000_000n],
    ["Thanked", 2n, 1n, 3_000_000n],
  ]);
  expect(totals(await report(b.readKey))).toEqual([["Bought too", 1n, 1n, 5_000_000n]]);
  // Goal 2 is A's; B cannot tell it from one that is not there.
  const refused = await refusalOf(report(b.readKey, { goalIds: [2] }));
  expect([refused.code, refused.message]).toEqual([
    "InvalidArgument",
    'goal_ids "2" is no goal of the merchant',
  ]);
  for (const call of [
    report(b.readKey, { merchantId: a.merchantId }),
    client.listGoals({ merchantId: a.merchantId }, bearer(b.readKey)),
    client.listGoals({ merchantId: 4_000_000 }, bearer(b.readKey)),
  ]) {
    expect((await refusalOf(call)).code).toBe("PermissionDenied");
  }
  for (const key of [a.writeKey, testKey("ffr_unknown")]) {
    expect((await refusalOf(client.listGoals({}, bearer(key)))).code).toBe("Unauthenticated");
    expect((await refusalOf(report(key))).code).toBe("Unauthenticated");
  }
});

test("goals are listed and reported over every protocol, and as JSON", async () => {
  const merchant = await createTestMerchant(footfall.pool);
  const before = Date.now();
  await addGoal(merchant, "Sign-up", "--event-name", "sign_up", "--value", "0");
  await addGoal(merchant, "Anywhere", "--page-pattern", "**");
  const { range } = allDays(1);
  for (const each of Object.values(queryClients(footfall.queryUrl))) {
    const { merchantId, currency, goals } = await each.listGoals({}, bearer(merchant.readKey));
    expect({ merchantId, currency }).toEqual({ merchantId: merchant.merchantId, currency: "EUR" });
    expect(goals).toMatchObject([
      { goalId: 1, name: "Sign-up", eventName: "sign_up", pagePattern: "", valueMicros: 0n },
      { goalId: 2, name: "Anywhere", eventName: "", pagePattern: "**" },
    ]);
    expect(goals[1]!.valueMicros).toBeUndefined();
    expect(Math.abs(timestampMs(goals[0]!.createdTime!) - before)).toBeLessThan(60_000);
    const report = await each.getGoalReport({ range: range! }, bearer(merchant.readKey));
    expect(report.results.map(({ goal }) => goal)).toEqual(goals);
    expect(report.buckets).toHaveLength(report.visitors!.values.length);
  }
  const rpc = "footfall.report.v1.QueryService/GetGoalReport";
  const dates = { start: "2025-03-29", end: "2025-03-30" };
  const json = await postJson(footfall.queryUrl, rpc, merchant.readKey, { dates, goalIds: [1] });
  expect(json.status).toBe(200);
  expect(json.body).toMatchObject({
    currency: "EUR",
    granularity: "GRANULARITY_DAY",
    visitors: { values: ["0", "0"] },
    results: [
      { goal: { goalId: 1, name: "Sign-up", valueMicros: "0" }, conversions: { values: ["0", "0"] } },
    ],
  });
  const wrong = await postJson(footfall.queryUrl, rpc, merchant.readKey, { dates, timeZone: "Mars/Base" });
  expect(wrong.body).toMatchObject({
    code: "invalid_argument",
    message: expect.stringContaining('time_zone "Mars/Base"'),
  });
});

import { execFileSync } from "node:child_process";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { RunReportRequestSchema } from "../../internal/gen/footfall/query/v1/report_pb.js";
import { Traffic } from "../../internal/gen/footfall/query/v1/scope_pb.js";
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
  grpcQueryClient,
  type QueryClient,
  refusedCall,
} from "../kit/installation-clients.ts";
import { allDays, datesFrom, waitUntilReported } from "../kit/installation-reports.ts";
import { launch } from "../kit/launch.ts";
import { type Cell, tableRows } from "../kit/report-table.ts";
import { sharedData } from "../kit/shared-data.ts";

type Request = Pick<MessageInitShape<typeof RunReportRequestSchema>, "period" | "scope">;

const LOG = sharedData("access.log");

let footfall: TestInstallation;
let client: QueryClient;
beforeAll(async () => {
  footfall = await startTestInstallation();
  client = grpcQueryClient(footfall.queryUrl);
});
afterAll(() => footfall?.close());

/** Runs `admin goals add`, as an operator would. */
async function addGoal({ merchantId }: CreatedMerchant, name: string, ...flags: string[]): Promise<void> {
  const args = ["goals", "add", "--merchant", String(merchantId), "--name", name, ...flags];
  const { code, stderr } = await launch("admin", { args, env: { DATABASE_URL: footfall.databaseUrl } })
    .finished;
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
}

/** The number, visitors and value of some goals, by id, over a period, and then of each of its days. */
async function goalsOf({ readKey }: CreatedMerchant, ids: readonly number[], request: Request) {
  const metrics = ids.flatMap((id) =>
    ["conversions", "visitors", "value"].map((what) => `goal:${id}:${what}`),
  );
  const { table, totals } = await client.runReport(
    { ...request, metrics, dimensions: ["time"] },
    bearer(readKey),
  );
  const split = (cells: readonly Cell[]) => ids.map((_, at) => cells.slice(3 * at, 3 * at + 3));
  const days = tableRows(table!).map((cells) => split(cells.slice(1)));
  return { totals: split(tableRows(totals!)[0]!), days };
}

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
    const reader = launch("collector", { args: ["--access-log", LOG!], env: { ...footfall.env, ...env } });
    expect((await reader.finished).code).toBe(0);
    await waitUntilReported(client, merchant, Date.now());
    for (const [name, flags] of LOG_GOALS) await addGoal(merchant, name, ...flags);
    const period = datesFrom("2015-05-17", "2015-05-20");
    const everyone = { period, scope: { traffic: Traffic.ALL } };
    const ids = LOG_GOALS.map((_, at) => at + 1);
    const answer = await goalsOf(merchant, ids, everyone);
    const counted = LOG_GOALS.map(([, , condition]) => awk(condition));
    expect(counted[0]).toMatchObject({ lines: 2_304n, visitors: 373n });
    expect(answer.totals.map((cells) => cells.slice(0, 2))).toEqual(
      counted.map(({ lines, visitors }) => [lines, visitors]),
    );
    expect(answer.days.map((goals) => goals.map(([conversions]) => conversions))).toEqual(
      [0, 1, 2, 3].map((day) => counted.map(({ days }) => days[day])),
    );
    expect(answer.totals[1]![2]).toBe(counted[1]!.lines * 250_000n);
    const rated = { ...everyone, metrics: ["visitors", "goal:1:conversion_rate"] };
    const [[visitors, rate] = []] = tableRows(
      (await client.runReport(rated, bearer(merchant.readKey))).totals!,
    );
    expect(visitors).toBe(awk("1").visitors);
    expect(rate).toBeCloseTo(373 / Number(visitors), 12);
    const people = await goalsOf(merchant, [1], { period });
    expect(Number(people.totals[0]![0])).toBeLessThan(Number(counted[0]!.lines));
  },
  120_000,
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
  const { period } = allDays(1);
  expect((await goalsOf(a, [1, 2], { period })).totals).toEqual([
    [3n, 2n, 10_000_000n],
    [2n, 1n, 3_000_000n],
  ]);
  expect((await goalsOf(b, [1], { period })).totals).toEqual([[1n, 1n, 5_000_000n]]);
  // Goal 2 is A's; B cannot tell it from one that is not there.
  for (const id of [2, 99]) {
    const { code, message } = await refusedCall(goalsOf(b, [id], { period }));
    expect([code, message]).toEqual([
      "InvalidArgument",
      expect.stringContaining(`metrics[0] "goal:${id}:conversions"`),
    ]);
  }
});

import type { GetGoalReportResponse } from "../gen/footfall/report/v1/report_pb.js";
import { addGoal, type NewGoal } from "../store/goals.ts";
import type { CreatedMerchant } from "../store/merchants.ts";
import type { Pool } from "../store/pool.ts";
import type { Range, Reports } from "./reports.ts";
import { count, money, table } from "./show.ts";

/** What a simulated shop calls a success. */
const GOALS: readonly NewGoal[] = [
  { name: "saw a product", eventName: "page_view", pagePattern: "/p/*", valueMicros: undefined },
  { name: "filled a cart", eventName: "add_to_cart", pagePattern: undefined, valueMicros: 500_000n },
  {
    name: "came to the checkout",
    eventName: "page_view",
    pagePattern: "/checkout",
    valueMicros: undefined,
  },
  { name: "ordered", eventName: "purchase", pagePattern: undefined, valueMicros: undefined },
];

/** Makes a shop's goals, now that its events are stored, and shows what was reached of them in a range. */
export async function goalsTable(pool: Pool, reports: Reports, merchant: CreatedMerchant, range: Range) {
  for (const goal of GOALS) await addGoal(pool, merchant.merchantId, goal);
  return tableOf(await reports.goals(merchant, { range }));
}

function tableOf({ results, visitors, currency }: GetGoalReportResponse): string {
  const all = Number(visitors?.total ?? 0n);
  const rows = results.map((result) => {
    const reached = Number(result.visitors?.total ?? 0n);
    const rate = all === 0 ? "" : `${((100 * reached) / all).toFixed(1)} %`;
    const value = money(Number(result.valueMicros?.total ?? 0n), currency);
    return [
      result.goal?.name ?? "",
      count(Number(result.conversions?.total ?? 0n)),
      count(reached),
      rate,
      value,
    ];
  });
  return table(["goal", "conversions", "visitors", "of all visitors", "value"], rows);
}

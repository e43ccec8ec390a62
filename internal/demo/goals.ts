import { cellText, mannerOf } from "../client/show/value.ts";
import { table } from "../program/table.ts";
import { addGoal, type NewGoal } from "../store/goals.ts";
import type { CreatedMerchant } from "../store/merchants.ts";
import type { Pool } from "../store/pool.ts";
import type { Period, Reports } from "./reports.ts";

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

const METRICS = ["conversions", "visitors", "conversion_rate", "value"];

/** Makes a shop's goals, now that its events are stored, and shows what was reached of them in a period. */
export async function goalsTable(
  pool: Pool,
  reports: Reports,
  merchant: CreatedMerchant,
  period: Period,
): Promise<string> {
  const ids: number[] = [];
  for (const goal of GOALS) ids.push((await addGoal(pool, merchant.merchantId, goal)).goalId);
  const metrics = ids.flatMap((id) => METRICS.map((metric) => `goal:${id}:${metric}`));
  const report = await reports.get(merchant, { period, metrics });
  const manner = mannerOf(report);
  const texts = report.totals.metrics.map(({ now }) => cellText(now.cells[0]!, now.unit, manner));
  const rows = GOALS.map(({ name }, index) => [
    name,
    ...texts.slice(index * METRICS.length, (index + 1) * METRICS.length),
  ]);
  return table(["goal", "conversions", "visitors", "of all visitors", "value"], rows, 1);
}

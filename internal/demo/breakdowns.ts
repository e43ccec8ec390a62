import { parseSteps } from "../client/ask/parse-steps.ts";
import { rowsTable, stepsTable } from "../client/show/table.ts";
import { Comparison_Kind } from "../gen/footfall/query/v1/period_pb.js";
import { parseFilter } from "../query/syntax/parse-filter.ts";
import type { CreatedMerchant } from "../store/merchants.ts";
import type { Period, Reports } from "./reports.ts";

const MOST = 5;

const VISITS = ["visitors", "sessions", "events"];

/** What a channel brings, and what that is worth. */
const WORTH = ["visitors", "sessions", "orders", "revenue", "purchaser_rate"];

/** What merchants ask about first; pages by their views, as a log's lines are of images and scripts too. */
const QUESTIONS: readonly (readonly [dimension: string, metrics: readonly string[]])[] = [
  ["page", ["page_views", "visitors", "time_on_page"]],
  ["entry_page", ["sessions", "visitors", "bounce_rate"]],
  ["item_name", ["item_revenue", "items_bought"]],
  ["channel", WORTH],
  ["source", WORTH],
  ["country", VISITS],
  ["browser", VISITS],
  ["device_type", VISITS],
];

/** A merchant's most usual questions and their answers, one table each; people only. What there is none of is left out. */
export async function usualBreakdowns(
  reports: Reports,
  merchant: CreatedMerchant,
  period: Period,
): Promise<string[]> {
  const tables: string[] = [];
  for (const [dimension, metrics] of QUESTIONS) {
    const question = { period, dimensions: [dimension], metrics: [...metrics] };
    const report = await reports.get(merchant, question, MOST);
    if (report.rows.count > 0) tables.push(rowsTable(report));
  }
  return tables;
}

/** Channels of a period beside the one before, as long. */
export async function comparedChannels(
  reports: Reports,
  merchant: CreatedMerchant,
  period: Period,
): Promise<string> {
  const comparison = { kind: Comparison_Kind.PREVIOUS_PERIOD };
  const metrics = ["visitors", "revenue"];
  const report = await reports.get(merchant, { period, dimensions: ["channel"], metrics, comparison }, MOST);
  return rowsTable(report);
}

/** A filter that asks for what the visitor's session has besides. */
export const FILTER = "device_type==mobile;session(event_name==add_to_cart)";

/** From a product to an order. */
const STEPS =
  "event_name==page_view;page=^/p/ -> event_name==add_to_cart -> page==/checkout -> event_name==purchase";

/** How far visitors come within a session. */
export async function shopFunnel(
  reports: Reports,
  merchant: CreatedMerchant,
  period: Period,
): Promise<string> {
  return stepsTable(await reports.funnel(merchant, { period, steps: parseSteps(STEPS) }));
}

/** Where those come from whom the filter means. */
export async function filteredCountries(
  reports: Reports,
  merchant: CreatedMerchant,
  period: Period,
): Promise<string> {
  const scope = { filter: parseFilter(FILTER) };
  return rowsTable(
    await reports.get(merchant, { scope, period, dimensions: ["country"], metrics: WORTH }, MOST),
  );
}

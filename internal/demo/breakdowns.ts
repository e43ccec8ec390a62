import { Dimension, Metric } from "../gen/footfall/report/v1/report_pb.js";
import type { CreatedMerchant } from "../store/merchants.ts";
import type { Range, Reports } from "./reports.ts";
import { breakdownTable } from "./show.ts";

const MOST = 5;

const VISITS = [Metric.VISITORS, Metric.SESSIONS, Metric.EVENTS];

/** What a channel brings, and what that is worth. */
const WORTH = [Metric.VISITORS, Metric.SESSIONS, Metric.ORDERS, Metric.REVENUE];

const ITEMS = [Metric.ITEM_REVENUE, Metric.ITEM_QUANTITY];

/** What merchants ask about first; pages by their views, as a log's lines are of images and scripts too. */
const QUESTIONS = [
  ["page", Dimension.PAGE, [Metric.PAGE_VIEWS, Metric.VISITORS, Metric.SESSIONS]],
  ["entry page", Dimension.ENTRY_PAGE, [Metric.SESSIONS, Metric.VISITORS, Metric.PAGE_VIEWS]],
  ["item", Dimension.ITEM_NAME, ITEMS],
  ["channel", Dimension.CHANNEL, WORTH],
  ["source", Dimension.SOURCE, WORTH],
  ["country", Dimension.COUNTRY, VISITS],
  ["browser", Dimension.BROWSER, VISITS],
  ["device", Dimension.DEVICE_TYPE, VISITS],
] as const;

/** A merchant's most usual questions and their answers, one table each; people only. What there is none of is left out. */
export async function usualBreakdowns(
  reports: Reports,
  merchant: CreatedMerchant,
  range: Range,
): Promise<string[]> {
  const tables: string[] = [];
  for (const [title, dimension, metrics] of QUESTIONS) {
    const breakdown = await reports.breakdown(merchant, {
      range,
      dimension,
      metrics: [...metrics],
      limit: MOST,
    });
    if (breakdown.values.length > 0) tables.push(breakdownTable(title, breakdown));
  }
  return tables;
}

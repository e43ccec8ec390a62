import { Dimension, Metric } from "../gen/footfall/query/v1/query_pb.js";
import type { CreatedMerchant } from "../store/merchants.ts";
import type { Range, Reports } from "./reports.ts";
import { breakdownTable } from "./show.ts";

const MOST = 5;

const VISITS = [Metric.VISITORS, Metric.SESSIONS, Metric.EVENTS];

/** What merchants ask about first; pages by their views, as a log's lines are of images and scripts too. */
const QUESTIONS = [
  ["page", Dimension.PAGE, [Metric.PAGE_VIEWS, Metric.VISITORS, Metric.SESSIONS]],
  ["channel", Dimension.CHANNEL, VISITS],
  ["source", Dimension.SOURCE, VISITS],
  ["country", Dimension.COUNTRY, VISITS],
  ["browser", Dimension.BROWSER, VISITS],
  ["device", Dimension.DEVICE_TYPE, VISITS],
] as const;

/** A merchant's most usual questions and their answers, one table each; people only. */
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
    tables.push(breakdownTable(title, breakdown));
  }
  return tables;
}

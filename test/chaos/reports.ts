import { type Client, createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { Granularity } from "../../internal/gen/footfall/query/v1/period_pb.js";
import { QueryService } from "../../internal/gen/footfall/query/v1/query_pb.js";
import type { RunReportResponse } from "../../internal/gen/footfall/query/v1/report_pb.js";
import { Traffic } from "../../internal/gen/footfall/query/v1/scope_pb.js";
import { withRetry } from "../../internal/lifecycle/retry.ts";
import type { CreatedMerchant } from "../../internal/store/merchants.ts";
import { datesFrom } from "../kit/installation-reports.ts";
import { tableRows } from "../kit/report-table.ts";
import type { Totals } from "./ack-ledger.ts";
import { LATEST_DAYS } from "./traffic.ts";

/** By the places of their columns, behind that of the days. */
const METRICS = ["events", "page_views", "orders", "revenue"] as const;

const DAY_MS = 86_400_000;
const TRY_MS = 5_000;
const AGAIN = { firstMs: 200, longestMs: 400 };

/** Asks the query service as a merchant's own program would, again when it does not answer. */
export class Reports {
  readonly #client: Client<typeof QueryService>;

  constructor(url: string) {
    this.#client = createClient(QueryService, createGrpcTransport({ baseUrl: url }));
  }

  /**
   * A merchant's totals over all days that its events may lie on.
   * @throws the last error when there is no answer within `timeoutMs`.
   */
  async totals(merchant: CreatedMerchant, timeoutMs: number): Promise<Totals> {
    const [events, pageViews, orders, revenueMicros] = await this.#inTries(merchant, METRICS, timeoutMs);
    return { events: events!, pageViews: pageViews!, orders: orders!, revenueMicros: revenueMicros! };
  }

  /** How many events a merchant has, by the report that asks for nothing else. @throws as totals does. */
  async events(merchant: CreatedMerchant, timeoutMs: number): Promise<number> {
    const [events] = await this.#inTries(merchant, ["events"], timeoutMs);
    return events!;
  }

  async #inTries(merchant: CreatedMerchant, metrics: readonly string[], timeoutMs: number) {
    const report = await withRetry(() => this.#ask(merchant, metrics), { ...AGAIN, withinMs: timeoutMs });
    return totalsOf(report, metrics);
  }

  #ask({ readKey }: CreatedMerchant, metrics: readonly string[]): Promise<RunReportResponse> {
    const day = (offset: number) => new Date(Date.now() + offset * DAY_MS).toISOString().slice(0, 10);
    return this.#client.runReport(
      {
        period: datesFrom(day(-LATEST_DAYS - 2), day(2)),
        // A hostile client looks like none of a person's.
        scope: { timeZone: "UTC", traffic: Traffic.ALL },
        metrics: [...metrics],
        dimensions: ["time"],
        granularity: Granularity.DAY,
      },
      { headers: { authorization: `Bearer ${readKey}` }, timeoutMs: TRY_MS },
    );
  }
}

/** @throws when the days do not add up to the totals. */
function totalsOf({ table, totals }: RunReportResponse, metrics: readonly string[]): number[] {
  const days = tableRows(table!);
  const [total] = tableRows(totals!);
  return metrics.map((metric, at) => {
    const sum = days.reduce((all, cells) => all + (cells[at + 1] as bigint), 0n);
    if (sum !== total![at]) throw new Error(`${metric}: days add up to ${sum}, the total is ${total![at]}`);
    return Number(sum);
  });
}

import { create } from "@bufbuild/protobuf";
import { type Timestamp, timestampFromMs } from "@bufbuild/protobuf/wkt";
import * as wire from "../gen/footfall/report/v1/report_pb.js";
import type { Freshness } from "../store/freshness.ts";
import { type ItemMetricName, isItemMetric } from "./breakdown/item-metrics.ts";
import type { BreakdownMetric } from "./breakdown/plan.ts";
import type { DimensionName } from "./dimensions/registry.ts";
import { InvalidInput } from "./errors.ts";
import { fitInt64 } from "./fit.ts";
import type { Breakdown, BreakdownRequest, BreakdownSeries } from "./get-breakdown.ts";
import type { Report, ReportRequest, Series } from "./get-report.ts";
import type { Unit } from "./metrics/metric.ts";
import type { SeriesName } from "./metrics/registry.ts";
import type { Granularity } from "./time/edges.ts";

const METRIC: Readonly<Record<SeriesName, wire.Metric>> = {
  events: wire.Metric.EVENTS,
  page_views: wire.Metric.PAGE_VIEWS,
  visitors: wire.Metric.VISITORS,
  sessions: wire.Metric.SESSIONS,
  revenue: wire.Metric.REVENUE,
  orders: wire.Metric.ORDERS,
};

const ITEM_METRIC: Readonly<Record<ItemMetricName, wire.Metric>> = {
  item_quantity: wire.Metric.ITEM_QUANTITY,
  item_revenue: wire.Metric.ITEM_REVENUE,
};

const BREAKDOWN_METRIC: Readonly<Record<BreakdownMetric, wire.Metric>> = { ...METRIC, ...ITEM_METRIC };

const DIMENSION: Readonly<Record<DimensionName, wire.Dimension>> = {
  event_name: wire.Dimension.EVENT_NAME,
  page: wire.Dimension.PAGE,
  entry_page: wire.Dimension.ENTRY_PAGE,
  exit_page: wire.Dimension.EXIT_PAGE,
  host: wire.Dimension.HOST,
  referrer_host: wire.Dimension.REFERRER_HOST,
  language: wire.Dimension.LANGUAGE,
  channel: wire.Dimension.CHANNEL,
  source: wire.Dimension.SOURCE,
  medium: wire.Dimension.MEDIUM,
  campaign: wire.Dimension.CAMPAIGN,
  country: wire.Dimension.COUNTRY,
  region: wire.Dimension.REGION,
  city: wire.Dimension.CITY,
  browser: wire.Dimension.BROWSER,
  os: wire.Dimension.OS,
  device_type: wire.Dimension.DEVICE_TYPE,
  bot_name: wire.Dimension.BOT_NAME,
  bot_kind: wire.Dimension.BOT_KIND,
  item_id: wire.Dimension.ITEM_ID,
  item_name: wire.Dimension.ITEM_NAME,
  item_brand: wire.Dimension.ITEM_BRAND,
  item_category: wire.Dimension.ITEM_CATEGORY,
};

const GRANULARITY: Readonly<Record<Granularity, wire.Granularity>> = {
  minute: wire.Granularity.MINUTE,
  quarter_hour: wire.Granularity.QUARTER_HOUR,
  hour: wire.Granularity.HOUR,
  day: wire.Granularity.DAY,
  week: wire.Granularity.WEEK,
  month: wire.Granularity.MONTH,
};

const UNIT: Readonly<Record<Unit, wire.Unit>> = {
  count: wire.Unit.COUNT,
  currency_micros: wire.Unit.CURRENCY_MICROS,
  micros: wire.Unit.MICROS,
};

/**
 * The plain values of a request, without the merchant, which is the handler's to check.
 *
 * @throws InvalidInput on "range", "times.start", "times.end", "granularity" or "metrics".
 */
export function requestFromWire(request: wire.GetReportRequest): ReportRequest {
  return {
    range: rangeFromWire(request.range),
    timeZone: request.timeZone === "" ? undefined : request.timeZone,
    granularity:
      request.granularity === wire.Granularity.UNSPECIFIED
        ? undefined
        : nameOf("granularity", GRANULARITY, request.granularity),
    metrics: request.metrics.map(reportMetric),
    includeBots: request.includeBots,
    exact: request.exact,
  };
}

function reportMetric(metric: wire.Metric): SeriesName {
  const name = nameOf("metrics", BREAKDOWN_METRIC, metric);
  if (isItemMetric(name)) {
    throw new InvalidInput(
      "metrics",
      name,
      "is a metric of items: only breakdowns by their dimensions have it",
    );
  }
  return name;
}

/** The wire form of a report. */
export function reportToWire(report: Report): wire.GetReportResponse {
  const { edges } = report;
  return create(wire.GetReportResponseSchema, {
    merchantId: report.merchantId,
    timeZone: report.timeZone,
    granularity: GRANULARITY[report.granularity],
    currency: report.currency,
    buckets: edges.slice(1).map((end, index) => ({
      start: timestampFromMs(edges[index]!),
      end: timestampFromMs(end),
    })),
    series: report.series.map(seriesToWire),
    ...freshnessToWire(report),
    unconvertedOrders: report.unconvertedOrders,
  });
}

/**
 * The plain values of a breakdown's request, without the merchant.
 *
 * @throws InvalidInput as requestFromWire, and on "dimension".
 */
export function breakdownFromWire(request: wire.GetBreakdownRequest): BreakdownRequest {
  return {
    range: rangeFromWire(request.range),
    timeZone: request.timeZone === "" ? undefined : request.timeZone,
    dimension: nameOf("dimension", DIMENSION, request.dimension),
    metrics: request.metrics.map((metric) => nameOf("metrics", BREAKDOWN_METRIC, metric)),
    limit: request.limit === 0 ? undefined : request.limit,
    includeBots: request.includeBots,
    exact: request.exact,
  };
}

/** The wire form of a breakdown. */
export function breakdownToWire(breakdown: Breakdown): wire.GetBreakdownResponse {
  const { merchantId, timeZone, currency, dimension, values, valuesFound } = breakdown;
  return create(wire.GetBreakdownResponseSchema, {
    merchantId,
    timeZone,
    currency,
    dimension: DIMENSION[dimension],
    values: [...values],
    series: breakdown.series.map(breakdownSeriesToWire),
    valuesFound,
    ...freshnessToWire(breakdown),
  });
}

function seriesToWire({ metric, unit, standardError = 0, ...numbers }: Series | BreakdownSeries) {
  return { metric: BREAKDOWN_METRIC[metric], unit: UNIT[unit], ...fitInt64(numbers), standardError };
}

function breakdownSeriesToWire({ standardErrors = [], ...series }: BreakdownSeries) {
  return { ...seriesToWire(series), standardErrors: [...standardErrors] };
}

function freshnessToWire({ dataThrough, delayedEvents, delayedSince }: Freshness) {
  return {
    ...(dataThrough !== undefined && { dataThrough: timestampFromMs(dataThrough) }),
    delayedEvents,
    ...(delayedSince !== undefined && { delayedSince: timestampFromMs(delayedSince) }),
  };
}

function rangeFromWire(range: wire.GetReportRequest["range"]): ReportRequest["range"] {
  switch (range.case) {
    case "dates":
      return { kind: "dates", start: range.value.start, end: range.value.end };
    case "times":
      return {
        kind: "times",
        startNs: nanoseconds("times.start", range.value.start),
        endNs: nanoseconds("times.end", range.value.end),
      };
    case undefined:
      throw new InvalidInput("range", undefined, "is required: dates or times");
  }
}

function nanoseconds(field: string, time: Timestamp | undefined): bigint {
  if (time === undefined) throw new InvalidInput(field, undefined, "is required");
  return time.seconds * 1_000_000_000n + BigInt(time.nanos);
}

/** The plain name of an enum's value; the wire may carry numbers that this program does not know. */
function nameOf<N extends string>(field: string, table: Readonly<Record<N, number>>, value: number): N {
  const name = (Object.keys(table) as N[]).find((key) => table[key] === value);
  if (name === undefined) throw new InvalidInput(field, value, "is not one of the known values");
  return name;
}

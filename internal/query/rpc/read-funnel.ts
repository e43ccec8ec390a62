import type { Duration } from "@bufbuild/protobuf/wkt";
import { FunnelOrder, type RunFunnelRequest } from "../../gen/footfall/query/v1/funnel_pb.js";
import { Granularity } from "../../gen/footfall/query/v1/period_pb.js";
import { canBreakDown } from "../plan/compatible.ts";
import type { FunnelQuestion } from "../question/funnel.ts";
import { type Merchant, positionCount } from "../question/question.ts";
import { FUNNEL_METRICS } from "../run/funnel-table.ts";
import { MOST_VALUES } from "../run/pages.ts";
import { questionKey } from "../run/question-key.ts";
import type { Dimension } from "../schema/field.ts";
import type { Schema } from "../schema/schema.ts";
import { DAY_MS } from "../time/calendar.ts";
import { InvalidField } from "../time/invalid-field.ts";
import type { AskedAbout } from "./asked.ts";
import { nameOf, unknown } from "./field-errors.ts";
import { filterReader } from "./read-filter.ts";
import { readSteps } from "./read-funnel-steps.ts";
import { readScope } from "./read-scope.ts";
import { readWhen } from "./read-when.ts";

export type AskedFunnel = AskedAbout<FunnelQuestion>;

const LONGEST_WINDOW_MS = 90 * DAY_MS;
const DEFAULT_TOP_VALUES = 5;
const MOST_TOP_VALUES = 100;

const ORDER: Readonly<Record<FunnelQuestion["order"], FunnelOrder>> = {
  in_order: FunnelOrder.IN_ORDER,
  strict: FunnelOrder.STRICT,
  any: FunnelOrder.ANY,
};

/**
 * Reads a request.
 * @param schema what the merchant may ask for. @param now ms since 1970-01-01 UTC.
 * @throws Failure "invalid" that names the field.
 */
export function readFunnel(
  request: RunFunnelRequest,
  merchant: Merchant,
  schema: Schema,
  now: number,
): AskedFunnel {
  const { scope } = request;
  const readingScope = readScope(scope, merchant);
  const hasTime = request.granularity !== Granularity.UNSPECIFIED;
  const { spans, ...when } = readWhen(request, readingScope.timeZone, hasTime, now);
  const order =
    request.order === FunnelOrder.UNSPECIFIED ? "in_order" : nameOf("order", ORDER, request.order);
  const readFilter = filterReader(schema.dimension);
  const breakdown = readBreakdown(request.breakdown, schema);
  const question: FunnelQuestion = {
    merchant,
    ...readingScope,
    spans,
    filter: scope?.filter && readFilter(scope.filter, "scope.filter"),
    steps: readSteps(request.steps, order, readFilter),
    order,
    windowMs: readWindow(request.window),
    breakdown,
    topValues: readTopValues(request.topValues, breakdown),
  };
  checkSize(question);
  return { question, key: questionKey(question), now, ...when };
}

/** @returns ms; undefined for the session. */
function readWindow(window: Duration | undefined): number | undefined {
  if (window === undefined) return undefined;
  const ms = Number(window.seconds) * 1_000 + window.nanos / 1e6;
  if (ms >= 1_000 && ms <= LONGEST_WINDOW_MS && Number.isInteger(ms)) return ms;
  throw new InvalidField("window", `${ms / 1_000} s`, "1 second to 90 days, in whole milliseconds");
}

function readBreakdown(name: string, schema: Schema): Dimension | undefined {
  if (name === "") return undefined;
  const dimension = schema.dimension(name);
  if (dimension === undefined) {
    const possible = schema.dimensions.filter(canBreakDown);
    throw unknown(
      "breakdown",
      name,
      possible.map((each) => each.name),
    );
  }
  if (canBreakDown(dimension)) return dimension;
  const allowed = "a dimension of which an event has one value; for time there is granularity";
  throw new InvalidField("breakdown", name, allowed, "NOT_COMPATIBLE");
}

function readTopValues(topValues: number, breakdown: Dimension | undefined): number {
  if (topValues > MOST_TOP_VALUES) throw new InvalidField("top_values", topValues, `1 to ${MOST_TOP_VALUES}`);
  if (topValues > 0 && breakdown === undefined) {
    throw new InvalidField("top_values", topValues, "absent without a breakdown", "NOT_COMPATIBLE");
  }
  return topValues === 0 ? DEFAULT_TOP_VALUES : topValues;
}

/** An answer is one message: what it has at most must be no more than that may. */
function checkSize({ steps, spans, breakdown, topValues }: FunnelQuestion): void {
  const columns = 2 + spans.length * (1 + 2 * Object.keys(FUNNEL_METRICS).length);
  const most = Math.floor(MOST_VALUES / columns);
  const buckets = Math.max(1, positionCount(spans));
  const rows = steps.length * (breakdown === undefined ? 1 : topValues) * buckets;
  if (rows <= most) return;
  const value = `${rows} rows of steps, values and buckets`;
  throw new InvalidField(
    buckets > 1 ? "granularity" : "top_values",
    value,
    `such that there are at most ${most}`,
  );
}

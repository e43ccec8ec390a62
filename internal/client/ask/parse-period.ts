import type { MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { Failure } from "../../failure/failure.ts";
import {
  type ComparisonSchema,
  Granularity,
  Comparison_Kind as Kind,
  type PeriodSchema,
} from "../../gen/footfall/query/v1/period_pb.js";

type Period = MessageInitShape<typeof PeriodSchema>;
type Comparison = MessageInitShape<typeof ComparisonSchema>;

/** Units of `--last`; no "m", which people read in two ways. */
const UNITS: Readonly<Record<string, Granularity>> = {
  min: Granularity.MINUTE,
  h: Granularity.HOUR,
  d: Granularity.DAY,
  w: Granularity.WEEK,
  mo: Granularity.MONTH,
  q: Granularity.QUARTER,
  y: Granularity.YEAR,
};

const DATE = /^\d{4}-\d\d-\d\d$/;
const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d)?(Z|[+-]\d\d:\d\d)$/;
const EXAMPLES = "must be days such as 2026-11-01 or instants such as 2026-11-01T10:00Z, both of one kind";

/** How a period is told on a command line. */
export interface PeriodText {
  /** "30d": so many of the last units. */
  readonly last: string | undefined;
  readonly from: string | undefined;
  readonly to: string | undefined;
  readonly includeCurrent: boolean;
}

/** @throws Failure "invalid" that names the flag. */
export function parsePeriod({ last, from, to, includeCurrent }: PeriodText): Period {
  if (last !== undefined && from === undefined && to === undefined) return parseLast(last, includeCurrent);
  if (last !== undefined || from === undefined || to === undefined) {
    throw new Failure(
      "invalid",
      "a period is required: --last 30d, or --from 2026-11-01 and --to 2026-11-30",
    );
  }
  if (includeCurrent) throw new Failure("invalid", "--include-current goes with --last alone");
  return parseRange(from, to, "--from and --to");
}

/** Seconds of the units of `--window`. */
const SECONDS: Readonly<Record<string, number>> = { s: 1, min: 60, h: 3_600, d: 86_400 };

/** A length of time such as "7d". @throws Failure "invalid" that names the flag. */
export function parseWindow(text: string): { seconds: bigint } {
  const [, count, word = ""] = /^(\d{1,8})([a-z]+)$/.exec(text) ?? [];
  const seconds = SECONDS[word];
  if (seconds !== undefined) return { seconds: BigInt(count!) * BigInt(seconds) };
  const units = Object.keys(SECONDS).join(", ");
  throw new Failure("invalid", `--window ${JSON.stringify(text)} must be a number and one of ${units}: 7d`);
}

function parseLast(last: string, includeCurrent: boolean): Period {
  const [, count, word = ""] = /^(\d{1,5})([a-z]+)$/.exec(last) ?? [];
  const unit = UNITS[word];
  if (unit === undefined) {
    const units = Object.keys(UNITS).join(", ");
    throw new Failure("invalid", `--last ${JSON.stringify(last)} must be a number and one of ${units}: 30d`);
  }
  return { span: { case: "relative", value: { unit, count: Number(count), includeCurrent } } };
}

function parseRange(from: string, to: string, flags: string): Period {
  if (DATE.test(from) && DATE.test(to)) {
    return { span: { case: "dates", value: { startDate: from, endDate: to } } };
  }
  const [startTime, endTime] = [from, to].map((text) =>
    INSTANT.test(text) ? Date.parse(text) : Number.NaN,
  ) as [number, number];
  if (Number.isNaN(startTime + endTime)) {
    throw new Failure("invalid", `${flags} ${JSON.stringify(from)}, ${JSON.stringify(to)} ${EXAMPLES}`);
  }
  const value = { startTime: timestampFromMs(startTime), endTime: timestampFromMs(endTime) };
  return { span: { case: "times", value } };
}

/** How a comparison is told on a command line. */
export interface ComparisonText {
  /** "previous_period", "previous_year", or a range as FROM..TO. */
  readonly compare: string | undefined;
  readonly matchDayOfWeek: boolean;
  readonly cutToNow: boolean;
}

/** @throws Failure "invalid" that names the flag. */
export function parseComparison({
  compare,
  matchDayOfWeek,
  cutToNow,
}: ComparisonText): Comparison | undefined {
  if (compare === undefined) {
    if (!matchDayOfWeek && !cutToNow) return undefined;
    throw new Failure("invalid", "--match-day-of-week and --cut-to-now go with --compare");
  }
  const common = { matchDayOfWeek, cutToNow };
  if (compare === "previous_period") return { ...common, kind: Kind.PREVIOUS_PERIOD };
  if (compare === "previous_year") return { ...common, kind: Kind.PREVIOUS_YEAR };
  const [from, to, ...more] = compare.split("..");
  if (from && to && more.length === 0) {
    return { ...common, kind: Kind.CUSTOM, period: parseRange(from, to, "--compare") };
  }
  throw new Failure(
    "invalid",
    `--compare ${JSON.stringify(compare)} must be previous_period, previous_year or a range such as 2025-11-01..2025-11-30`,
  );
}

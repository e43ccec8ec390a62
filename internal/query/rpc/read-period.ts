import type { Timestamp } from "@bufbuild/protobuf/wkt";
import * as wire from "../../gen/footfall/query/v1/period_pb.js";
import type { Granularity } from "../time/beginnings.ts";
import type { Comparison } from "../time/comparison.ts";
import { InvalidField } from "../time/invalid-field.ts";
import type { Period } from "../time/period.ts";
import { missing, nameOf } from "./field-errors.ts";

const GRANULARITY: Readonly<Record<Granularity, wire.Granularity>> = {
  minute: wire.Granularity.MINUTE,
  quarter_hour: wire.Granularity.QUARTER_HOUR,
  hour: wire.Granularity.HOUR,
  day: wire.Granularity.DAY,
  week: wire.Granularity.WEEK,
  month: wire.Granularity.MONTH,
  quarter: wire.Granularity.QUARTER,
  year: wire.Granularity.YEAR,
};

const KIND: Readonly<Record<Comparison["kind"], wire.Comparison_Kind>> = {
  previous_period: wire.Comparison_Kind.PREVIOUS_PERIOD,
  previous_year: wire.Comparison_Kind.PREVIOUS_YEAR,
  custom: wire.Comparison_Kind.CUSTOM,
};

/**
 * The plain values of a period, which resolvePeriod checks.
 * @throws Failure "invalid" where something is absent, an instant has parts of a ms, or a unit is unknown.
 */
export function readPeriod(period: wire.Period | undefined, path = "period"): Period {
  const span = period?.span;
  switch (span?.case) {
    case "dates":
      return { kind: "dates", startDate: span.value.startDate, endDate: span.value.endDate };
    case "times":
      return {
        kind: "times",
        startTime: milliseconds(span.value.startTime, `${path}.times.start_time`),
        endTime: milliseconds(span.value.endTime, `${path}.times.end_time`),
      };
    case "relative": {
      const { unit, count, includeCurrent } = span.value;
      return {
        kind: "relative",
        unit: nameOf(`${path}.relative.unit`, GRANULARITY, unit),
        count,
        includeCurrent,
      };
    }
    default:
      throw missing(path, "dates, times or relative");
  }
}

/** @throws Failure "invalid" on "comparison.kind" and "comparison.period". */
export function readComparison(comparison: wire.Comparison): Comparison {
  const { kind: number, period, matchDayOfWeek, cutToNow } = comparison;
  const kind = nameOf("comparison.kind", KIND, number);
  const common = { kind, matchDayOfWeek, cutToNow };
  if (kind === "custom") return { ...common, period: readPeriod(period, "comparison.period") };
  if (period !== undefined) {
    throw new InvalidField("comparison.period", "a period", `absent where comparison.kind is ${kind}`);
  }
  return common;
}

/**
 * How long the buckets of `time` are; undefined without that dimension.
 * @throws InvalidField for one that is unknown, or is given without the dimension.
 */
export function readGranularity(value: wire.Granularity, hasTime: boolean): Granularity | undefined {
  if (value === wire.Granularity.UNSPECIFIED) return hasTime ? "day" : undefined;
  const granularity = nameOf("granularity", GRANULARITY, value);
  if (hasTime) return granularity;
  throw new InvalidField(
    "granularity",
    granularity,
    "absent, or dimensions must have time",
    "NOT_COMPATIBLE",
  );
}

function milliseconds(time: Timestamp | undefined, field: string): number {
  if (time === undefined) throw missing(field, "an instant such as 2026-01-01T00:00:00Z");
  const ms = Number(time.seconds) * 1_000;
  if (time.nanos === 0) return ms;
  throw new InvalidField(field, `${time.seconds} s and ${time.nanos} ns since 1970`, "a whole minute");
}

import { durationMs } from "@bufbuild/protobuf/wkt";
import { ConnectError } from "@connectrpc/connect";
import { Failure } from "../../failure/failure.ts";
import { ErrorInfoSchema, RetryInfoSchema } from "../../gen/google/rpc/error_details_pb.js";
import { failureKindOf } from "../../rpc/errors.ts";

/** Flags by the beginnings of the paths of fields. */
const FLAGS: readonly (readonly [string, string])[] = [
  ["scope.merchant_id", "--merchant"],
  ["scope.time_zone", "--time-zone"],
  ["scope.filter", "--filter"],
  ["scope.traffic", "--traffic"],
  ["scope.accuracy", "--accuracy"],
  ["scope.identity", "--identity"],
  ["period.relative", "--last"],
  ["period.dates.start_date", "--from"],
  ["period.dates.end_date", "--to"],
  ["period.times.start_time", "--from"],
  ["period.times.end_time", "--to"],
  ["comparison.match_day_of_week", "--match-day-of-week"],
  ["comparison.cut_to_now", "--cut-to-now"],
  ["comparison", "--compare"],
  ["metric_filter", "--metric-filter"],
  ["metrics", "--metrics"],
  ["dimensions", "--by"],
  ["granularity", "--granularity"],
  ["order_by", "--order"],
  ["page_size", "--limit"],
  ["top_values", "--top"],
  ["include_empty", "--include-empty"],
];

/** An error of the service as people read it: its message, then reason, field, value and what is allowed, a line each. */
export function serviceFailure(error: unknown): Failure {
  const connectError = ConnectError.from(error);
  const info = connectError.findDetails(ErrorInfoSchema)[0];
  const retryDelay = connectError.findDetails(RetryInfoSchema)[0]?.retryDelay;
  const retryAfterMs = retryDelay === undefined ? undefined : durationMs(retryDelay);
  const lines = Object.entries({
    reason: info?.reason,
    field: fieldAndFlag(info?.metadata.field),
    value: info?.metadata.value,
    allowed: info?.metadata.allowed,
    wait: retryAfterMs === undefined ? undefined : `${retryAfterMs} ms`,
  }).flatMap(([name, value]) => (value === undefined ? [] : [`  ${name.padEnd(8)}${value}`]));
  return new Failure(
    failureKindOf(connectError.code) ?? "unavailable",
    [connectError.rawMessage, ...lines].join("\n"),
    {
      cause: error,
      ...(retryAfterMs !== undefined && { retryAfterMs }),
    },
  );
}

function fieldAndFlag(field: string | undefined): string | undefined {
  const flag = FLAGS.find(([path]) => field?.startsWith(path))?.[1];
  return field === undefined || flag === undefined ? field : `${field} (${flag})`;
}

import { type Cell, reportOf } from "../../internal/client/report.ts";
import type { RunReportRequest, RunReportResponse } from "../../internal/gen/footfall/query/v1/report_pb.js";
import { LIMIT } from "./question.ts";

/**
 * Numbers by bucket (its start, ms) or by value, one for each metric, amounts in micros; "" without a dimension, and for no
 * value.
 */
export type Numbers = ReadonlyMap<string, readonly number[]>;

/** What the service answered, without buckets in which nothing happened. */
export function numbersOf(request: RunReportRequest, response: RunReportResponse): Numbers {
  const { count, dimensions, metrics } = reportOf(request, [response], undefined).rows;
  const [keys] = dimensions;
  const entries = Array.from({ length: count }, (_, row) => {
    const key = keys === undefined ? "" : keyOf(keys.cells[row]!);
    return [key, metrics.map(({ now }) => numberOf(now.cells[row]!))] as const;
  });
  return new Map(entries.filter(([, numbers]) => numbers.some((number) => number !== 0)));
}

function keyOf(cell: Cell): string {
  if (cell.kind === "time") return String(cell.startMs);
  return cell.kind === "text" ? cell.text : "";
}

function numberOf(cell: Cell): number {
  switch (cell.kind) {
    case "integer":
    case "number":
      return Number(cell.value);
    case "money": {
      const [whole, parts = ""] = cell.amount.split(".");
      return Number(`${whole}${parts.slice(0, 6).padEnd(6, "0")}`);
    }
    default:
      return Number.NaN;
  }
}

/** @throws Error where an answer is not what rows say. */
export function checkEqual(name: string, answered: Numbers, expected: Numbers): void {
  for (const [key, numbers] of expected) {
    const found = answered.get(key);
    if (found === undefined || numbers.some((number, at) => found[at] !== number)) {
      // Of several values with equally many the last place may go to another one.
      if (found === undefined && expected.size === LIMIT && numbers[0]! <= least(expected)) continue;
      throw new Error(`${name}: ${JSON.stringify(key)}: answered ${found}, rows say ${numbers}`);
    }
  }
  if (answered.size !== expected.size)
    throw new Error(`${name}: ${answered.size} values, rows say ${expected.size}`);
}

function least(numbers: Numbers): number {
  return Math.min(...[...numbers.values()].map(([first]) => first!));
}

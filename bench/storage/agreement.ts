import { type Answer, LIMIT, type Metric } from "./plain-sql.ts";
import type { Question } from "./questions.ts";

const DISTINCT: readonly Metric[] = ["visitors", "sessions"];

/** Distinct counts may be estimates; further off than this is wrong. */
const MOST_ERROR = 0.05;

/**
 * The largest relative error of the distinct counts of an answer.
 * @throws Error when anything else differs, or a distinct count by more than an estimate may.
 */
export function errorOf(
  { name, metrics }: Pick<Question, "name" | "metrics">,
  answer: Answer,
  expected: Answer,
): number {
  const wrong = (key: string) =>
    new Error(
      `${name}: ${JSON.stringify(key)}: answered ${answer.get(key)}, the rows say ${expected.get(key)}`,
    );
  let largest = 0;
  for (const [key, values] of expected) {
    const found = answer.get(key);
    // Of several values with equally many the last place may go to another one, or by an estimate to a near one.
    if (found === undefined && isNearLast(values, expected)) continue;
    if (found === undefined) throw wrong(key);
    for (const [at, metric] of metrics.entries()) {
      const error = Math.abs(found[at]! - values[at]!) / Math.max(1, values[at]!);
      if (error > (DISTINCT.includes(metric) ? MOST_ERROR : 0)) throw wrong(key);
      largest = Math.max(largest, error);
    }
  }
  if (answer.size !== expected.size)
    throw new Error(`${name}: ${answer.size} values, the rows say ${expected.size}`);
  return largest;
}

function isNearLast(values: readonly number[], expected: Answer): boolean {
  const least = Math.min(...[...expected.values()].map(([first]) => first!));
  return expected.size === LIMIT && values[0]! <= least * (1 + 2 * MOST_ERROR);
}

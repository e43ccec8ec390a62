import { type Answer, LIMIT } from "./plain-sql.ts";
import type { Asked, Question } from "./questions.ts";

/** @throws Error when an exact answer differs from what the rows say. */
export function checkExact({ name }: Pick<Question, "name">, answer: Answer, expected: Answer): void {
  for (const [key, values] of expected) {
    const found = answer.get(key);
    // Of several values with equally many the last place may go to another one.
    if (found === undefined && isLast(values, expected)) continue;
    if (found === undefined || values.some((value, at) => found[at] !== value)) {
      throw new Error(`${name}: ${JSON.stringify(key)}: answered ${found}, the rows say ${values}`);
    }
  }
  if (answer.size !== expected.size)
    throw new Error(`${name}: ${answer.size} values, the rows say ${expected.size}`);
}

function isLast(values: readonly number[], expected: Answer): boolean {
  const least = Math.min(...[...expected.values()].map(([first]) => first!));
  return expected.size === LIMIT && values[0]! <= least;
}

/** Further off than so many standard errors an estimate is wrong: one in two million is, by chance. */
const MOST_ERRORS = 5;

/**
 * The largest relative error of an answer's estimates, of the keys that both sides have: which values are the first by an
 * estimate may differ. 0 where nothing is estimated.
 * @throws Error when anything else differs, or an estimate by more than its standard error makes likely.
 */
export function errorOf(
  { name }: Pick<Question, "name">,
  { answer, standardErrors }: Asked,
  expected: Answer,
): number {
  let largest = 0;
  for (const [key, values] of expected) {
    const found = answer.get(key);
    if (found === undefined) continue;
    for (const [at, value] of values.entries()) {
      const off = Math.abs(found[at]! - value);
      const allowed = MOST_ERRORS * (standardErrors.get(at)?.get(key) ?? 0) * found[at]!;
      // Rounded to whole numbers.
      if (off > allowed + (allowed > 0 ? 1 : 0))
        throw new Error(`${name}: ${JSON.stringify(key)}: answered ${found}, the rows say ${values}`);
      largest = Math.max(largest, off / Math.max(1, value));
    }
  }
  return largest;
}

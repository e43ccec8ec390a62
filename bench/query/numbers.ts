import type { Answer, Column } from "../../internal/query/question/answer.ts";
import type { Question } from "../../internal/query/question/question.ts";
import { LIMIT } from "./question.ts";

/** Numbers by bucket (its start, ms) or by value, one for each metric; "" without a dimension, and for no value. */
export type Numbers = ReadonlyMap<string, readonly number[]>;

/** What the product answered, without buckets in which nothing happened. */
export function numbersOf({ table }: Answer, { dimensions, spans }: Question): Numbers {
  const keys = table.columns.slice(0, dimensions.length);
  const metrics = table.columns.slice(dimensions.length);
  const keyOf = (at: number) => {
    const [key] = keys;
    if (key?.kind === "bucket") return String(spans[0].edges![key.values[at]!]);
    return key?.kind === "text" ? (key.values[at] ?? "") : "";
  };
  const entries = Array.from({ length: table.rows }, (_, at) => {
    const numbers = metrics.map((column: Column) => Number(column.values[at]));
    return [keyOf(at), numbers] as const;
  });
  return new Map(entries.filter(([, numbers]) => numbers.some((number) => number !== 0)));
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

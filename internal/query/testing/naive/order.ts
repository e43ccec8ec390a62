import type { Order, Question } from "../../question/question.ts";
import type { Row } from "./evaluate.ts";

type Compare = (a: Row, b: Row) => number;

/** Rows in the order of the question; what is equal then by the dimensions, ascending. The rest comes last. */
export function ordered(question: Question, rows: readonly Row[]): Row[] {
  const hasNone = ({ dimensions }: Row) => dimensions.includes(null);
  const compares: Compare[] = [
    (a, b) => Number(a.isRest) - Number(b.isRest),
    ...(question.includeEmpty ? [] : [(a: Row, b: Row) => Number(hasNone(a)) - Number(hasNone(b))]),
    ...question.orderBy.map(comparing),
    ...question.dimensions.map(
      (_, at): Compare =>
        (a, b) =>
          compareValues(a.dimensions[at]!, b.dimensions[at]!, true),
    ),
  ];
  return [...rows].sort((a, b) => {
    for (const compare of compares) {
      const result = compare(a, b);
      if (result !== 0) return result;
    }
    return 0;
  });
}

function comparing({ by, ascending, byChange }: Order): Compare {
  if ("dimension" in by) {
    return (a, b) => compareValues(a.dimensions[by.dimension]!, b.dimensions[by.dimension]!, ascending);
  }
  const orderedBy = ({ metrics }: Row): bigint | number | null => {
    const value = metrics[0]![by.metric]!;
    if (!byChange) return Number.isNaN(value) ? null : value;
    const before = Number(metrics[1]![by.metric]);
    const change = (Number(value) - before) / Math.abs(before);
    return before === 0 || Number.isNaN(change) ? null : change;
  };
  return (a, b) => compareValues(orderedBy(a), orderedBy(b), ascending);
}

/** None is last, however it is ordered; texts are compared by code points. */
function compareValues(a: Value, b: Value, ascending: boolean): number {
  if (a === null || b === null) return Number(a === null) - Number(b === null);
  const sign = ascending ? 1 : -1;
  if (typeof a === "string" || typeof b === "string")
    return Buffer.compare(Buffer.from(String(a)), Buffer.from(String(b))) * sign;
  return (a < b ? -1 : Number(a > b)) * sign;
}

type Value = string | bigint | number | null;

import type { Order, Question } from "../../question/question.ts";
import type { DimensionValue } from "./dimensions.ts";
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
  const orderedBy = ({ metrics }: Row): number => {
    const value = Number(metrics[0]![by.metric]);
    if (!byChange) return value;
    const before = Number(metrics[1]![by.metric]);
    return before === 0 ? Number.NaN : (value - before) / Math.abs(before);
  };
  return (a, b) => compareValues(orNull(orderedBy(a)), orNull(orderedBy(b)), ascending);
}

function orNull(value: number): number | null {
  return Number.isNaN(value) ? null : value;
}

/** None is last, however it is ordered; texts are compared by code points. */
function compareValues(a: DimensionValue, b: DimensionValue, ascending: boolean): number {
  if (a === null || b === null) return Number(a === null) - Number(b === null);
  const sign = ascending ? 1 : -1;
  if (typeof a === "number") return Math.sign(a - Number(b)) * sign;
  return Buffer.compare(Buffer.from(a), Buffer.from(String(b))) * sign;
}

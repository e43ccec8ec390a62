import { expression, fill, peopleOnly } from "../report/sql.ts";
import { sqlFile } from "../sql-file.ts";
import type { Part } from "./cover.ts";
import {
  type BreakdownColumn,
  isKey,
  type KeyColumn,
  type Rollup,
  type StandardErrors,
  type SumColumn,
} from "./query.ts";
import {
  estimateSql,
  type Factor,
  isSampledEvent,
  isSampledVisit,
  SAMPLES,
  standardErrorOf,
  usualKeys,
} from "./sample.ts";
import { type Bounds, type Broken, boundsOf, sumArms } from "./sql.ts";

const read = (name: string) => sqlFile(`./${name}.sql`, import.meta.url);

const ESTIMATE = read("estimate");
const PART_SAMPLED = read("part_sampled");

/** What is broken down, its keys from a sample. */
export interface BrokenSample extends Broken {
  readonly factor: Factor;
}

/** Where a row's counts begin, behind is_total, value and values_found. */
const FIRST_COUNT = 3;

/** Tells of how many rows a value is, beside the columns that are asked for: estimates are bounded by it. */
const EVENTS: SumColumn = { name: "events", rows: "count(*)", cell: "events" };

/**
 * estimate.sql over parts: one arm for each.
 * @param parts that add up to the span, for the sums.
 * @param sampleParts likewise, of days and rows, none taken away, for the keys.
 * @param rollup answers the parts that are not of rows; all sums must have cells.
 */
export function estimatedSql(
  broken: BrokenSample,
  columns: readonly BreakdownColumn[],
  { parts, sampleParts }: { readonly parts: readonly Part[]; readonly sampleParts: readonly Part[] },
  rollup: Rollup,
): string {
  const sums = [...columns.filter((column): column is SumColumn => !isKey(column)), EVENTS];
  const keys = columns.filter(isKey);
  const sample = sampleParts.map((part, index) =>
    sampleArm(broken, keys, part, boundsOf(parts.length + index), rollup),
  );
  const sumNames = sums.map((_, index) => `c${index}`);
  const keyNames = keys.flatMap((_, index) => [`k${index}`, `q${index}`]);
  const names = [...sumNames, ...keyNames];
  return fill(ESTIMATE, {
    sample: sample.join("  UNION ALL\n"),
    keys: listOf(keys, (at) => `count(DISTINCT k${at}) AS k${at}`),
    sampled: listOf(keys, (at) => `sum(k${at}) AS k${at}, sum(k${at}::numeric * k${at}) AS q${at}`),
    parts: sumArms(broken, sums, parts, rollup),
    sums: names.map((name) => `sum(${name}) AS ${name}`).join(", "),
    sum_names: sumNames.join(", "),
    no_sums: sumNames.map(() => "0").join(", "),
    key_names: keyNames.join(", "),
    no_keys: keyNames.map((name) => `0 AS ${name}`).join(", "),
    totals: [
      ...sumNames.map((name) => `coalesce(sum(${name}), 0) AS ${name}`),
      ...keyNames.map((name) => `coalesce((SELECT ${name} FROM sampled WHERE is_total), 0) AS ${name}`),
    ].join(", "),
    all_names: names.join(", "),
    answers: answersOf(columns, broken.factor, sumNames.at(-1)!),
    events: sumNames.at(-1)!,
    squares: listOf(keys, (at) => `q${at}`),
  });
}

/**
 * Of the estimated columns, by what stands behind the counts in the statement's rows.
 * @param rows is_total, value, values_found, the counts, the number of events, and of each key the squares.
 */
export function standardErrorsOf(
  rows: readonly (readonly unknown[])[],
  columns: readonly BreakdownColumn[],
  factor: Factor,
): (StandardErrors | undefined)[] {
  const behind = FIRST_COUNT + columns.length;
  let keys = 0;
  return columns.map((column, at) => {
    if (!isKey(column)) return undefined;
    const squares = behind + 1 + keys++;
    const sampled = rows.map((row) => ({
      estimate: row[FIRST_COUNT + at] as bigint,
      factor,
      events: row[behind] as bigint,
      squares: row[squares] as bigint,
    }));
    const usual = usualKeys(sampled[0]!);
    const [total, ...values] = sampled.map((each) => standardErrorOf(each, usual));
    return { values, total: total! };
  });
}

function sampleArm(
  { source, includeBots, factor }: BrokenSample,
  keys: readonly KeyColumn[],
  part: Part,
  bounds: Bounds,
  rollup: Rollup,
): string {
  if (part.sign === -1) throw new TypeError("different keys cannot be taken away");
  const isRows = part.source === "rows";
  return fill(PART_SAMPLED, {
    ...bounds,
    value: expression(isRows ? source.value : rollup.value),
    keys: keys.map(({ key }, index) => `${expression(key)} AS k${index}`).join(", "),
    table: isRows ? "events" : SAMPLES,
    time: isRows ? "ts" : "bucket",
    sampled: isRows ? isSampledEvent(factor) : isSampledVisit(factor),
    people: peopleOnly(includeBots),
  });
}

/** The columns in the order asked for, a0 and on. @param events the name of the number of rows. */
function answersOf(columns: readonly BreakdownColumn[], factor: Factor, events: string): string {
  let [sums, keys] = [0, 0];
  const answer = (column: BreakdownColumn) =>
    isKey(column) ? estimateSql(factor, `k${keys++}`, events) : `c${sums++}`;
  return columns.map((column, index) => `${answer(column)} AS a${index}`).join(", ");
}

function listOf(columns: readonly unknown[], sql: (index: number) => string): string {
  return columns.map((_, index) => sql(index)).join(", ");
}

import { type Freshness, readFreshness } from "../freshness.ts";
import type { Client, Pool } from "../pool.ts";
import { checkScope } from "../report/scope.ts";
import { DAY_MS } from "../rollups.ts";
import { BIGINT_TYPES, inSnapshot, type ReadSource } from "../snapshot.ts";
import { cover, type Part, UNITS, type Unit, WHOLE_DAYS } from "./cover.ts";
import { readCoverage } from "./coverage.ts";
import { estimatedSql, standardErrorsOf } from "./estimate.ts";
import {
  type BreakdownColumn,
  type BreakdownData,
  type BreakdownQuery,
  isKey,
  type Rollup,
  type SumColumn,
} from "./query.ts";
import type { Factor } from "./sample.ts";
import { aroundSpan, sourcesParts, sourcesSql } from "./sources.ts";
import { allCountsSql, sumsSql } from "./sql.ts";

/** Up to so much of a span is a matter of milliseconds if it is counted from rows, ms. */
const FEW_ROWS_MS = 2 * DAY_MS;

/** What the values are: the columns in the order asked for, without how far they go. */
type Counted = Omit<BreakdownData, keyof Freshness>;

/** is_total, value, values_found and the counts of one row. */
type Row = [isTotal: boolean, value: string | null, valuesFound: bigint, ...counts: bigint[]];

/**
 * For rows that are joined with others of the same merchant. Of a chunk without statistics the planner expects one row,
 * and would look through all of the one side for each of the other.
 */
const NO_NESTED_LOOPS = "SET LOCAL enable_nestloop = off";

/**
 * Counts a merchant's rows by the values of an expression, in one snapshot. Rollups answer as far as they hold the rows:
 * sums alone, or visits where keys are asked for too. docs/decisions/010 has why.
 *
 * @throws TypeError for a merchant id or a timeout that no caller may pass; pg's errors otherwise (SQLSTATE 57014 when
 * a statement took too long).
 */
export async function readBreakdown(pool: Pool, query: BreakdownQuery): Promise<BreakdownData> {
  checkScope(query);
  return inSnapshot(pool, query, async (client) => {
    if (query.source.rows !== "events") await client.query(NO_NESTED_LOOPS);
    const counted = await count(client, query);
    return { ...counted, ...(await readFreshness(client, query.partitionId)) };
  });
}

interface Statement {
  readonly text: string;
  readonly parts: readonly Part[];
}

async function count(client: Client, query: BreakdownQuery): Promise<Counted> {
  const { columns, merchantId, limit, factor } = query;
  const { text, parts } = await statementOf(client, query);
  // Of many short arms PostgreSQL makes parallel plans that take twice as long; long spans of rows gain by them.
  const ofRows = parts.reduce((ms, { source, from, to }) => ms + (source === "rows" ? to - from : 0), 0);
  const workers = ofRows > FEW_ROWS_MS ? "DEFAULT" : "0";
  await client.query(`SET LOCAL max_parallel_workers_per_gather TO ${workers}`);
  const bounds = parts.flatMap(({ from, to }) => [new Date(from), new Date(to)]);
  const rows = await rowsOf(client, text, [merchantId, limit, ...bounds]);
  query.onRead?.(sourcesOf(query, parts), rows.length);
  const standardErrors = factor === undefined ? [] : standardErrorsOf(rows, columns, factor);
  return { ...countedOf(rows, columns.length), standardErrors };
}

/** What a statement over some parts reads. */
function sourcesOf({ factor, columns }: BreakdownQuery, parts: readonly Part[]): ReadSource[] {
  const ofCells: ReadSource = factor !== undefined ? "sample" : columns.some(isKey) ? "visits" : "rollup";
  return [...new Set(parts.map(({ source }) => (source === "rows" ? "raw" : ofCells)))];
}

function statementOf(client: Client, query: BreakdownQuery): Promise<Statement> {
  const { factor, source } = query;
  if (factor !== undefined) return estimatedStatement(client, { ...query, factor });
  return source.rows === "visit_source" ? sourcesStatement(client, query) : rowsStatement(client, query);
}

/** Whether keys are asked for that a sample can tell. */
export function canSample({
  source,
  rollup,
  columns,
}: Pick<BreakdownQuery, "source" | "rollup" | "columns">): boolean {
  const isSampled = source.rows === "events" && rollup?.isSampled === true;
  return isSampled && columns.some(isKey) && columns.every(hasCell);
}

async function estimatedStatement(
  client: Client,
  query: BreakdownQuery & { factor: Factor },
): Promise<Statement> {
  const { start, end, columns } = query;
  const rollup = query.rollup!;
  const coverage = await readCoverage(client, query);
  const parts = cover(start, end, coverage, unitsOf(rollup, false));
  const sampleParts = cover(start, end, coverage, WHOLE_DAYS);
  const text = estimatedSql(query, columns, { parts, sampleParts }, rollup);
  return { text, parts: [...parts, ...sampleParts] };
}

async function sourcesStatement(client: Client, query: BreakdownQuery): Promise<Statement> {
  const { columns, rollup } = query;
  const isCovered = rollup?.visits !== undefined && columns.every(hasCell);
  const coverage = isCovered ? await readCoverage(client, { ...query, ...aroundSpan(query) }) : undefined;
  const parts = sourcesParts(query, coverage);
  return { text: sourcesSql(query, columns, parts, rollup), parts };
}

async function rowsStatement(client: Client, query: BreakdownQuery): Promise<Statement> {
  const { columns, rollup } = query;
  const sums = columns.filter((column): column is SumColumn => !isKey(column));
  const hasKeys = sums.length < columns.length;
  const parts = await partsOf(client, query, hasKeys);
  return {
    text: hasKeys ? allCountsSql(query, columns, parts, rollup) : sumsSql(query, sums, parts, rollup),
    parts,
  };
}

async function partsOf(client: Client, query: BreakdownQuery, hasKeys: boolean): Promise<Part[]> {
  const { start, end, rollup, columns } = query;
  const units = rollup === undefined ? [] : unitsOf(rollup, hasKeys);
  if (units.length === 0 || !columns.every(hasCell)) {
    return [{ source: "rows", from: start, to: end, sign: 1 }];
  }
  return cover(start, end, await readCoverage(client, query), units);
}

/** Whether rollups answer a column: all of them know keys, as far as they know rows of visits. */
function hasCell(column: BreakdownColumn): boolean {
  return isKey(column) || column.cell !== undefined;
}

function unitsOf({ tables, visits }: Rollup, hasKeys: boolean): readonly Unit[] {
  if (hasKeys) return visits === undefined ? [] : WHOLE_DAYS;
  return UNITS.filter(({ name }) => tables[name] !== undefined);
}

async function rowsOf(client: Client, text: string, values: unknown[]): Promise<Row[]> {
  const result = await client.query<Row>({ text, values, rowMode: "array", types: BIGINT_TYPES });
  return result.rows;
}

/** The grouping set without columns answers with one row, the first, also when there are no rows. */
function countedOf([total, ...found]: readonly Row[], columns: number): Omit<Counted, "standardErrors"> {
  const [, , valuesFound, ...totals] = total!;
  const indexes = Array.from({ length: columns }, (_, index) => index);
  return {
    values: found.map(([, value]) => value),
    counts: indexes.map((index) => found.map(([, , , ...counts]) => counts[index]!)),
    totals: totals.slice(0, columns),
    valuesFound,
  };
}

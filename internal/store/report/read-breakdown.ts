import type { Pool } from "../pool.ts";
import { BIGINT_TYPES, checkScope, inSnapshot, readDataThrough, type Scope } from "./snapshot.ts";
import { breakdownSql } from "./sql.ts";
import type { BreakdownColumn } from "./statement.ts";

export interface BreakdownQuery extends Scope {
  /** The partition that the merchant lives in. */
  readonly partitionId: number;
  /** Epoch milliseconds, [start, end), of years with four digits. */
  readonly start: number;
  readonly end: number;
  /** SQL text value over one row of `events`: what the rows are grouped by. */
  readonly value: string;
  /** What is counted; one or more. The first one orders the values. */
  readonly columns: readonly BreakdownColumn[];
  /** Most values to answer. */
  readonly limit: number;
  /** Whether bots' events count. Default: people's alone. */
  readonly includeBots?: boolean | undefined;
}

export interface BreakdownData {
  /** By the first column, largest first; null stands for the rows without a value. */
  readonly values: readonly (string | null)[];
  /** One list for each column: the i-th number belongs to values[i]. */
  readonly counts: readonly (readonly bigint[])[];
  /** Over all rows of the span, by column. */
  readonly totals: readonly bigint[];
  readonly valuesFound: bigint;
  /** Epoch milliseconds; undefined while nothing of the partition was processed. */
  readonly dataThrough: number | undefined;
}

/** is_total, value, values_found and the counts of one row. */
type Row = [isTotal: boolean, value: string | null, valuesFound: bigint, ...counts: bigint[]];

/**
 * Counts a merchant's events by the values of an expression, in one snapshot.
 *
 * @throws TypeError for a merchant id or a timeout that no caller may pass; pg's errors otherwise (SQLSTATE 57014 when
 * the statement took too long).
 */
export async function readBreakdown(pool: Pool, query: BreakdownQuery): Promise<BreakdownData> {
  checkScope(query);
  return inSnapshot(pool, query.statementTimeoutMs, async (client) => {
    const { rows } = await client.query<Row>({
      text: breakdownSql(query),
      values: [query.merchantId, new Date(query.start), new Date(query.end), query.limit],
      rowMode: "array",
      types: BIGINT_TYPES,
    });
    // The grouping set without columns answers with one row, also when there are no events.
    const [[, , valuesFound, ...totals], ...found] = rows as [Row, ...Row[]];
    return {
      values: found.map(([, value]) => value),
      counts: query.columns.map((_, index) => found.map(([, , , ...counts]) => counts[index]!)),
      totals,
      valuesFound,
      dataThrough: await readDataThrough(client, query.partitionId),
    };
  });
}

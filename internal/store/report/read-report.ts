import { type Freshness, readFreshness } from "../freshness.ts";
import type { Client, Pool } from "../pool.ts";
import { BIGINT_TYPES, inSnapshot, type ReadSource } from "../snapshot.ts";
import { checkScope, type Scope } from "./scope.ts";
import { EVENT_COUNT, sqlOf } from "./sql.ts";
import type { Statement } from "./statement.ts";

export interface ReportQuery extends Scope {
  /** The partition that the merchant lives in. */
  readonly partitionId: number;
  /** Bucket edges, epoch milliseconds, strictly ascending, two or more, of years with four digits. */
  readonly edges: readonly number[];
  readonly statements: readonly Statement[];
  /** Whether bots' events count. Default: people's alone. */
  readonly includeBots?: boolean | undefined;
}

/** One column's values: values[i] belongs to bucket i, 0 where nothing happened. */
export interface ReportColumn {
  readonly values: readonly bigint[];
  /** Over the whole span. */
  readonly total: bigint;
  /** Of values and total, relative to them; 0 for exact numbers. */
  readonly standardError: number;
}

export interface ReportData extends Freshness {
  /** By column name. */
  readonly columns: ReadonlyMap<string, ReportColumn>;
}

/** bucket_number and the values of one row. */
type Row = [bucketNumber: number | null, ...values: bigint[]];

/**
 * Runs a report's statements in one snapshot, so that all columns count the same events.
 *
 * @throws TypeError for a merchant id, edges or a timeout that no caller may pass; pg's errors otherwise (SQLSTATE 57014 when a statement took too long).
 */
export async function readReport(pool: Pool, query: ReportQuery): Promise<ReportData> {
  check(query);
  return inSnapshot(pool, query, (client) => readAll(client, query));
}

async function readAll(client: Client, query: ReportQuery): Promise<ReportData> {
  const columns = new Map<string, ReportColumn>();
  for (const statement of query.statements) {
    const rows = await rowsOf(client, query, statement);
    for (const [index, column] of statement.columns.entries()) {
      columns.set(column.name, columnOf(statement, rows, index, query.edges.length - 1));
    }
  }
  return { columns, ...(await readFreshness(client, query.partitionId)) };
}

function check(query: ReportQuery): void {
  const { edges } = query;
  checkScope(query);
  if (edges.length < 2) throw new TypeError("a report needs two edges or more");
}

async function rowsOf(client: Client, query: ReportQuery, statement: Statement): Promise<Row[]> {
  const result = await client.query<Row>({
    text: sqlOf(statement, query.includeBots),
    values: valuesOf(query, statement),
    rowMode: "array",
    types: BIGINT_TYPES,
  });
  query.onRead?.([READ_SOURCE[statement.source]], result.rows.length);
  return result.rows;
}

const READ_SOURCE: Readonly<Record<Statement["source"], ReadSource>> = {
  events: "raw",
  totals_15m: "aggregate",
  sessions_15m: "sessions",
};

/** The parameters, as the statement's file numbers them. */
function valuesOf({ merchantId, partitionId, edges }: ReportQuery, statement: Statement): unknown[] {
  const times = (list: readonly number[]) => list.map((time) => new Date(time).toISOString());
  const scope = [merchantId, ...times([edges[0]!, edges.at(-1)!]), times(edges)];
  if (statement.source === "events") return scope;
  if (statement.source === "totals_15m") return [...scope, partitionId];
  return [...scope, partitionId, ...times([statement.readyFrom])];
}

function columnOf(statement: Statement, rows: readonly Row[], index: number, buckets: number): ReportColumn {
  const values = new Array<bigint>(buckets).fill(0n);
  let whole: bigint | undefined;
  for (const [bucketNumber, ...counts] of rows) {
    if (bucketNumber === null) whole = counts[index]!;
    else values[bucketNumber - 1] = counts[index]!;
  }
  return { values, total: statement.shape === "distinct" ? whole! : sumOf(values), standardError: 0 };
}

function sumOf(values: readonly bigint[]): bigint {
  return values.reduce((total, value) => total + value, 0n);
}

/** A merchant's events in a span, bots' too; epoch milliseconds, [start, end). */
export interface EventCountQuery extends Scope {
  readonly start: number;
  readonly end: number;
}

/** About how many events there are: by the aggregate alone, which may lag behind. */
export async function readEventCount(pool: Pool, query: EventCountQuery): Promise<number> {
  checkScope(query);
  return inSnapshot(pool, query, async (client) => {
    const values = [query.merchantId, new Date(query.start), new Date(query.end)];
    const { rows } = await client.query<[string]>({ text: EVENT_COUNT, values, rowMode: "array" });
    query.onRead?.(["aggregate"], rows.length);
    return Number(rows[0]![0]);
  });
}

import type { Sql } from "sql-template-tag";

/** Unit of a metric's numbers. */
export type Unit = "count" | "currency" | "ratio" | "seconds" | "percent" | "number";

/** What one value is about. */
export type Scope = "event" | "session" | "visitor" | "item" | "order";

interface Field {
  /** As questions name it: lower_snake_case; "property:NAME" and "goal:ID:..." for the merchant's own. */
  readonly name: string;
  readonly title: string;
  /** A sentence or two for people. */
  readonly description: string;
  readonly scope: Scope;
  /** Its column in the BI views; undefined: it is in none. */
  readonly biColumn?: string | undefined;
}

/**
 * What rows are counted. events: those that the filter passes. entrances and exits: of these, the first and the last page
 * view of each session. items: the items of those events.
 */
export type Relation = "events" | "entrances" | "exits" | "items";

/**
 * What events are told apart by. Its value is a SQL expression over columns: whichever source has all of these answers it.
 */
export interface Dimension extends Field {
  readonly kind: "dimension";
  readonly type: "text" | "number" | "bucket";
  readonly filterable: boolean;
  readonly groupable: boolean;
  /** Columns that `sql` reads. `time` stands for the time of the row, as finely as the source has it. */
  readonly columns: readonly string[];
  /** Over one row: a text, or a float8; null for no value. Undefined for the dimension `time` alone. */
  readonly sql: (at: RowContext) => Sql;
  /** A float8 for tests of numbers, where `sql` is a text that may be one; null for no number. */
  readonly number?: Sql | undefined;
  /**
   * Whether `sql` is a text[]: the row then counts once for each of its values, or where it is empty once without a value,
   * and passes a test where one of them does. Totals count it once. Default: one value a row.
   */
  readonly isMany?: boolean | undefined;
}

/** What an expression may ask of the row that it is over. */
export interface RowContext {
  /** The row's time. */
  readonly time: Sql;
  /** IANA name of the question's zone. */
  readonly timeZone: string;
  /** Where the span begins that the row is in: who came first then is new. */
  readonly spanStart: Sql;
}

interface MetricField extends Field {
  readonly unit: Unit;
}

/** Adds up over rows. */
export interface AdditiveMetric extends MetricField {
  readonly kind: "additive";
  readonly relation: Relation;
  /** Columns that `rows` reads. */
  readonly columns: readonly string[];
  /** SQL aggregate over rows; null stands for 0. */
  readonly rows: Sql;
  /** The aggregates' column of the same, to be summed; undefined: rows alone answer. */
  readonly cell?: string | undefined;
  /** What the sum is multiplied by to be in the metric's unit; amounts stay micros. Default: 1. */
  readonly factor?: number | undefined;
}

/** Counts different visitors or sessions. */
export interface DistinctMetric extends MetricField {
  readonly kind: "distinct";
  readonly relation: Relation;
  readonly of: "visitor_id" | "session_id";
  /** Only those with a row that passes; undefined: all. */
  readonly where?: DistinctCondition | undefined;
}

/**
 * Which visitors or sessions are counted: those with a row of which this holds. Over columns of whole sessions or visitors
 * (plan/columns.ts) it holds of all their rows, or of none.
 */
export interface DistinctCondition {
  /** Columns that `sql` reads. */
  readonly columns: readonly string[];
  readonly sql: (at: RowContext) => Sql;
  /** The aggregates' column that is above 0 where it holds of a row behind the cell; undefined: rows alone answer. */
  readonly cell?: string | undefined;
  /** What must hold of the session as a whole besides. */
  readonly whole?: Whole | undefined;
}

/** An expression over columns of whole sessions (plan/columns.ts). */
export interface Whole {
  readonly columns: readonly string[];
  readonly sql: Sql;
}

/** The sum of a measure of sessions, over the different sessions. */
export interface SessionSumMetric extends MetricField {
  readonly kind: "session_sum";
  readonly relation: "events";
  /** A bigint. */
  readonly measure: Whole;
  /** As AdditiveMetric has it. */
  readonly factor?: number | undefined;
}

/** One metric by another; no value where that is 0. */
export interface RatioMetric extends MetricField {
  readonly kind: "ratio";
  readonly numerator: BaseMetric;
  readonly denominator: BaseMetric;
  /** What the quotient is multiplied by. */
  readonly factor: number;
  /** 1 less the quotient. */
  readonly complement?: boolean | undefined;
}

/** A quantile of a number of rows. */
export interface QuantileMetric extends MetricField {
  readonly kind: "quantile";
  readonly relation: "events";
  /** 0 to 1. */
  readonly quantile: number;
  readonly columns: readonly string[];
  /** Number over one row; null: the row does not count. */
  readonly value: Sql;
}

/** What is read from the database; ratios are made of it. */
export type BaseMetric = AdditiveMetric | DistinctMetric | SessionSumMetric | QuantileMetric;

export type Metric = BaseMetric | RatioMetric;

/** The metrics that are read for a metric: itself, or both parts of a ratio. */
export function basesOf(metric: Metric): readonly BaseMetric[] {
  return metric.kind === "ratio" ? [metric.numerator, metric.denominator] : [metric];
}

/** What a metric's number is multiplied by to be in its unit. */
export function factorOf(metric: Metric): number {
  return metric.kind === "additive" || metric.kind === "session_sum" ? (metric.factor ?? 1) : 1;
}

/** The values of one column: the i-th is that of row i. */
export type Values =
  /** null: none. */
  | { readonly kind: "text"; readonly values: readonly (string | null)[] }
  | { readonly kind: "integer"; readonly values: readonly bigint[] }
  /** NaN: none, such as a rate of nothing. */
  | { readonly kind: "number"; readonly values: readonly number[] }
  /** Micros of the merchant's currency, of any size. */
  | { readonly kind: "money"; readonly values: readonly bigint[] }
  /** Places of buckets among the span's edges, from 0 on; -1: the span has none that is compared to the other's. */
  | { readonly kind: "bucket"; readonly values: readonly number[] };

/** Values of a metric or dimension of the question, over one of its spans. */
export type Column = Values & {
  /** As the question names it. */
  readonly name: string;
  /** 0 or 1. */
  readonly span: number;
  /** Standard errors relative to the values; 0: exact. Undefined: all are exact. */
  readonly standardErrors?: readonly number[] | undefined;
};

/** A table by columns: dimensions as asked for, then metrics, then the second span's buckets (with `time`) and metrics. */
export interface Table {
  readonly rows: number;
  readonly columns: readonly Column[];
  /** Rows that stand for all values beyond the question's topValues. */
  readonly restRows: readonly number[];
}

/** How far an answer goes, and what is known to be missing from it. Times are ms since 1970-01-01 UTC. */
export interface Freshness {
  /** Undefined while nothing of the partition was processed. */
  readonly dataThrough: number | undefined;
  /** Acknowledged events of the partition that collectors' spools are known to hold back. */
  readonly delayedEvents: bigint;
}

/** What was counted. */
export interface Counts {
  readonly table: Table;
  /** One row: the metrics over all rows, of both spans. */
  readonly totals: Table;
  /** How many rows there are, answered or not. */
  readonly totalRows: number;
  readonly unconvertedOrders: bigint;
  /** 0: there are no events. */
  readonly oldestProcessorVersion: number;
  readonly newestProcessorVersion: number;
}

/** What a question is answered with. */
export interface Answer extends Counts, Freshness {}

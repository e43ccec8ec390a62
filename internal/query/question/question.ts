import type { Dimension, Metric } from "../schema/field.ts";
import type { Filter, MetricFilter } from "./filter.ts";

/** Whose events count. */
export type Traffic = "people" | "bots" | "all";

/** Whether distinct counts may be estimated: where there are very many events, never, or wherever that is quicker. */
export type Accuracy = "balanced" | "exact" | "fast";

/** What counts as one visitor: a visitor id, or a person with all visitor ids that signed in as one user (sql/persons.ts). */
export type Identity = "visitor" | "person";

/** What the engine must know of a merchant. */
export interface Merchant {
  readonly merchantId: number;
  /** The partition that it lives in. */
  readonly partitionId: number;
  /** IANA name. */
  readonly timeZone: string;
  /** ISO 4217 code. */
  readonly currency: string;
}

/** A span of time, [start, end), ms since 1970-01-01 UTC, and its buckets. */
export interface Span {
  readonly start: number;
  readonly end: number;
  /** Edges of the buckets of the dimension `time`, ascending, from start to end; undefined without that dimension. */
  readonly edges?: readonly number[] | undefined;
  /**
   * The position of each bucket, ascending from 0 on: buckets of two spans in one position are compared to each other, and each
   * position has a bucket of one span at least. Undefined: the i-th bucket is in position i.
   */
  readonly positions?: readonly number[] | undefined;
}

/** How many positions the buckets of a question are in; 0 without the dimension `time`. */
export function positionCount(spans: readonly Span[]): number {
  return Math.max(
    0,
    ...spans.map(({ edges, positions }) => (positions?.at(-1) ?? (edges?.length ?? 1) - 2) + 1),
  );
}

/** For each position the bucket of a span; -1: it has none. */
export function bucketsByPosition(span: Span, positions: number): number[] {
  const buckets = Array.from({ length: positions }, () => -1);
  const count = (span.edges?.length ?? 1) - 1;
  for (let bucket = 0; bucket < count; bucket++) buckets[span.positions?.[bucket] ?? bucket] = bucket;
  return buckets;
}

/** By what rows are ordered: the place of a metric or dimension in the question. */
export interface Order {
  readonly by: { readonly metric: number } | { readonly dimension: number };
  readonly ascending: boolean;
  /** By the metric's change against the second span, relative; only with two spans. */
  readonly byChange: boolean;
}

/** What all questions have: whose events count, when, and by which rules. */
export interface Scoped {
  readonly merchant: Merchant;
  /** IANA name. */
  readonly timeZone: string;
  readonly traffic: Traffic;
  readonly accuracy: Accuracy;
  readonly identity: Identity;
  /** The period, and maybe that which it is compared to. */
  readonly spans: readonly [Span] | readonly [Span, Span];
  readonly filter?: Filter | undefined;
}

/** A question, checked: metrics by dimensions over one span, or over two. It is a value: nothing in it is text of SQL. */
export interface Question extends Scoped {
  /** One or more. */
  readonly metrics: readonly Metric[];
  readonly dimensions: readonly Dimension[];
  readonly metricFilter?: MetricFilter | undefined;
  /** What is equal by these is ordered by all dimensions. */
  readonly orderBy: readonly Order[];
  /** Whether rows without a value come like others; else they come last, before any order. */
  readonly includeEmpty: boolean;
  /** How many rows are passed over. */
  readonly offset: number;
  /** Most rows to answer. */
  readonly limit: number;
  /** Only so many values of the dimensions but `time`, by the first metric; the rest as one. */
  readonly topValues?: number | undefined;
}

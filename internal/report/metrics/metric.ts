/** What one step of a metric's value means: one, a millionth of the merchant's currency's unit, a millionth of one. */
export type Unit = "count" | "currency_micros" | "micros";

interface Declared {
  /** One sentence for people, used wherever metrics are listed. */
  readonly description: string;
  /** Every metric so far is a 64-bit integer; in this process a bigint. */
  readonly type: "int64";
  readonly unit: Unit;
  /** Whether a report may ask for it as a series; the others stand beside the series. */
  readonly selectable: boolean;
}

/** A metric whose value over a span is the sum of its values over the span's parts. */
export interface AdditiveMetric extends Declared {
  readonly kind: "additive";
  /** SQL aggregate over rows of `events`. Null stands for 0. */
  readonly events: string;
  /** SQL value over one row of `totals_15m`, to be summed. Absent: the aggregate cannot answer. */
  readonly totals15m?: string;
}

/** A count of different keys. Who is in two parts of a span counts once in the whole. */
export interface DistinctMetric extends Declared {
  readonly kind: "distinct";
  /** SQL value over one row of `events`, and of `sessions_15m`: the key. Null keys are not counted. */
  readonly key: string;
}

/**
 * A declared metric. Its SQL is an expression without rows of its own: the statement it is put into names
 * the table and restricts it to one merchant.
 */
export type Metric = AdditiveMetric | DistinctMetric;

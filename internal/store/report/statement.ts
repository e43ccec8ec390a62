/** A SQL expression over a table's rows and the name under which its values are returned. */
export interface EventsColumn {
  readonly name: string;
  /** SQL aggregate over rows of `events`. Null stands for 0. */
  readonly events: string;
}

export interface TotalsColumn extends EventsColumn {
  /** SQL value over one row of `totals_15m`, to be summed. */
  readonly totals15m: string;
}

export interface KeyColumn {
  readonly name: string;
  /** SQL value over one row of `events`, and of `sessions_15m` where that is the source: different ones are counted. */
  readonly key: string;
}

/** Where a merchant has rollups. */
interface WithRollups {
  /** Ms since 1970-01-01 UTC, a midnight: what came before is read from rows. */
  readonly readyFrom: number;
}

/**
 * What to count and where. A statement says neither whose rows nor which: the merchant and the span are
 * fixed parts of the SQL it is put into.
 */
export type Statement =
  /** Sums per bucket from the aggregate. Every edge must be a whole quarter hour. */
  | { readonly shape: "additive"; readonly source: "totals_15m"; readonly columns: readonly TotalsColumn[] }
  /** Aggregates per bucket from raw events; any edges. */
  | { readonly shape: "additive"; readonly source: "events"; readonly columns: readonly EventsColumn[] }
  /** Exact counts of different keys, per bucket and over the whole span. */
  | { readonly shape: "distinct"; readonly source: "events"; readonly columns: readonly KeyColumn[] }
  /** The same from sessions of quarter hours. Every edge must be a whole quarter hour. */
  | (WithRollups & {
      readonly shape: "distinct";
      readonly source: "sessions_15m";
      readonly columns: readonly KeyColumn[];
    });

import { counter, gauge, latency, type Registry } from "../telemetry/metrics.ts";

export type AggregateMetrics = ReturnType<typeof aggregateMetrics>;

export function aggregateMetrics(registry: Registry) {
  const partition = ["partition"] as const;
  return {
    rows: counter(registry, "footfall_aggregator_rows_total", "Rows committed to the events table."),
    duplicates: counter(
      registry,
      "footfall_aggregator_duplicates_total",
      "Events left out because they were stored.",
    ),
    rejected: counter(
      registry,
      "footfall_aggregator_rejected_total",
      "Rows of batches that could not be processed.",
    ),
    erased: counter(
      registry,
      "footfall_aggregator_erased_total",
      "Events left out because their visitor or merchant is erased.",
    ),
    setAside: counter(
      registry,
      "footfall_aggregator_set_aside_total",
      "Batches kept in the rejected stream instead of being processed, by reason.",
      ["reason"],
    ),
    repeatedBatches: counter(
      registry,
      "footfall_aggregator_repeated_batches_total",
      "Batches that the ledger knew.",
    ),
    gaps: counter(registry, "footfall_aggregator_gap_sequences_total", "Sequences missing in the stream.", [
      ...partition,
    ]),
    rewinds: counter(
      registry,
      "footfall_aggregator_stream_rewinds_total",
      "Times that a stream was not what was committed of it any more, and the position went back.",
      [...partition],
    ),
    failures: counter(
      registry,
      "footfall_aggregator_failures_total",
      "Times that a partition started over; by cause: the database, fenced by another owner, a stream that is gone or changed, or other.",
      [...partition, "cause"],
    ),
    lag: gauge(
      registry,
      "footfall_aggregator_lag_seconds",
      "Age of the last committed batch at its commit.",
      [...partition],
    ),
    partitionsOwned: gauge(
      registry,
      "footfall_aggregator_partitions_owned",
      "Partitions that this process works.",
    ),
    takeovers: counter(
      registry,
      "footfall_aggregator_takeovers_total",
      "Leases claimed from an owner that did not renew them in time.",
    ),
    leasesLost: counter(
      registry,
      "footfall_aggregator_leases_lost_total",
      "Leases that could not be renewed in time, or that another took.",
    ),
    commit: latency(registry, "footfall_aggregator_commit_seconds", "Time of one transaction."),
    refresh: latency(
      registry,
      "footfall_aggregator_refresh_seconds",
      "Time of refreshing all stale buckets.",
    ),
    refreshFailures: counter(
      registry,
      "footfall_aggregator_refresh_failures_total",
      "Refreshes of a span of aggregates that failed, the server itself being well or not.",
    ),
    refreshSetApart: gauge(
      registry,
      "footfall_aggregator_refresh_set_apart",
      "Spans of aggregates whose last refresh failed: reports count them from the rows, which is slower.",
    ),
    steps: counter(registry, "footfall_aggregator_step_seconds_total", "Time spent in each step.", ["step"]),
  };
}

import { BatchRejectReason } from "../gen/footfall/ingest/v1/ingest_pb.js";
import { counter, gauge, latency, type Registry, startAtZero } from "../telemetry/metrics.ts";

export type AggregateMetrics = ReturnType<typeof aggregateMetrics>;

/** What a partition started over for: an operator should look at the database, another owner, or something else. */
export const CAUSES = ["database", "fenced", "stream", "other"] as const;

/** @param partitions of the installation: each has its samples from the start. */
export function aggregateMetrics(registry: Registry, partitions: number) {
  const metrics = registered(registry);
  const all = Array.from({ length: partitions }, (_, partition) => partition);
  startAtZero(metrics.gaps, "partition", all);
  startAtZero(metrics.rewinds, "partition", all);
  for (const cause of CAUSES)
    startAtZero<"partition" | "cause">(metrics.failures, "partition", all, { cause });
  startAtZero(metrics.deadLetters, "reason", REASONS);
  return metrics;
}

const REASONS = Object.values(BatchRejectReason).filter(
  (name) => typeof name === "string" && name !== "UNSPECIFIED",
);

function registered(registry: Registry) {
  const partition = ["partition"] as const;
  return {
    rows: counter(registry, "footfall_aggregator_rows_total", "Rows committed to the events table."),
    duplicates: counter(
      registry,
      "footfall_aggregator_duplicates_total",
      "Events left out because they were stored.",
    ),
    deadLettered: counter(
      registry,
      "footfall_aggregator_dead_lettered_events_total",
      "Events of batches that could not be processed.",
    ),
    erased: counter(
      registry,
      "footfall_aggregator_erased_total",
      "Events left out because their visitor or merchant is erased.",
    ),
    deadLetters: counter(
      registry,
      "footfall_aggregator_dead_letters_total",
      "Batches kept in the dead-letter stream instead of being processed, by reason.",
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
      "Age of the oldest batch of a partition that is not committed, whoever works it; each aggregator tells all.",
      [...partition],
    ),
    refreshLag: gauge(
      registry,
      "footfall_aggregator_refresh_lag_seconds",
      "Age of the oldest commit that the continuous aggregates may lack; reports count it from rows.",
    ),
    unconverted: gauge(
      registry,
      "footfall_aggregator_unconverted_chunks",
      "Chunks old enough for the columnstore that are not there, or not wholly.",
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
      "Time of refreshing all invalid buckets.",
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

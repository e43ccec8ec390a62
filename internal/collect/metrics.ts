import { counter, gauge, latency, type Registry } from "../telemetry/metrics.ts";

export type CollectMetrics = ReturnType<typeof collectMetrics>;

export function collectMetrics(registry: Registry) {
  return {
    events: counter(registry, "footfall_collector_events_total", "Events answered, by status.", ["status"]),
    rejected: counter(registry, "footfall_collector_rejected_total", "Events rejected, by reason.", [
      "reason",
    ]),
    adjusted: counter(
      registry,
      "footfall_collector_adjustments_total",
      "Values that were changed so that their event could be taken, by field and what was done; up to 20 an event.",
      ["field", "kind"],
    ),
    batches: counter(registry, "footfall_collector_batches_total", "Batches closed."),
    batchEvents: counter(registry, "footfall_collector_batch_events_total", "Events in closed batches."),
    batchBytes: counter(
      registry,
      "footfall_collector_batch_bytes_total",
      "Bytes of closed batches, as they travel.",
    ),
    pending: gauge(registry, "footfall_collector_pending_bytes", "Bytes of batches on their way to ingest."),
    limitedRequests: counter(
      registry,
      "footfall_collector_limited_requests_total",
      "Requests, also those of streams, that were refused for being over a limit.",
      ["limit"],
    ),
    limitedEvents: counter(
      registry,
      "footfall_collector_limited_events_total",
      "Events of such requests; those of requests that were refused unread are not known.",
      ["limit"],
    ),
    requests: gauge(registry, "footfall_collector_requests", "Requests in progress, and open streams."),
    readingBytes: gauge(registry, "footfall_collector_reading_bytes", "Bytes of requests being read."),
    latency: latency(
      registry,
      "footfall_collector_latency_seconds",
      "From a request's arrival to its answer.",
    ),
  };
}

import { BatchRejectReason, BatchStatus } from "../gen/footfall/ingest/v1/ingest_pb.js";
import { counter, gauge, latency, type Registry, startAtZero } from "../telemetry/metrics.ts";

export type IngestMetrics = ReturnType<typeof ingestMetrics>;

export function ingestMetrics(registry: Registry) {
  const metrics = registered(registry);
  startAtZero(metrics.batches, "status", namesOf(BatchStatus));
  startAtZero(metrics.deadLetters, "reason", namesOf(BatchRejectReason));
  return metrics;
}

/** The names of an enum's values that are ever sent. */
function namesOf(values: Readonly<Record<string, string | number>>): string[] {
  return Object.keys(values).filter((name) => !/^\d+$/.test(name) && name !== "UNSPECIFIED");
}

function registered(registry: Registry) {
  return {
    batches: counter(registry, "footfall_ingest_batches_total", "Batches answered, by status.", ["status"]),
    events: counter(registry, "footfall_ingest_events_total", "Events in batches that JetStream acked."),
    bytes: counter(registry, "footfall_ingest_bytes_total", "Bytes of answered batches, as they travel."),
    deadLetters: counter(
      registry,
      "footfall_ingest_dead_letters_total",
      "Batches that failed the checks, by reason.",
      ["reason"],
    ),
    streamsMade: counter(
      registry,
      "footfall_ingest_streams_made_total",
      "Streams that were gone while ingest ran, and were made anew.",
      ["stream"],
    ),
    inFlight: gauge(
      registry,
      "footfall_ingest_in_flight_bytes",
      "Bytes of batches that wait for JetStream's ack.",
    ),
    latency: latency(registry, "footfall_ingest_latency_seconds", "From a batch's arrival to its answer."),
  };
}

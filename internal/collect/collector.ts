import { Codec } from "../gen/footfall/event/v1/batch_pb.js";
import type { Registry } from "../telemetry/metrics.ts";
import { Batcher, type BatcherOptions } from "./batcher.ts";
import type { IngestClient } from "./ingest-client.ts";
import { IngestLink } from "./ingest-link.ts";
import { type LimitOptions, Limits } from "./limits/limits.ts";
import { type CollectMetrics, collectMetrics } from "./metrics.ts";
import { RecentEvents } from "./recent-events.ts";
import type { SendDeps } from "./send.ts";

export interface CollectorOptions extends Omit<BatcherOptions, "codec" | "merchantShare">, LimitOptions {
  readonly compression: "zstd" | "none";
  readonly deliverTimeoutMs: number;
  /** Events remembered to answer "duplicate". */
  readonly recentEvents: number;
  readonly onLinkState: (problem: string | undefined) => void;
}

/** The path of events within a collector: recent window, batches, link to ingest. */
export interface Collector extends SendDeps {
  readonly limits: Limits;
  /** Closes the open batches and waits for ingest's answers. */
  close(): Promise<void>;
}

export function createCollector(
  client: IngestClient,
  registry: Registry,
  options: CollectorOptions,
): Collector {
  const metrics = collectMetrics(registry);
  const link = new IngestLink(client, {
    deliverTimeoutMs: options.deliverTimeoutMs,
    onState: options.onLinkState,
  });
  const codec = options.compression === "zstd" ? Codec.ZSTD : Codec.NONE;
  const batcher = new Batcher({ ...options, codec }, (batch) => {
    metrics.batches.inc();
    metrics.batchEvents.inc(batch.rows);
    metrics.batchBytes.inc(batch.bytes.length);
    link.deliver(batch);
  });
  const limits = new Limits(options);
  reportGauges(metrics, batcher, limits);
  return {
    limits,
    batcher,
    recent: new RecentEvents(options.recentEvents),
    metrics,
    async close() {
      batcher.flush();
      await link.close();
    },
  };
}

/** The gauges are read when metrics are asked for, not at each batch. */
function reportGauges(metrics: CollectMetrics, batcher: Batcher, limits: Limits): void {
  const { pending, requests, readingBytes } = metrics;
  Object.assign(pending, { collect: () => pending.set(batcher.pendingBytes) });
  Object.assign(requests, { collect: () => requests.set(limits.requests) });
  Object.assign(readingBytes, { collect: () => readingBytes.set(limits.readingBytes) });
}

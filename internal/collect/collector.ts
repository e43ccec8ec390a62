import { Codec } from "../gen/footfall/event/v1/batch_pb.js";
import type { Logger } from "../telemetry/logger.ts";
import type { Registry } from "../telemetry/metrics.ts";
import { Batcher, type BatcherOptions, type OutgoingBatch } from "./batcher.ts";
import { Delivery } from "./delivery.ts";
import type { IngestClient } from "./ingest-client.ts";
import { IngestLink } from "./ingest-link.ts";
import { type LimitOptions, Limits } from "./limits/limits.ts";
import { type CollectMetrics, collectMetrics } from "./metrics.ts";
import { RecentEvents } from "./recent-events.ts";
import type { SendDeps } from "./send.ts";
import type { Spool } from "./spool/spool.ts";

export interface CollectorOptions
  extends Omit<BatcherOptions, "codec" | "checkDelivery" | "merchantShare">,
    LimitOptions {
  readonly compression: "zstd" | "none";
  readonly deliverTimeoutMs: number;
  /** Events remembered to answer "duplicate". */
  readonly recentEvents: number;
  readonly onLinkState: (problem: string | undefined) => void;
  /** Told at each change: why events cannot be taken now, or undefined. */
  readonly onProblem?: (problem: string | undefined) => void;
  /** Where batches go while ingest is away; it is closed with the collector. Without one they wait in memory. */
  readonly spool?: SpoolUse | undefined;
}

export interface SpoolUse {
  readonly spool: Spool;
  /** How long ingest may take to answer before a batch goes to the spool, ms. */
  readonly spoolAfterMs: number;
  readonly log: Logger;
}

/** The path of events within a collector: recent window, batches, link to ingest and spool. */
export interface Collector extends SendDeps {
  readonly limits: Limits;
  /** Ingest has little time from now on: with a spool, a collector that stops does not wait for it. */
  beginShutdown(): void;
  /** Closes the open batches and waits until ingest or the spool has them. */
  close(): Promise<void>;
}

/** Where closed batches go. */
interface Outlet {
  deliver(batch: OutgoingBatch): void;
  /** @throws Failure exhausted when a batch could go nowhere now. */
  checkRoom?(): void;
  beginShutdown?(): void;
  close(): Promise<void>;
}

export function createCollector(
  client: IngestClient,
  registry: Registry,
  options: CollectorOptions,
): Collector {
  const metrics = collectMetrics(registry);
  const outlet = createOutlet(client, options);
  const codec = options.compression === "zstd" ? Codec.ZSTD : Codec.NONE;
  const checkDelivery = () => outlet.checkRoom?.();
  const batcher = new Batcher({ ...options, codec, checkDelivery }, (batch) => {
    metrics.batches.inc();
    metrics.batchEvents.inc(batch.rows);
    metrics.batchBytes.inc(batch.bytes.length);
    outlet.deliver(batch);
  });
  const limits = new Limits(options);
  reportGauges(metrics, batcher, limits);
  return {
    limits,
    batcher,
    recent: new RecentEvents(options.recentEvents),
    metrics,
    beginShutdown: () => outlet.beginShutdown?.(),
    async close() {
      batcher.flush();
      await outlet.close();
    },
  };
}

function createOutlet(client: IngestClient, options: CollectorOptions): Outlet {
  const { collectorId, deliverTimeoutMs, onLinkState, onProblem = () => {}, spool } = options;
  if (spool !== undefined) {
    return new Delivery(client, { collectorId, deliverTimeoutMs, onLinkState, onProblem, ...spool });
  }
  const onState = (problem: string | undefined) => {
    onLinkState(problem);
    onProblem(problem);
  };
  return new IngestLink(client, { deliverTimeoutMs, onState });
}

/** The gauges are read when metrics are asked for, not at each batch. */
function reportGauges(metrics: CollectMetrics, batcher: Batcher, limits: Limits): void {
  const { pending, requests, readingBytes } = metrics;
  Object.assign(pending, { collect: () => pending.set(batcher.pendingBytes) });
  Object.assign(requests, { collect: () => requests.set(limits.requests) });
  Object.assign(readingBytes, { collect: () => readingBytes.set(limits.readingBytes) });
}

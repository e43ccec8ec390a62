import { BatchBuilder } from "../event/batch-builder.ts";
import { partitionOf } from "../event/partition.ts";
import { seal, sealedBytes } from "../event/seal.ts";
import type { Codec } from "../gen/footfall/event/v1/batch_pb.js";
import { Quota } from "../rpc/quota.ts";
import { OverLimit } from "./limits/over-limit.ts";
import { Receipt } from "./receipt.ts";

export interface BatcherOptions {
  readonly collectorId: string;
  readonly codec: Codec;
  /** A batch closes at this many rows ... */
  readonly maxRows: number;
  /** ... or at about this many bytes before compression ... */
  readonly maxBytes: number;
  /** ... or at this age, ms. */
  readonly maxAgeMs: number;
  /** Most bytes of batches that are open or on their way; beyond it events are refused, to be retried. */
  readonly maxPendingBytes: number;
  /** @throws Failure exhausted when a batch could go nowhere now. */
  readonly checkDelivery?: (() => void) | undefined;
  /** Percentage of them that one merchant comes to when it is alone (rpc/quota.ts). Default 100. */
  readonly merchantShare?: number;
}

/** A closed batch on its way. */
export interface OutgoingBatch {
  readonly batchId: Uint8Array;
  readonly partition: number;
  readonly bytes: Uint8Array;
  readonly rows: number;
  readonly receipt: Receipt;
}

/** A partition's open batch. */
export interface OpenBatch {
  readonly partition: number;
  /** Whoever fills its open row calls `commit`, or discards the row. */
  readonly builder: BatchBuilder;
  /** Of the open batch. */
  receipt: Receipt;
  timer: NodeJS.Timeout | undefined;
  /** Batches of this partition that are on their way. */
  inFlight: number;
}

/**
 * Gathers rows into one batch per partition. A batch closes when it is large or old enough, and at once when
 * no other batch of its partition is on its way: small and quick when quiet, large when busy.
 */
export class Batcher {
  readonly #options: BatcherOptions;
  readonly #deliver: (batch: OutgoingBatch) => void;
  readonly #openBatches = new Map<number, OpenBatch>();
  readonly #pending: Quota;

  /** @param deliver takes a closed batch and must settle its receipt in the end. */
  constructor(options: BatcherOptions, deliver: (batch: OutgoingBatch) => void) {
    this.#options = options;
    this.#pending = new Quota(options.maxPendingBytes, (options.merchantShare ?? 100) / 100);
    this.#deliver = deliver;
  }

  /** Bytes of batches on their way. */
  get pendingBytes(): number {
    return this.#pending.used;
  }

  /**
   * @throws Failure exhausted when a batch could go nowhere; OverLimit when too many bytes wait for ingest already, in
   * all or of this merchant.
   */
  checkRoom(merchantId: number): void {
    this.#options.checkDelivery?.();
    const refusal = this.#pending.refusal(merchantId);
    if (refusal === undefined) return;
    const [limit, whose] =
      refusal === "all"
        ? (["pending", `collector: ${this.#pending.used}`] as const)
        : (["merchant_pending", `merchant ${merchantId}: too many`] as const);
    throw new OverLimit(limit, `${whose} bytes wait for ingest already`, 1_000);
  }

  /** The open batch of a merchant's partition. */
  openBatch(merchantId: number, partitions: number): OpenBatch {
    const partition = partitionOf(merchantId, partitions);
    let openBatch = this.#openBatches.get(partition);
    if (openBatch === undefined) {
      const builder = new BatchBuilder(this.#options.maxRows);
      openBatch = { partition, builder, receipt: new Receipt(), timer: undefined, inFlight: 0 };
      this.#openBatches.set(partition, openBatch);
    }
    return openBatch;
  }

  /** Makes the open row part of the open batch, which is closed if that fills it. */
  commit(openBatch: OpenBatch, merchantId: number): void {
    const { builder } = openBatch;
    builder.commit(merchantId);
    if (builder.rows >= this.#options.maxRows || builder.byteLength >= this.#options.maxBytes)
      this.#close(openBatch);
    else this.#schedule(openBatch);
  }

  /** Closes all open batches now. */
  flush(): void {
    for (const openBatch of this.#openBatches.values()) this.#close(openBatch);
  }

  #schedule(openBatch: OpenBatch): void {
    if (openBatch.timer !== undefined) return;
    // With nothing on its way, only the rows of this turn of the event loop are waited for.
    const wait = openBatch.inFlight === 0 ? 0 : this.#options.maxAgeMs;
    openBatch.timer = setTimeout(() => this.#close(openBatch), wait);
  }

  #close(openBatch: OpenBatch): void {
    clearTimeout(openBatch.timer);
    openBatch.timer = undefined;
    if (openBatch.builder.rows === 0) return;
    const { partition, receipt } = openBatch;
    const { collectorId, codec } = this.#options;
    const batch = openBatch.builder.take();
    const sealed = seal(batch, { partition, collectorId, codec, closedTime: Date.now() });
    const bytes = sealedBytes(sealed);
    openBatch.receipt = new Receipt();
    openBatch.inFlight++;
    const parts = partsOf(batch.merchantId, bytes.length);
    for (const [merchantId, part] of parts) this.#pending.take(merchantId, part);
    void receipt.settled.then(() => {
      openBatch.inFlight--;
      for (const [merchantId, part] of parts) this.#pending.give(merchantId, part);
      // What gathered while this batch was on its way need not wait for its age.
      if (openBatch.inFlight === 0) this.#close(openBatch);
    });
    this.#deliver({ batchId: sealed.batchId, partition, bytes, rows: sealed.rows, receipt });
  }
}

/** The merchants of a batch and how much of its bytes is theirs, by their rows. @param column its merchant ids. */
function partsOf(column: Uint8Array, bytes: number): [merchantId: number, bytes: number][] {
  const ids = new DataView(column.buffer, column.byteOffset, column.length);
  const rows = new Map<number, number>();
  const count = column.length / 4;
  // A request's rows come one after another: a merchant is looked up once for each stretch of its rows.
  for (let start = 0, end = 0; start < count; start = end) {
    const id = ids.getUint32(4 * start, true);
    while (end < count && ids.getUint32(4 * end, true) === id) end++;
    rows.set(id, (rows.get(id) ?? 0) + end - start);
  }
  return [...rows].map(([id, of]) => [id, (bytes * of) / count]);
}

import { BatchBuilder } from "../event/batch-builder.ts";
import { partitionOf } from "../event/partition.ts";
import { seal, sealedBytes } from "../event/seal.ts";
import { Failure } from "../failure/failure.ts";
import type { Codec } from "../gen/footfall/event/v1/batch_pb.js";
import { Ticket } from "./ticket.ts";

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
}

/** A closed batch on its way. */
export interface OutgoingBatch {
  readonly batchId: Uint8Array;
  readonly partition: number;
  readonly bytes: Uint8Array;
  readonly rows: number;
  readonly ticket: Ticket;
}

/** A partition's open batch. */
export interface Lane {
  readonly partition: number;
  /** Whoever fills its open row calls `commit`, or discards the row. */
  readonly builder: BatchBuilder;
  /** Of the open batch. */
  ticket: Ticket;
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
  readonly #lanes = new Map<number, Lane>();
  #pendingBytes = 0;

  /** @param deliver takes a closed batch and must settle its ticket in the end. */
  constructor(options: BatcherOptions, deliver: (batch: OutgoingBatch) => void) {
    this.#options = options;
    this.#deliver = deliver;
  }

  /** Bytes of batches on their way. */
  get pendingBytes(): number {
    return this.#pendingBytes;
  }

  /** @throws Failure exhausted when too many bytes wait for ingest already, or a batch could go nowhere. */
  checkRoom(): void {
    this.#options.checkDelivery?.();
    if (this.#pendingBytes < this.#options.maxPendingBytes) return;
    const message = `collector: ${this.#pendingBytes} bytes wait for ingest already`;
    throw new Failure("exhausted", message, { retryAfterMs: 1_000 });
  }

  /** The lane of a merchant. */
  lane(merchantId: number, partitions: number): Lane {
    const partition = partitionOf(merchantId, partitions);
    let lane = this.#lanes.get(partition);
    if (lane === undefined) {
      const builder = new BatchBuilder(this.#options.maxRows);
      lane = { partition, builder, ticket: new Ticket(), timer: undefined, inFlight: 0 };
      this.#lanes.set(partition, lane);
    }
    return lane;
  }

  /** Makes the open row part of the lane's batch, which is closed if that fills it. */
  commit(lane: Lane, merchantId: number): void {
    const { builder } = lane;
    builder.commit(merchantId);
    if (builder.rows >= this.#options.maxRows || builder.byteLength >= this.#options.maxBytes)
      this.#close(lane);
    else this.#schedule(lane);
  }

  /** Closes all open batches now. */
  flush(): void {
    for (const lane of this.#lanes.values()) this.#close(lane);
  }

  #schedule(lane: Lane): void {
    if (lane.timer !== undefined) return;
    // With nothing on its way, only the rows of this turn of the event loop are waited for.
    const wait = lane.inFlight === 0 ? 0 : this.#options.maxAgeMs;
    lane.timer = setTimeout(() => this.#close(lane), wait);
  }

  #close(lane: Lane): void {
    clearTimeout(lane.timer);
    lane.timer = undefined;
    if (lane.builder.rows === 0) return;
    const { partition, ticket } = lane;
    const { collectorId, codec } = this.#options;
    const sealed = seal(lane.builder.take(), { partition, collectorId, codec, closedTime: Date.now() });
    const bytes = sealedBytes(sealed);
    lane.ticket = new Ticket();
    lane.inFlight++;
    this.#pendingBytes += bytes.length;
    void ticket.settled.then(() => {
      lane.inFlight--;
      this.#pendingBytes -= bytes.length;
      // What gathered while this batch was on its way need not wait for its age.
      if (lane.inFlight === 0) this.#close(lane);
    });
    this.#deliver({ batchId: sealed.batchId, partition, bytes, rows: sealed.rows, ticket });
  }
}

import { BatchBuilder } from "../event/batch-builder.ts";
import { partitionOf } from "../event/partition.ts";
import { seal, sealedBytes } from "../event/seal.ts";
import type { Codec } from "../gen/footfall/event/v1/batch_pb.js";
import { Room } from "../rpc/room.ts";
import { OverLimit } from "./limits/over-limit.ts";
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
  /** Percentage of them that one merchant comes to when it is alone (limits/room.ts). Default 100. */
  readonly merchantShare?: number;
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
  readonly #pending: Room;

  /** @param deliver takes a closed batch and must settle its ticket in the end. */
  constructor(options: BatcherOptions, deliver: (batch: OutgoingBatch) => void) {
    this.#options = options;
    this.#pending = new Room(options.maxPendingBytes, (options.merchantShare ?? 100) / 100);
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
    const batch = lane.builder.take();
    const sealed = seal(batch, { partition, collectorId, codec, closedTime: Date.now() });
    const bytes = sealedBytes(sealed);
    lane.ticket = new Ticket();
    lane.inFlight++;
    const parts = partsOf(batch.merchantId, bytes.length);
    for (const [merchantId, part] of parts) this.#pending.take(merchantId, part);
    void ticket.settled.then(() => {
      lane.inFlight--;
      for (const [merchantId, part] of parts) this.#pending.give(merchantId, part);
      // What gathered while this batch was on its way need not wait for its age.
      if (lane.inFlight === 0) this.#close(lane);
    });
    this.#deliver({ batchId: sealed.batchId, partition, bytes, rows: sealed.rows, ticket });
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

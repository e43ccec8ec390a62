import type { EventBatch } from "../gen/footfall/event/v1/batch_pb.js";
import type { BatchRejectReason } from "../gen/footfall/ingest/v1/ingest_pb.js";
import type { BatchProblem } from "./seal.ts";

export const MAX_ROWS = 65_536;
/** Most entries of a dictionary: merchant and index together fit a number within 2^53. */
export const MAX_ENTRIES = 2 ** 22 - 1;
/** Longest name of a collector, UTF-16 units. */
export const MAX_COLLECTOR_ID = 128;
/** Most items of one event: the database numbers them with 16 bits. */
export const MAX_ITEMS_OF_EVENT = 32_768;
export const MAX_MERCHANT_ID = 0x7fff_ffff;
/** One of an item, micros. */
export const ONE_MICROS = 1_000_000n;
/** Times lie between the years 1900 and 2200, ms since 1970-01-01 UTC. */
export const MIN_TIME_MS = Date.UTC(1900, 0);
export const MAX_TIME_MS = Date.UTC(2200, 0);

/** One part of the check of a batch: the first problem it finds, or undefined. */
export type Check = (batch: EventBatch) => BatchProblem | undefined;

export function problem(reason: BatchRejectReason, message: string): BatchProblem {
  return { reason, message };
}

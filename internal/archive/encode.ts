import { subtle } from "node:crypto";
import { setImmediate as turnOfTheLoop } from "node:timers/promises";
import { MAX_TIME_MS, MIN_TIME_MS } from "../event/batch-limits.ts";
import { BatchView } from "../event/batch-view.ts";
import { appendRows } from "../event/plain-columns.ts";
import { type CheckedBatch, readCheckedBatch } from "../event/read-batch.ts";
import { rebuildBatch } from "../event/rebuild.ts";
import { differingField } from "../event/same-events.ts";
import { BatchRejectReason } from "../gen/footfall/ingest/v1/ingest_pb.js";
import { openObject } from "../lake/object-reader.ts";
import { type ObjectFacts, ObjectWriter } from "../lake/object-writer.ts";
import { emptyTable } from "../lake/schema.ts";
import { appendFacts, type BatchFacts } from "../lake/table.ts";
import type { StreamBatch } from "../stream/partition-feed.ts";

/** Rows at which a row group is full. It holds whole batches. */
const GROUP_ROWS = 65_536;

type GoodBatch = Extract<CheckedBatch, { readonly view: BatchView }>;

/** A batch that could not be read, and why. */
export interface DeadLetter {
  readonly message: StreamBatch;
  readonly reason: string;
  readonly problem: string;
}

/** What becomes of a group of batches. */
export interface Encoded {
  /** A Parquet object; undefined when no batch of the group could be read. */
  readonly events: Uint8Array | undefined;
  readonly batches: number;
  readonly rows: number;
  /** Batches whose bytes are kept beside their rows. */
  readonly keptWhole: number;
  readonly deadLetters: readonly DeadLetter[];
}

/**
 * Makes an object of batches, and reads it back: every batch that comes out of it must be the one that went in.
 * A batch with fields that this program does not know, or that comes out otherwise, is kept as it arrived, too.
 * @throws when a batch's own bytes do not come out as they went in.
 */
export async function encodeBatches(messages: readonly StreamBatch[], facts: ObjectFacts): Promise<Encoded> {
  const good: StreamBatch[] = [];
  const deadLetters: DeadLetter[] = [];
  for (const message of messages) {
    const { problem } = read(message, facts);
    if (problem === undefined) good.push(message);
    else deadLetters.push({ message, reason: BatchRejectReason[problem.reason]!, problem: problem.message });
  }
  if (good.length === 0) return { events: undefined, batches: 0, rows: 0, keptWhole: 0, deadLetters };
  const first = await write(good, facts, new Set());
  const differing = await differingBatches(first.events, good, facts);
  if (differing.size === 0) return { ...first, batches: good.length, deadLetters };
  const second = await write(good, facts, differing);
  const wrong = [...(await differingBatches(second.events, good, facts))];
  if (wrong.length > 0)
    throw new Error(`batches at sequences ${wrong} do not come out of the archive's format`);
  return { ...second, batches: good.length, deadLetters };
}

function read(message: StreamBatch, { partition, partitions }: ObjectFacts): CheckedBatch {
  return readCheckedBatch(message.bytes, partition, partitions);
}

/** @param whole sequences of the batches whose bytes are kept whatever they hold. */
async function write(messages: readonly StreamBatch[], facts: ObjectFacts, whole: ReadonlySet<number>) {
  const writer = new ObjectWriter(facts);
  let [rows, keptWhole] = [0, 0];
  let table = emptyTable();
  for (const [at, message] of messages.entries()) {
    const batch = read(message, facts) as GoodBatch;
    const batchFacts = factsOf(message, batch, whole.has(message.seq));
    if (batchFacts.sealedBatch !== undefined) keptWhole++;
    appendRows(batch.view, table);
    appendFacts(table, batchFacts, batch.view.rows);
    rows += batch.view.rows;
    if (table.streamSeq.length < GROUP_ROWS && at < messages.length - 1) continue;
    writer.write(table);
    table = emptyTable();
    await turnOfTheLoop();
  }
  return { events: writer.finish(), rows, keptWhole };
}

function factsOf(message: StreamBatch, { sealed, hasUnknown }: GoodBatch, whole: boolean): BatchFacts {
  // No check has looked at the collector's clock: a time that no column takes is in the batch's own bytes.
  const closedTime = Math.min(Math.max(Number(sealed.closedTimeMs), MIN_TIME_MS), MAX_TIME_MS);
  const clamped = BigInt(closedTime) !== sealed.closedTimeMs;
  return {
    batchId: sealed.batchId,
    streamSeq: message.seq,
    storedTime: message.storedTime,
    closedTime,
    collectorId: sealed.collectorId,
    batchChecksum: sealed.checksum,
    sealedBatch: hasUnknown || clamped || whole ? message.bytes : undefined,
  };
}

/** Sequences of batches that come out of an object otherwise than they went in. */
async function differingBatches(
  object: Uint8Array,
  messages: readonly StreamBatch[],
  facts: ObjectFacts,
): Promise<Set<number>> {
  const differing = new Set(messages.map(({ seq }) => seq));
  const sources = messages[Symbol.iterator]();
  for await (const archived of (await openObject(object)).batches()) {
    const source = sources.next().value;
    if (source === undefined) throw new Error("an object gives more batches than were written to it");
    const batch = read(source, facts) as GoodBatch;
    const expected = factsOf(source, batch, archived.sealedBatch !== undefined);
    if (!sameFacts(expected, archived)) continue;
    const again = rebuildBatch(archived.table, archived.batchId, archived);
    const same = differingField(batch.view, new BatchView(archived.batchId, again)) === undefined;
    if (same || archived.sealedBatch !== undefined) differing.delete(source.seq);
    if (archived.first === 0) await turnOfTheLoop();
  }
  return differing;
}

function sameFacts(a: BatchFacts, b: BatchFacts): boolean {
  return (
    Buffer.compare(a.batchId, b.batchId) === 0 &&
    a.streamSeq === b.streamSeq &&
    a.storedTime === b.storedTime &&
    a.closedTime === b.closedTime &&
    a.collectorId === b.collectorId &&
    a.batchChecksum === b.batchChecksum &&
    Buffer.compare(a.sealedBatch ?? NONE, b.sealedBatch ?? NONE) === 0
  );
}

const NONE = new Uint8Array(0);

/** SHA-256 of an object, found beside the event loop: of a large one it takes a tenth of a second. */
export async function sha256(bytes: Uint8Array): Promise<Buffer> {
  return Buffer.from(await subtle.digest("SHA-256", bytes as Uint8Array<ArrayBuffer>));
}

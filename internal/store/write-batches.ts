import { setImmediate } from "node:timers/promises";
import { failpoint } from "../failpoint/failpoint.ts";
import { CopyWriter, copyRows } from "./copy-writer.ts";
import { markErased, type Tombstones, tombstonesOf } from "./erasure/tombstones.ts";
import type { EventColumns } from "./event-columns.ts";
import { COPY_EVENTS, COPY_ITEMS, EventEncoder, type Found } from "./event-copy.ts";
import { claimEvents } from "./event-keys.ts";
import { claimOrders } from "./order-keys.ts";
import { type Client, type Pool, transaction } from "./pool.ts";
import { assignSessions } from "./sessions/assign.ts";
import type { Activity } from "./sessions/join.ts";

/** A batch to be written. */
export interface BatchWrite {
  /** As a UUID is written. */
  readonly batchId: string;
  /** The time inside the batch id, ms since 1970-01-01 UTC. */
  readonly batchTime: number;
  readonly streamSeq: number;
  readonly collectorId: string;
  readonly checksum: number;
  readonly rows: number;
  /** Undefined for a batch that could not be processed: its ledger line counts all rows as rejected. */
  readonly columns: EventColumns | undefined;
}

/** Batches of one partition that are committed together. */
export interface Commit {
  readonly partition: number;
  /** The position that the writer knows: the last committed sequence. */
  readonly after: number;
  /** The sequence of the last batch. */
  readonly through: number;
  /** Every batch that JetStream stored before this time is in this commit or an earlier one; ms. */
  readonly storedThrough: number;
  readonly batches: readonly BatchWrite[];
  /** Sequences that the stream no longer had, as [first, last] pairs. */
  readonly gaps: readonly (readonly [number, number])[];
}

export interface Committed {
  readonly stored: number;
  readonly duplicates: number;
  readonly rejected: number;
  /** Left out because their visitor or merchant is erased. */
  readonly erased: number;
  /** Batches that the ledger knew already. */
  readonly repeatedBatches: number;
}

/** Another writer has moved the partition's position: nothing of this commit was written. */
export class FencedError extends Error {
  override readonly name = "FencedError";
}

/** Length of the buckets whose refresh is kept track of, ms; that of the finest continuous aggregate. */
export const STALE_BUCKET_MS = 15 * 60_000;

/**
 * Writes batches, their ledger lines, the buckets to refresh and the partition's position in one
 * transaction. A batch that the ledger knows is skipped; an event that is stored, or whose visitor or merchant is
 * erased, is left out and counted; an order that is stored is marked as a repeat.
 * @throws FencedError when the position is not `after` any more.
 */
export async function commitBatches(pool: Pool, commit: Commit): Promise<Committed> {
  const committed = await transaction(pool, async (client) => {
    const erasureVersion = await movePosition(client, commit);
    const fresh = await notInLedger(client, commit.batches);
    const tombstones = await tombstonesOf(pool, client, commit.partition, erasureVersion);
    const claims = fresh.flatMap(({ columns }) =>
      columns === undefined ? [] : [claimOf(columns, tombstones)],
    );
    failpoint("copy.before");
    await claimEvents(client, claims);
    await claimOrders(client, claims);
    const rejoined = await assignSessions(client, claims);
    const events = new CopyWriter();
    const items = new CopyWriter(64 << 10);
    for (const claim of claims) await encodeInSlices(events, items, claim);
    await copyRows(client, COPY_EVENTS, events);
    await copyRows(client, COPY_ITEMS, items);
    failpoint("copy.after");
    const claimsOf = new Map(claims.map((claim) => [claim.columns, claim]));
    const lines = fresh.map((batch) => ledgerLine(batch, claimsOf));
    await insertLedger(client, commit.partition, lines);
    await markStale(client, commit, claims, rejoined);
    failpoint("commit.before");
    return {
      stored: events.rows,
      duplicates: sum(lines.map((line) => line.duplicates)),
      rejected: sum(lines.map((line) => line.rejected)),
      erased: sum(lines.map((line) => line.erased)),
      repeatedBatches: commit.batches.length - fresh.length,
    };
  });
  failpoint("commit.after");
  return committed;
}

/** Rows that are encoded without a pause: about ten milliseconds, after which the event loop has its turn. */
const SLICE_ROWS = 4_000;

async function encodeInSlices(
  events: CopyWriter,
  items: CopyWriter,
  claim: Found & { readonly columns: EventColumns },
): Promise<void> {
  const encoder = new EventEncoder(events, items, claim.columns, claim);
  while (encoder.encode(SLICE_ROWS)) await setImmediate();
}

/** A batch's rows, of which none is known yet to have been there before; those of the erased are marked already. */
function claimOf(columns: EventColumns, tombstones: Tombstones | undefined) {
  const orders = columns.orders?.row.length ?? 0;
  const claim = { columns, duplicates: new Uint8Array(columns.rows), repeats: new Uint8Array(orders) };
  return { ...claim, erased: markErased(tombstones, claim) };
}

/** @returns the partition's erasure_version: its row is locked from here on, so that it holds to the commit. */
async function movePosition(
  client: Client,
  { partition, after, through, storedThrough, gaps }: Commit,
): Promise<number> {
  const { rows } = await client.query<{ erasure_version: string }>(
    `UPDATE partitions SET stream_seq = $3, stream_stored_at = to_timestamp($4::float8 / 1000),
       committed_through = greatest(committed_through, to_timestamp($4::float8 / 1000))
     WHERE partition_id = $1 AND stream_seq = $2 RETURNING erasure_version`,
    [partition, after, through, storedThrough],
  );
  const [moved] = rows;
  if (moved === undefined)
    throw new FencedError(`partition ${partition}: its position is not ${after} any more`);
  for (const [first, last] of gaps) {
    await client.query(
      "INSERT INTO stream_gaps (partition_id, first_seq, last_seq) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
      [partition, first, last],
    );
  }
  return Number(moved.erasure_version);
}

/**
 * The batches that the ledger does not know; of two copies in one commit, the first that could be processed. A
 * batch that could not be does not stand in the way of a good copy of it.
 */
async function notInLedger(client: Client, batches: readonly BatchWrite[]): Promise<BatchWrite[]> {
  const unique = new Map<string, BatchWrite>();
  for (const batch of batches) {
    const first = unique.get(batch.batchId);
    if (first === undefined || first.columns === undefined) unique.set(batch.batchId, batch);
  }
  const fresh = [...unique.values()];
  const { rows } = await client.query<{ batch_id: string }>(
    `SELECT l.batch_id FROM unnest($1::uuid[], $2::float8[]) AS b (id, time_ms)
     JOIN batch_ledger l ON l.batch_id = b.id AND l.batch_time = to_timestamp(b.time_ms / 1000)
     WHERE l.rejected = 0`,
    [fresh.map(({ batchId }) => batchId), fresh.map(({ batchTime }) => batchTime)],
  );
  const known = new Set(rows.map((row) => row.batch_id));
  return fresh.filter(({ batchId }) => !known.has(batchId));
}

/** What was found out about a batch's rows. */
interface Counted {
  /** 1 for each row that is not written. */
  readonly duplicates: Uint8Array;
  /** How many of those are not written because of an erasure. */
  readonly erased: number;
}

interface LedgerLine extends BatchWrite {
  readonly stored: number;
  readonly duplicates: number;
  readonly rejected: number;
  readonly erased: number;
}

function ledgerLine(batch: BatchWrite, claims: ReadonlyMap<EventColumns, Counted>): LedgerLine {
  if (batch.columns === undefined)
    return { ...batch, stored: 0, duplicates: 0, rejected: batch.rows, erased: 0 };
  const { duplicates, erased } = claims.get(batch.columns)!;
  const left = count(duplicates);
  return { ...batch, stored: batch.rows - left, duplicates: left - erased, rejected: 0, erased };
}

async function insertLedger(client: Client, partition: number, lines: readonly LedgerLine[]): Promise<void> {
  if (lines.length === 0) return;
  await client.query(
    `INSERT INTO batch_ledger (partition_id, batch_id, batch_time, stream_seq, collector_id, rows, stored,
       duplicates, rejected, erased, checksum)
     SELECT $1, id, to_timestamp(time_ms / 1000), seq, collector, rows, stored, duplicates, rejected, erased, checksum
     FROM unnest($2::uuid[], $3::float8[], $4::bigint[], $5::text[], $6::integer[], $7::integer[],
       $8::integer[], $9::integer[], $10::integer[], $11::bigint[])
       AS l (id, time_ms, seq, collector, rows, stored, duplicates, rejected, erased, checksum)
     ON CONFLICT (batch_id, batch_time) DO UPDATE SET stream_seq = excluded.stream_seq, stored = excluded.stored,
       duplicates = excluded.duplicates, rejected = excluded.rejected, erased = excluded.erased, committed_at = excluded.committed_at`,
    [
      partition,
      lines.map((line) => line.batchId),
      lines.map((line) => line.batchTime),
      lines.map((line) => line.streamSeq),
      lines.map((line) => line.collectorId),
      lines.map((line) => line.rows),
      lines.map((line) => line.stored),
      lines.map((line) => line.duplicates),
      lines.map((line) => line.rejected),
      lines.map((line) => line.erased),
      lines.map((line) => line.checksum),
    ],
  );
}

interface Written {
  readonly columns: EventColumns;
  readonly duplicates: Uint8Array;
}

async function markStale(
  client: Client,
  { partition, through }: Commit,
  written: readonly Written[],
  rejoined: readonly Activity[],
): Promise<void> {
  const buckets = new Set<number>();
  for (const { start, end } of rejoined) {
    for (let at = Math.floor(start / STALE_BUCKET_MS); at <= end / STALE_BUCKET_MS; at++) buckets.add(at);
  }
  for (const { columns, duplicates } of written) {
    for (let row = 0; row < columns.rows; row++) {
      if (duplicates[row] === 0) buckets.add(Math.floor(columns.time.get(row) / STALE_BUCKET_MS));
    }
  }
  if (buckets.size === 0) return;
  // Ascending, so that two transactions never wait for each other in a circle.
  const times = [...buckets].sort((a, b) => a - b).map((bucket) => bucket * STALE_BUCKET_MS);
  // The position tells this write from all others of the partition, also from one before the bucket was
  // cleared: a count would begin anew there, and a slow refresher would take this write for the one it saw.
  await client.query(
    `INSERT INTO stale_buckets (bucket, partition_id, written_seq)
     SELECT to_timestamp(ms / 1000), $2, $3 FROM unnest($1::float8[]) AS b (ms)
     ON CONFLICT (bucket, partition_id) DO UPDATE SET written_seq = excluded.written_seq`,
    [times, partition, through],
  );
}

function count(flags: Uint8Array): number {
  let total = 0;
  for (let i = 0; i < flags.length; i++) total += flags[i]!;
  return total;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

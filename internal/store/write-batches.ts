import { failpoint } from "../failpoint/failpoint.ts";
import { copyRows, copySlices } from "./copy-rows.ts";
import { CopyWriter } from "./copy-writer.ts";
import { markErased, type Tombstones, tombstonesOf } from "./erasure/tombstones.ts";
import type { EventColumns } from "./event-columns.ts";
import { COPY_EVENTS, COPY_ITEMS, EventEncoder, type Found } from "./event-copy.ts";
import { claimEvents } from "./event-keys.ts";
import { invalidateWritten } from "./invalidations.ts";
import { type BatchWrite, insertLedger, ledgerLine, notInLedger } from "./ledger.ts";
import { claimOrders } from "./order-keys.ts";
import { type Client, type Pool, transaction } from "./pool.ts";
import { claimRefunds } from "./refund-keys.ts";
import { assignSessions } from "./sessions/assign.ts";
import { knownVisitors } from "./visitors/known-visitors.ts";
import { noteVisitors } from "./visitors/note-visitors.ts";

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
  readonly deadLettered: number;
  /** Left out because their visitor or merchant is erased. */
  readonly erased: number;
  /** Batches that the ledger knew already. */
  readonly repeatedBatches: number;
}

/** Another writer has moved the partition's position: nothing of this commit was written. */
export class FencedError extends Error {
  override readonly name = "FencedError";
}

/**
 * Writes batches, their ledger lines, the buckets to refresh and the partition's position in one
 * transaction. A batch that the ledger knows is skipped; an event that is stored, or whose visitor or merchant is
 * erased, is left out and counted; an order or refund that is stored is marked as a repeat.
 * @throws FencedError when the position is not `after` any more.
 */
export async function commitBatches(pool: Pool, commit: Commit): Promise<Committed> {
  const known = knownVisitors(pool);
  const { visitors, ...committed } = await transaction(pool, async (client) => {
    const erasureVersion = await movePosition(client, commit);
    const generation = known.generationOf({ ...commit, erasureVersion });
    const fresh = await notInLedger(client, commit.batches);
    const tombstones = await tombstonesOf(pool, client, commit.partition, erasureVersion);
    const claims = fresh.flatMap(({ columns }) =>
      columns === undefined ? [] : [claimOf(columns, tombstones)],
    );
    failpoint("copy.before");
    await claimEvents(client, claims);
    await claimOrders(client, claims);
    await claimRefunds(client, claims);
    const rejoined = await assignSessions(client, claims);
    const visitors = await noteVisitors(client, claims, { known, generation });
    const stored = await copyClaims(client, claims);
    failpoint("copy.after");
    const claimsOf = new Map(claims.map((claim) => [claim.columns, claim]));
    const lines = fresh.map((batch) => ledgerLine(batch, claimsOf));
    await insertLedger(client, commit.partition, lines);
    await invalidateWritten(client, commit.partition, claims, rejoined);
    failpoint("commit.before");
    return {
      visitors,
      stored,
      duplicates: sum(lines.map((line) => line.duplicates)),
      deadLettered: sum(lines.map((line) => line.deadLettered)),
      erased: sum(lines.map((line) => line.erased)),
      repeatedBatches: commit.batches.length - fresh.length,
    };
  });
  known.committed(commit.partition, commit.through, visitors);
  failpoint("commit.after");
  return committed;
}

type Encodable = Found & { readonly columns: EventColumns };

/** @returns how many events were written. */
async function copyClaims(client: Client, claims: readonly Encodable[]): Promise<number> {
  if (!claims.some(({ duplicates }) => duplicates.includes(0))) return 0;
  const events = new CopyWriter();
  const items = new CopyWriter(64 << 10);
  await copySlices(client, COPY_EVENTS, events, encodeSlices(events, items, claims));
  await copyRows(client, COPY_ITEMS, items);
  return events.rows;
}

/** Rows that are encoded at a time: two milliseconds, after which other commits' statements are answered. */
const SLICE_ROWS = 1_000;

function* encodeSlices(events: CopyWriter, items: CopyWriter, claims: readonly Encodable[]) {
  for (const claim of claims) {
    const encoder = new EventEncoder(events, items, claim.columns, claim);
    let hasMore = true;
    while (hasMore) {
      hasMore = encoder.encode(SLICE_ROWS);
      yield;
    }
  }
}

/** A batch's rows, of which none is known yet to have been there before; those of the erased are marked already. */
function claimOf(columns: EventColumns, tombstones: Tombstones | undefined) {
  const orders = columns.orders?.row.length ?? 0;
  const claim = {
    columns,
    duplicates: new Uint8Array(columns.rows),
    repeats: new Uint8Array(orders),
    excess: new Uint8Array(orders),
  };
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

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

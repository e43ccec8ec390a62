import type { LimitFunction } from "p-limit";
import { failpoint } from "../failpoint/failpoint.ts";
import { objectName } from "../lake/object-name.ts";
import { isRefused, type ObjectStore } from "../lake/object-store.ts";
import { withRetry } from "../lifecycle/retry.ts";
import { type ArchivedObject, commitObjects, planObject } from "../store/archive-positions.ts";
import type { Pool } from "../store/pool.ts";
import type { Logger } from "../telemetry/logger.ts";
import { type Encoded, sha256 } from "./encode.ts";
import type { EncodeThread } from "./encode-thread.ts";
import type { Group } from "./gather.ts";
import type { ArchiveMetrics } from "./metrics.ts";

export interface ArchiveDeps {
  readonly pool: Pool;
  readonly store: ObjectStore;
  readonly metrics: ArchiveMetrics;
  readonly log: Logger;
  /** Partitions of the installation. */
  readonly partitions: number;
  /** How many objects are made and put at a time. */
  readonly slots: LimitFunction;
  readonly encoder: Pick<EncodeThread, "encode">;
}

/** Pauses before a put is tried again. */
const PUT_AGAIN = { firstMs: 200, longestMs: 30_000 };

/** An object of the group: its ledger line, its name, its bytes. */
interface Outgoing {
  readonly line: ArchivedObject;
  readonly name: string;
  readonly bytes: Uint8Array;
}

/**
 * Brings a group into the archive: encode and check, plan, put, commit. Whatever fails or dies in between, the
 * next try makes the same objects under the same names: the plan says where the group ends, and a name holds
 * the digest of its object.
 * @returns the new position.
 */
export async function archiveGroup(
  partition: number,
  after: number,
  group: Group,
  deps: ArchiveDeps,
  signal: AbortSignal,
): Promise<number> {
  const range = { partition, after, through: group.through };
  const gaps = findGaps(after, group);
  await deps.slots(async () => {
    const { outgoing, encoded } = await encode(partition, group, deps);
    await planObject(deps.pool, range);
    for (const { name, bytes } of outgoing) await put(name, bytes, deps, signal);
    const objects = outgoing.map(({ line }) => line);
    await commitObjects(deps.pool, { ...range, storedThrough: storedThrough(group), objects, gaps });
    count(objects, encoded, deps);
  });
  for (const [first, last] of gaps) {
    deps.metrics.gaps.inc({ partition }, last - first + 1);
    deps.log.error({ partition, first, last }, "sequences are missing in the stream");
  }
  return group.through;
}

async function encode(
  partition: number,
  { batches, through }: Group,
  { partitions, encoder, metrics, log }: ArchiveDeps,
) {
  if (batches.length === 0) return { outgoing: [], encoded: undefined };
  const firstSeq = batches[0]!.seq;
  const day = new Date(batches[0]!.storedTime).toISOString().slice(0, 10);
  const done = metrics.encode.startTimer();
  const encoded = await encoder.encode(batches, { partition, partitions, firstSeq, lastSeq: through });
  done();
  const outgoing: Outgoing[] = [];
  if (encoded.events !== undefined) {
    const { rows, batches: count } = encoded;
    const line = { kind: "events", firstSeq, lastSeq: through, day, batches: count, rows } as const;
    outgoing.push(await outgoingObject(partition, line, encoded.events));
  }
  for (const { message, reason, problem } of encoded.deadLetters) {
    const { seq, bytes } = message;
    log.error({ partition, seq, reason, problem }, "batch dead-lettered");
    const range = { firstSeq: seq, lastSeq: seq, day };
    const line = { kind: "dead_letter", ...range, batches: 1, rows: 0, reason } as const;
    outgoing.push(await outgoingObject(partition, line, bytes));
  }
  return { outgoing, encoded };
}

async function outgoingObject(
  partition: number,
  line: Omit<ArchivedObject, "name" | "bytes" | "sha256">,
  bytes: Uint8Array,
): Promise<Outgoing> {
  const digest = await sha256(bytes);
  const name = objectName({ ...line, partition, digest: digest.toString("hex").slice(0, 16) });
  return { name, bytes, line: { ...line, name, bytes: bytes.length, sha256: digest } };
}

/** Tries until the store has taken the object. @throws when the signal is aborted between two tries. */
async function put(name: string, bytes: Uint8Array, deps: ArchiveDeps, signal: AbortSignal): Promise<void> {
  const once = async () => {
    const done = deps.metrics.put.startTimer();
    failpoint("archive-put.before");
    await deps.store.put(name, bytes);
    failpoint("archive-put.after");
    done();
  };
  const onFailed = (err: unknown) => {
    deps.metrics.putFailures.inc();
    const level = isRefused(err) ? "error" : "warn";
    deps.log[level]({ err, name, bytes: bytes.length }, "the store did not take an object");
  };
  await withRetry(once, { ...PUT_AGAIN, signal, onFailed });
}

function count(
  objects: readonly ArchivedObject[],
  encoded: Encoded | undefined,
  { metrics }: ArchiveDeps,
): void {
  for (const { kind, bytes } of objects) {
    metrics.objects.inc({ kind });
    metrics.bytes.inc(bytes);
  }
  metrics.rows.inc(encoded?.rows ?? 0);
  metrics.batches.inc(encoded?.batches ?? 0);
  metrics.keptWhole.inc(encoded?.keptWhole ?? 0);
}

function storedThrough({ batches, through }: Group): number | undefined {
  const last = batches.at(-1);
  return last?.seq === through ? last.storedTime : undefined;
}

/** Ranges of sequences behind the position that did not come. */
function findGaps(after: number, { batches, through }: Group): [number, number][] {
  const gaps: [number, number][] = [];
  let expected = after + 1;
  for (const { seq } of batches) {
    if (seq > expected) gaps.push([expected, seq - 1]);
    expected = seq + 1;
  }
  if (through >= expected) gaps.push([expected, through]);
  return gaps;
}

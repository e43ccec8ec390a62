import { type JetStreamManager, jetstreamManager } from "@nats-io/jetstream";
import { BatchView } from "../../internal/event/batch-view.ts";
import { formatId, ID_BYTES } from "../../internal/event/event-id.ts";
import { partitionOf } from "../../internal/event/partition.ts";
import { open } from "../../internal/event/seal.ts";
import type { Pool } from "../../internal/store/pool.ts";
import { eventsStream } from "../../internal/stream/streams.ts";
import type { Problem } from "./problem.ts";
import type { System } from "./system.ts";
import { PARTITIONS } from "./topology.ts";

/** Problems that are looked into; the others are like them as a rule. */
const TRACED = 20;

/** Tells for the first lost or doubled events in which batches they are, and what became of those. */
export async function trace(system: System, problems: readonly Problem[]): Promise<Problem[]> {
  const wanted = problems.filter(({ kind }) => kind === "lost" || kind === "duplicated").slice(0, TRACED);
  if (wanted.length === 0) return [...problems];
  const jsm = await jetstreamManager(system.nats, { checkAPI: false });
  const batches = new Map<number, StreamedBatch[]>();
  const traced = new Map<Problem, string>();
  for (const problem of wanted) {
    const partition = partitionOf(problem.merchantId!, PARTITIONS);
    const streamed = batches.get(partition) ?? (await readStream(jsm, partition));
    batches.set(partition, streamed);
    const holding = streamed.filter(({ eventIds }) => eventIds.has(problem.eventId!));
    traced.set(problem, await describe(system.pool, problem.eventId!, holding));
  }
  return problems.map((problem) => {
    const found = traced.get(problem);
    return found === undefined ? problem : { ...problem, message: `${problem.message}; ${found}` };
  });
}

interface StreamedBatch {
  readonly stream: string;
  readonly seq: number;
  readonly batchId: string;
  readonly collectorId: string;
  readonly eventIds: ReadonlySet<string>;
}

async function readStream(jsm: JetStreamManager, partition: number): Promise<StreamedBatch[]> {
  const stream = eventsStream(partition);
  const { state } = await jsm.streams.info(stream);
  const batches: StreamedBatch[] = [];
  for (let seq = state.first_seq; seq <= state.last_seq; seq++) {
    const message = await jsm.streams.getMessage(stream, { seq }).catch(() => null);
    const { sealed, batch, problem } = open(message?.data ?? new Uint8Array());
    if (problem !== undefined) continue;
    const { ids, rows } = new BatchView(sealed.batchId, batch);
    const eventIds = Array.from({ length: rows }, (_, row) => formatId(ids.bytes, row * ID_BYTES));
    const { collectorId } = sealed;
    batches.push({
      stream,
      seq,
      batchId: formatId(sealed.batchId),
      collectorId,
      eventIds: new Set(eventIds),
    });
  }
  return batches;
}

async function describe(pool: Pool, eventId: string, batches: readonly StreamedBatch[]): Promise<string> {
  const keys = await pool.query("SELECT 1 FROM event_keys WHERE event_id = $1", [eventId]);
  const claimed = `its key is ${keys.rowCount === 0 ? "not " : ""}in event_keys`;
  if (batches.length === 0) return `in no batch of the stream; ${claimed}`;
  const found = await Promise.all(batches.map((batch) => describeBatch(pool, batch)));
  return `${found.join("; ")}; ${claimed}`;
}

async function describeBatch(pool: Pool, { stream, seq, batchId, collectorId }: StreamedBatch) {
  const { rows } = await pool.query<{ line: string }>(
    `SELECT format('ledger line of sequence %s: %s stored, %s duplicates', stream_seq, stored, duplicates) AS line
     FROM batch_ledger WHERE batch_id = $1`,
    [batchId],
  );
  const lines = rows.map(({ line }) => line).join(", ") || "not in the ledger";
  return `in batch ${batchId} of ${collectorId} (${stream}, sequence ${seq}; ${lines})`;
}

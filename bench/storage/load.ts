import { setImmediate } from "node:timers/promises";
import { crc32 } from "node:zlib";
import { create } from "@bufbuild/protobuf";
import { openGeoDatabase } from "../../internal/aggregate/geo-database.ts";
import { prepare } from "../../internal/aggregate/prepare.ts";
import { StepContexts } from "../../internal/aggregate/step-contexts.ts";
import { STEPS } from "../../internal/aggregate/steps/process.ts";
import { BatchView } from "../../internal/event/batch-view.ts";
import { newBatchId } from "../../internal/event/seal.ts";
import { SealedBatchSchema } from "../../internal/gen/footfall/event/v1/batch_pb.js";
import type { BatchWrite } from "../../internal/store/ledger.ts";
import type { Pool } from "../../internal/store/pool.ts";
import { commitNext } from "../../test/kit/commits.ts";
import type { Group } from "./history/group.ts";
import { history } from "./history/history.ts";
import { inTries } from "./in-tries.ts";
import { SEED } from "./merchants.ts";
import type { Upkeep } from "./upkeep.ts";

export const PARTITIONS = 4;
const DAY_MS = 86_400_000;

/** The data ends here, so that every run loads the same. */
export const END = Date.UTC(2026, 0, 1);

const BATCH_ROWS = 10_000;
/** Events that are committed together, in a transaction a partition; fewer where few are loaded. */
const GROUP_EVENTS = 100_000;
/** Groups at least, and how often progress is told, by the events loaded. */
const PARTS = 20;

export interface Workload {
  readonly events: number;
  readonly merchants: number;
  readonly days: number;
}

/**
 * Simulated history of a workload: shops' visits with their pages, products, sources, devices and orders, long-tailed
 * over the merchants.
 */
export function shopHistory({ events, merchants, days }: Workload): AsyncIterable<Group> {
  const span = { fromMs: END - days * DAY_MS, toMs: END };
  const sizes = {
    partitions: PARTITIONS,
    batchRows: BATCH_ROWS,
    groupEvents: Math.min(Math.ceil(events / PARTS), GROUP_EVENTS),
  };
  return history({ seed: SEED, events, merchants, ...span, ...sizes });
}

/**
 * Loads groups of about so many events, in the order of their time, by the processing steps and the commits of the
 * aggregator. Beside it the continuous aggregates are refreshed and the chunks that ended converted, as it does.
 */
export async function load(
  pool: Pool,
  { groups, events }: { groups: AsyncIterable<Group>; events: number },
  upkeep: Upkeep,
  say: (text: string) => void,
): Promise<number> {
  const part = Math.ceil(events / PARTS);
  const contexts = new StepContexts(pool, await openGeoDatabase(undefined));
  const started = performance.now();
  let loaded = 0;
  let committing: Promise<void> = Promise.resolve();
  for await (const group of groups) {
    // One group is prepared while the one before is written.
    const writes = await writesOf(group, contexts);
    await committing;
    const before = loaded;
    loaded += group.events;
    committing = commitAll(pool, writes).then(() => upkeep.reached(group.completeBefore));
    // Its failure is met at the next group's turn.
    committing.catch(() => {});
    if (Math.floor(loaded / part) === Math.floor(before / part)) continue;
    const rate = Math.round((loaded / (performance.now() - started)) * 1_000);
    say(`${loaded} events loaded, ${rate} a second`);
  }
  await committing;
  await upkeep.finish(END);
  return loaded;
}

/** By partition; as cmd/aggregator makes them of a stream's batches. */
async function writesOf({ batches }: Group, contexts: StepContexts): Promise<BatchWrite[][]> {
  const writes = Array.from({ length: PARTITIONS }, (): BatchWrite[] => []);
  for (const { partition, batch } of batches) {
    // An envelope alone: these batches travel nowhere, so that nothing but their columns is made.
    const sealed = create(SealedBatchSchema, {
      batchId: newBatchId(),
      partition,
      rows: batch.rows,
      checksum: crc32(batch.eventId),
      collectorId: "bench",
    });
    const view = new BatchView(sealed.batchId, batch);
    const context = await contexts.of([view]);
    const options = { context, steps: STEPS, observe: () => {} };
    writes[partition]!.push(prepare({ message: MESSAGE, sealed, view, problem: undefined }, options)!);
    await setImmediate();
  }
  return writes;
}

/** Of no stream: what only a stream tells is not looked at. */
const MESSAGE = { seq: 0, storedTime: 0, pending: 0, bytes: new Uint8Array() };

async function commitAll(pool: Pool, writes: readonly BatchWrite[][]): Promise<void> {
  const commit = (batches: readonly BatchWrite[], partition: number) =>
    inTries(() => commitNext(pool, batches, { partition, storedThrough: END }));
  await Promise.all(writes.map(commit));
}

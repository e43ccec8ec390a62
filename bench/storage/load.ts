import { setImmediate } from "node:timers/promises";
import { openGeoDatabase } from "../../internal/aggregate/geo-database.ts";
import { prepare } from "../../internal/aggregate/prepare.ts";
import { StepContexts } from "../../internal/aggregate/step-contexts.ts";
import { STEPS } from "../../internal/aggregate/steps/process.ts";
import type { Row } from "../../internal/event/batch-builder.ts";
import { BatchView } from "../../internal/event/batch-view.ts";
import { historyTraffic, type Traffic } from "../../internal/simulate/traffic.ts";
import type { BatchWrite } from "../../internal/store/ledger.ts";
import type { Pool } from "../../internal/store/pool.ts";
import { commitNext } from "../../internal/testkit/commits.ts";
import { batchesOf } from "../lib/batches.ts";
import { toRow } from "../lib/shop-events.ts";
import { SEED } from "./merchants.ts";
import type { Upkeep } from "./upkeep.ts";

export const PARTITIONS = 4;
const DAY_MS = 86_400_000;

/** The data ends here, so that every run loads the same. */
export const END = Date.UTC(2026, 0, 1);

const BATCH_ROWS = 10_000;
/** Events that are committed together, in a transaction a partition. */
const GROUP_EVENTS = 100_000;
/** Groups between two rounds of upkeep at least, and rounds at most. */
const ROUNDS = 20;

export interface Workload {
  readonly events: number;
  readonly merchants: number;
  readonly days: number;
}

/**
 * Loads simulated history in the order of its time: shops' visits with their pages, products, sources, devices and
 * orders, long-tailed over the merchants, by the processing steps and the commits of the aggregator. Every now and then
 * the continuous aggregates are refreshed and the chunks that ended converted, as the aggregator would.
 */
export async function load(pool: Pool, work: Workload, upkeep: Upkeep, say: (text: string) => void) {
  const { events, merchants, days } = work;
  const span = { fromMs: END - days * DAY_MS, toMs: END };
  const traffic = historyTraffic({ seed: SEED, merchants, batch: 500, events, ...span });
  const contexts = new StepContexts(pool, await openGeoDatabase(undefined));
  const everyEvents = Math.max(GROUP_EVENTS, events / ROUNDS);
  let loaded = 0;
  let kept = 0;
  let committing: Promise<unknown> = Promise.resolve();
  for (;;) {
    const rows = await nextRows(traffic, GROUP_EVENTS);
    // One group is made while the one before is written.
    const writes = await writesOf(rows, contexts);
    await committing;
    if (rows.length === 0) break;
    loaded += rows.length;
    committing = commitAll(pool, writes);
    if (loaded - kept < everyEvents) continue;
    await committing;
    kept = loaded;
    await upkeep.keepUp(earliest(rows) - DAY_MS);
    say(`${loaded} events loaded`);
  }
  await upkeep.keepUp(END + 30 * DAY_MS);
  return loaded;
}

/** Events of small merchants come late, as SDKs hold them until a request is full. */
function earliest(rows: readonly Row[]): number {
  return rows.reduce((least, { clientTime = least }) => Math.min(least, clientTime), END);
}

async function nextRows(traffic: Traffic, count: number): Promise<Row[]> {
  const rows: Row[] = [];
  for (let requests = 0; rows.length < count; requests++) {
    const request = traffic.nextRequest(0);
    if (request === undefined) break;
    for (const event of request.events) {
      const { seconds, nanos } = event.clientTime!;
      rows.push(toRow(event, request.merchant + 1, Number(seconds) * 1_000 + nanos / 1e6));
    }
    if (requests % 100 === 0) await setImmediate();
  }
  return rows;
}

/** By partition; as cmd/aggregator makes them of a stream's batches. */
async function writesOf(rows: readonly Row[], contexts: StepContexts): Promise<BatchWrite[][]> {
  const writes = Array.from({ length: PARTITIONS }, (): BatchWrite[] => []);
  for (const { sealed, batch } of batchesOf(rows, { partitions: PARTITIONS, size: BATCH_ROWS })) {
    const view = new BatchView(sealed.batchId, batch);
    const context = await contexts.of([view]);
    const options = { context, steps: STEPS, observe: () => {} };
    const write = prepare({ message: MESSAGE, sealed, view, problem: undefined }, options);
    writes[sealed.partition]!.push(write!);
    await setImmediate();
  }
  return writes;
}

/** Of no stream: what only a stream tells is not looked at. */
const MESSAGE = { seq: 0, storedTime: 0, pending: 0, bytes: new Uint8Array() };

function commitAll(pool: Pool, writes: readonly BatchWrite[][]): Promise<unknown> {
  return Promise.all(
    writes.map((batches, partition) => commitNext(pool, batches, { partition, storedThrough: END })),
  );
}

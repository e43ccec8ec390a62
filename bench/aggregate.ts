import { setTimeout as sleep } from "node:timers/promises";
import { process as runSteps } from "../internal/aggregate/steps/process.ts";
import { toColumns } from "../internal/aggregate/to-columns.ts";
import { freePort } from "../internal/embedded/free-port.ts";
import { BatchView } from "../internal/event/batch-view.ts";
import { formatId } from "../internal/event/event-id.ts";
import { sealedBytes } from "../internal/event/seal.ts";
import { startProgram } from "../internal/standalone/programs.ts";
import { copyRows } from "../internal/store/copy-rows.ts";
import { CopyWriter } from "../internal/store/copy-writer.ts";
import { COPY_EVENTS, COPY_ITEMS, encodeEvents } from "../internal/store/event-copy.ts";
import type { Pool } from "../internal/store/pool.ts";
import { connectNats } from "../internal/stream/connect.ts";
import { BatchPublisher } from "../internal/stream/publisher.ts";
import { ensureStreams } from "../internal/stream/streams.ts";
import { testContext } from "../internal/testkit/step-context.ts";
import { batchesOf } from "./lib/batches.ts";
import { cpuSeconds, perMillion } from "./lib/cpu.ts";
import { type Bench, short } from "./lib/result.ts";
import { type Servers, startServers } from "./lib/servers.ts";
import { sessionCpu } from "./lib/session-cpu.ts";
import { shopRows } from "./lib/shop-events.ts";

const PARTITIONS = 4;
const BATCH_ROWS = 4_000;
const ROWS_PER_SECOND = 25_000;

/**
 * From a JetStream backlog to committed rows, ledger and event keys on, by cmd/aggregator as it is; against
 * raw COPY BINARY of the same rows into the same tables (events and items, without ledger, keys and
 * aggregates) over one connection, once before and once after it: the machine's speed drifts.
 */
export const aggregate: Bench = async ({ seconds, say }) => {
  const servers = await startServers(PARTITIONS);
  say(`servers: ${JSON.stringify(servers.versions)}`);
  try {
    const count = Math.max(100_000, Math.round(seconds * ROWS_PER_SECOND));
    const batches = batchesOf(shopRows(count, 1_000), { partitions: PARTITIONS, size: BATCH_ROWS });
    const before = await rawCopy(servers.pool, batches);
    await publish(servers, batches);
    const drained = await drain(servers, count);
    await servers.pool.query("TRUNCATE events, items");
    const after = await rawCopy(servers.pool, batches);
    const raw = (before.rate + after.rate) / 2;
    say(
      `raw COPY ${short(before.rate)} and ${short(after.rate)} rows/s; aggregator ${short(drained.rate)} rows/s, refresh done ${drained.refreshMs.toFixed(0)} ms later`,
    );
    say(
      `CPU s per million rows: raw COPY ${before.cpuSeconds} and ${after.cpuSeconds}, of the aggregator ${JSON.stringify(drained.cpuSeconds)}`,
    );
    return {
      bench: "aggregate",
      figure: drained.rate,
      unit: "rows/s",
      ratio: drained.rate / raw,
      against: "raw COPY BINARY of the same rows over one connection",
      details: {
        rows: count,
        partitions: PARTITIONS,
        batch_rows: BATCH_ROWS,
        raw_before: before.rate,
        raw_after: after.rate,
        raw_cpu_seconds_per_million: [before.cpuSeconds, after.cpuSeconds],
        ...drained,
        versions: servers.versions,
      },
    };
  } finally {
    await servers.stop();
  }
};

type Batches = ReturnType<typeof batchesOf>;

/** @returns rows/s, and CPU seconds a million rows of the connection's server process. */
async function rawCopy(pool: Pool, batches: Batches) {
  const writers = batches.map(({ sealed, batch }) => {
    const view = new BatchView(sealed.batchId, batch);
    const columns = toColumns(view, runSteps(view, testContext()), new Map());
    const events = new CopyWriter();
    const items = new CopyWriter();
    encodeEvents(events, items, columns, {
      duplicates: new Uint8Array(columns.rows),
      repeats: new Uint8Array(columns.orders?.row.length ?? 0),
    });
    return { events, items };
  });
  const client = await pool.connect();
  try {
    const before = await sessionCpu(pool);
    const start = performance.now();
    let rows = 0;
    for (const { events, items } of writers) {
      await client.query("BEGIN");
      await copyRows(client, COPY_EVENTS, events);
      await copyRows(client, COPY_ITEMS, items);
      await client.query("COMMIT");
      rows += events.rows;
    }
    const rate = rows / ((performance.now() - start) / 1_000);
    const cpu = perMillion(before, await sessionCpu(pool), rows);
    await client.query("TRUNCATE events, items");
    return { rate, cpuSeconds: cpu.bench };
  } finally {
    client.release();
  }
}

async function publish({ natsUrl }: Servers, batches: Batches): Promise<void> {
  const nats = await connectNats(natsUrl, "bench", 10_000);
  await ensureStreams(nats, PARTITIONS, { replicas: 1, maxAgeMs: 3_600_000, maxBytes: 0 });
  const publisher = new BatchPublisher(nats, 30_000);
  for (const { sealed } of batches) {
    await publisher.publish(sealed.partition, formatId(sealed.batchId), sealedBytes(sealed));
  }
  await nats.close();
}

async function drain({ databaseUrl, natsUrl, pool }: Servers, count: number) {
  const env = { DATABASE_URL: databaseUrl, NATS_URL: natsUrl, FOOTFALL_LOG_LEVEL: "warn" };
  const child = await startProgram("aggregator", await freePort(), env);
  try {
    const committed = async () => {
      const { rows } = await pool.query<{ stored: string }>(
        "SELECT coalesce(sum(stored), 0) AS stored FROM batch_ledger",
      );
      return Number(rows[0]!.stored);
    };
    // The program was up before it was seen to be: its own first commit begins the time.
    const span =
      "SELECT extract(epoch FROM min(committed_at)) * 1000 AS first, extract(epoch FROM max(committed_at)) * 1000 AS last, (SELECT stored FROM batch_ledger ORDER BY committed_at LIMIT 1) AS head FROM batch_ledger";
    while ((await committed()) < count) await sleep(100);
    const finished = performance.now();
    // The bench's own sessions took theirs for raw COPY.
    const { bench: _, ...sessions } = await sessionCpu(pool);
    const cpu = { node: cpuSeconds({ child: child.pid }).child!, ...sessions };
    const { rows } = await pool.query<{ first: string; last: string; head: number }>(span);
    while (Number((await pool.query("SELECT count(*) FROM stale_buckets")).rows[0].count) > 0)
      await sleep(50);
    const { first, last, head } = rows[0]!;
    return {
      rate: (count - head) / ((Number(last) - Number(first)) / 1_000),
      refreshMs: performance.now() - finished,
      cpuSeconds: perMillion({}, cpu, count),
    };
  } finally {
    await child.stop();
  }
}

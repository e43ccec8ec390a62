import { setTimeout as sleep } from "node:timers/promises";
import type { Child } from "../internal/embedded/child.ts";
import { freePort } from "../internal/embedded/free-port.ts";
import { Codec, type SealedBatch } from "../internal/gen/footfall/event/v1/batch_pb.js";
import { startProgram } from "../internal/standalone/programs.ts";
import type { Pool } from "../internal/store/pool.ts";
import { batchesOf } from "./lib/batches.ts";
import { type CostPerEvent, needs } from "./lib/capacity.ts";
import { cpuSeconds, perMillion } from "./lib/cpu.ts";
import { type Bench, short } from "./lib/result.ts";
import { sendBatches } from "./lib/send-batches.ts";
import { type Servers, startServers } from "./lib/servers.ts";
import { shopRows } from "./lib/shop-events.ts";

interface Case {
  readonly partitions: number;
  readonly merchants: number;
  /** Events of a batch. */
  readonly batch: number;
}

const BASE: Case = { partitions: 4, merchants: 10_000, batch: 1_000 };

/** One thing is changed at a time. */
const CASES: readonly Case[] = [
  BASE,
  ...[1, 2, 8, 16].map((partitions) => ({ ...BASE, partitions })),
  ...[10, 1_000_000].map((merchants) => ({ ...BASE, merchants })),
  ...[10, 100, 10_000].map((batch) => ({ ...BASE, batch })),
];

/** Events of one case for each second asked for. */
const EVENTS_PER_SECOND = 10_000;

/**
 * How the cost of an event moves with the number of partitions, of merchants (long-tailed) and with the size of
 * batches: prepared batches through cmd/ingest, JetStream and cmd/aggregator until everything is committed and
 * refreshed. From the first case's costs it computes what billions of events a day need.
 */
export const scaling: Bench = async ({ seconds, say }) => {
  const found: Measured[] = [];
  for (const one of CASES) {
    const measured = await measure(one, Math.max(50_000, seconds * EVENTS_PER_SECOND));
    found.push(measured);
    say(
      `${one.partitions} partitions, ${short(one.merchants)} merchants, ${one.batch} a batch: ${short(measured.events_per_second)} events/s; CPU us an event ${JSON.stringify(measured.cpu)}; bytes in JetStream ${measured.streamBytes.toFixed(1)}, in the database ${measured.databaseBytes.toFixed(0)}`,
    );
  }
  const base = found[0]!;
  const slowest = Math.min(...found.map(({ events_per_second }) => events_per_second));
  return {
    bench: "scaling",
    figure: base.events_per_second,
    unit: "events/s",
    ratio: slowest / base.events_per_second,
    against: "itself: the slowest case by the first",
    details: { cases: found, needs: [1e9, 1e10, 1e11].map((perDay) => needs(perDay, base)) },
  };
};

interface Measured extends Case, CostPerEvent {
  readonly events: number;
  readonly events_per_second: number;
}

/** Sends a fifth of the events to warm up, then measures the rest until it is committed and refreshed. */
async function measure(one: Case, events: number): Promise<Measured> {
  const servers = await startServers(one.partitions);
  const programs: Child[] = [];
  try {
    const batches = batchesOf(shopRows(events, one.merchants), {
      partitions: one.partitions,
      size: one.batch,
      codec: Codec.ZSTD,
    }).map(({ sealed }) => sealed);
    const { address, pids } = await startPrograms(servers, programs);
    const warm = Math.ceil(batches.length / 5);
    const run = async (some: readonly SealedBatch[]) => {
      await sendBatches(address, some);
      await settled(servers.pool);
    };
    await run(batches.slice(0, warm));
    const rest = batches.slice(warm);
    const count = rest.reduce((sum, { rows }) => sum + rows, 0);
    const before = await cpuNow(servers, pids);
    const start = performance.now();
    await run(rest);
    const seconds = (performance.now() - start) / 1_000;
    return {
      ...one,
      events: count,
      events_per_second: count / seconds,
      cpu: perMillion(before, await cpuNow(servers, pids), count),
      streamBytes: batches.reduce((sum, { payload }) => sum + payload.length, 0) / events,
      databaseBytes: (await databaseSize(servers.pool)) / events,
    };
  } finally {
    for (const program of programs.toReversed()) await program.stop();
    await servers.stop();
  }
}

async function startPrograms({ databaseUrl, natsUrl, natsPid }: Servers, programs: Child[]) {
  const port = await freePort();
  const env = {
    DATABASE_URL: databaseUrl,
    NATS_URL: natsUrl,
    FOOTFALL_INGEST_PORT: String(port),
    FOOTFALL_INGEST_TOKENS: "bench",
    FOOTFALL_LOG_LEVEL: "warn",
  };
  const pids: Record<string, number> = natsPid === undefined ? {} : { nats: natsPid };
  for (const name of ["ingest", "aggregator"] as const) {
    const program = await startProgram(name, await freePort(), env);
    programs.push(program);
    pids[name] = program.pid;
  }
  return { address: `127.0.0.1:${port}`, pids };
}

/** Waits until everything that was acked is committed and no bucket is stale. */
async function settled(pool: Pool): Promise<void> {
  const acked = Date.now();
  const behind = `SELECT count(*)::integer AS n FROM partitions
    WHERE refreshed_through IS NULL OR refreshed_through < to_timestamp($1::float8 / 1000)`;
  while ((await pool.query<{ n: number }>(behind, [acked])).rows[0]!.n > 0) await sleep(50);
}

/** CPU seconds so far of the programs, the broker and the database: its backends, if it is not embedded. */
async function cpuNow({ pool, databasePid }: Servers, pids: Readonly<Record<string, number>>) {
  const programs = cpuSeconds(pids);
  if (databasePid !== undefined) return { ...programs, ...cpuSeconds({ database: databasePid }) };
  const { rows } = await pool.query<{ pid: number }>(
    `SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE '%aggregator%'`,
  );
  const backends = cpuSeconds(Object.fromEntries(rows.map(({ pid }) => [String(pid), pid])));
  return { ...programs, database: Object.values(backends).reduce((sum, seconds) => sum + seconds, 0) };
}

async function databaseSize(pool: Pool): Promise<number> {
  const { rows } = await pool.query<{ bytes: string }>(
    `SELECT sum(hypertable_size(format('%I.%I', schema_name, table_name)::regclass)) AS bytes
     FROM _timescaledb_catalog.hypertable`,
  );
  return Number(rows[0]!.bytes);
}

import { setTimeout as sleep } from "node:timers/promises";
import { type Delay, quantile } from "../../internal/demo/quantile.ts";
import { partitionOf } from "../../internal/event/partition.ts";
import { type SendSummary, sendTraffic } from "../../internal/simulate/send.ts";
import { liveTraffic } from "../../internal/simulate/traffic.ts";
import { type Installation, startInstallation } from "../../internal/standalone/installation.ts";
import { type CreatedMerchant, createMerchant } from "../../internal/store/merchants.ts";
import type { Pool } from "../../internal/store/pool.ts";
import type { Servers } from "./servers.ts";

export const PROGRAMS = ["collector", "ingest", "aggregator", "query"] as const;

/** A whole installation on the benchmark's servers, with merchants to send for. */
export interface Rig {
  readonly installation: Installation;
  readonly merchants: readonly CreatedMerchant[];
  readonly partitions: number;
  readonly pool: Pool;
  /** Process ids of the programs, and of nats-server where it is the benchmark's own. */
  readonly pids: Readonly<Record<string, number>>;
}

export async function startLoadRig(
  servers: Servers,
  folder: string,
  partitions: number,
  merchants: number,
): Promise<Rig> {
  const { databaseUrl, natsUrl, pool } = servers;
  const env = { FOOTFALL_LOG_LEVEL: "warn", FOOTFALL_COLLECTOR_MERCHANT_EVENTS_PER_SECOND: "0" };
  const installation = await startInstallation({ dataDir: folder, partitions, databaseUrl, natsUrl, env });
  const created: CreatedMerchant[] = [];
  for (let i = 0; i < merchants; i++) {
    const settings = { name: `shop ${i}`, timeZone: "UTC", currency: "EUR", retentionDays: 760 };
    created.push(await createMerchant(pool, settings));
  }
  const pids = Object.fromEntries(PROGRAMS.map((name) => [name, installation.pid(name)!]));
  const all = servers.natsPid === undefined ? pids : { ...pids, nats: servers.natsPid };
  return { installation, merchants: created, partitions, pool, pids: all };
}

/** What a run at a rate showed. */
export interface RunAtRate {
  readonly summary: SendSummary;
  /** From sending until every report holds it, ms. */
  readonly reportable: Quantiles;
  /** From sending until every continuous aggregate was refreshed with it, ms. */
  readonly refreshed: Quantiles;
}

export interface Quantiles {
  readonly p50_ms: number;
  readonly p99_ms: number;
}

/** How often the database is asked how far the aggregates are, ms. */
const POLL_MS = 100;

interface Waiting {
  readonly partition: number;
  readonly events: number;
  readonly sentMs: number;
  readonly ackedMs: number;
}

/** How far the partitions are: committed, which reports hold, or refreshed. */
const COLUMNS = ["committed_through", "refreshed_through"] as const;

/** Events that wait until a column of `partitions` has passed their ack. */
class Watch {
  readonly #waiting = new Set<Waiting>();
  readonly #delays: Delay[] = [];

  get isDone(): boolean {
    return this.#waiting.size === 0;
  }

  add(events: Waiting): void {
    this.#waiting.add(events);
  }

  passed(through: ReadonlyMap<number, number>): void {
    const now = Date.now();
    for (const one of this.#waiting) {
      if (one.ackedMs > (through.get(one.partition) ?? 0)) continue;
      this.#waiting.delete(one);
      this.#delays.push({ ms: now - one.sentMs, events: one.events });
    }
  }

  get quantiles(): Quantiles {
    return { p50_ms: quantile(this.#delays, 0.5), p99_ms: quantile(this.#delays, 0.99) };
  }
}

/** Sends simulated live traffic at a rate for some seconds, and watches when it is in the aggregates. */
export async function runAtRate(rig: Rig, rate: number, seconds: number, seed: number): Promise<RunAtRate> {
  const { merchants, installation } = rig;
  const watches = { committed_through: new Watch(), refreshed_through: new Watch() };
  let sending = true;
  const watching = (async () => {
    while (sending || COLUMNS.some((column) => !watches[column].isDone)) {
      for (const column of COLUMNS) watches[column].passed(await partitionTimes(rig.pool, column));
      await sleep(POLL_MS);
    }
  })();
  const summary = await sendTraffic({
    target: installation.collectorUrl,
    writeKeys: merchants.map(({ writeKey }) => writeKey),
    traffic: liveTraffic({ seed, merchants: merchants.length, batch: 500, rate, run: Date.now() }),
    events: rate * seconds,
    rate,
    inFlight: 64,
    onRequest({ merchant, events, sentMs, ackedMs }) {
      const partition = partitionOf(merchants[merchant]!.merchantId, rig.partitions);
      for (const column of COLUMNS) watches[column].add({ partition, events, sentMs, ackedMs });
    },
  });
  sending = false;
  await watching;
  return {
    summary,
    reportable: watches.committed_through.quantiles,
    refreshed: watches.refreshed_through.quantiles,
  };
}

async function partitionTimes(pool: Pool, column: (typeof COLUMNS)[number]): Promise<Map<number, number>> {
  const { rows } = await pool.query<{ partition_id: number; ms: string | null }>(
    `SELECT partition_id, extract(epoch FROM ${column}) * 1000 AS ms FROM partitions`,
  );
  return new Map(rows.map(({ partition_id, ms }) => [partition_id, Number(ms)]));
}

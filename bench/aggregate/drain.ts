import { setTimeout as sleep } from "node:timers/promises";
import { freePort } from "../../internal/embedded/free-port.ts";
import { formatId } from "../../internal/event/event-id.ts";
import { sealedBytes } from "../../internal/event/seal.ts";
import { startProgram } from "../../internal/standalone/programs.ts";
import { connectNats } from "../../internal/stream/connect.ts";
import { BatchPublisher } from "../../internal/stream/publisher.ts";
import { ensureStreams } from "../../internal/stream/streams.ts";
import { cpuSeconds, perMillion } from "../lib/cpu.ts";
import type { Servers } from "../lib/servers.ts";
import { sessionCpu } from "../lib/session-cpu.ts";
import type { Batches } from "./raw-copy.ts";

/** How long the aggregator took for a backlog. */
export interface Drained {
  readonly rows: number;
  /** From the moment it could begin until its last commit was seen, at most some 20 ms late. */
  readonly seconds: number;
  /** Until the continuous aggregates held all of it, after the last commit. */
  readonly refreshMs: number;
  /** CPU seconds a million rows until then, of the process and of its sessions by their use. */
  readonly cpu: Readonly<Record<string, number>>;
}

/** cmd/aggregator, running, and a stream for each of its partitions. */
export class Drainer {
  readonly #servers: Servers;
  readonly #pid: number;
  readonly stop: () => Promise<unknown>;

  private constructor(servers: Servers, child: { pid: number; stop(): Promise<unknown> }) {
    this.#servers = servers;
    this.#pid = child.pid;
    this.stop = () => child.stop();
  }

  static async start(servers: Servers, partitions: number): Promise<Drainer> {
    const { databaseUrl, natsUrl } = servers;
    const nats = await connectNats(natsUrl, "bench", 10_000);
    await ensureStreams(nats, partitions, { replicas: 1, maxAgeMs: 3_600_000, maxBytes: 0 });
    await nats.close();
    const env = {
      DATABASE_URL: databaseUrl,
      NATS_URL: natsUrl,
      FOOTFALL_LOG_LEVEL: "warn",
      // It is stopped while a backlog is published.
      FOOTFALL_AGGREGATOR_LEASE_MS: "60000",
    };
    return new Drainer(servers, await startProgram("aggregator", await freePort(), env));
  }

  /** Publishes a backlog to the halted aggregator, lets it go on, and waits until all is in the aggregates. */
  async drain(batches: Batches): Promise<Drained> {
    const { pool } = this.#servers;
    const rows = batches.reduce((total, { sealed }) => total + sealed.rows, 0);
    await pool.query(
      "TRUNCATE events, items, event_keys, distant_keys, order_keys, refund_keys, visitor_sessions, visitors, batch_ledger",
    );
    // As after an erasure: the aggregator forgets which visitors it has written.
    await pool.query("UPDATE partitions SET erasure_version = erasure_version + 1");
    process.kill(this.#pid, "SIGSTOP");
    await publish(this.#servers.natsUrl, batches);
    const before = await this.#cpu();
    const start = performance.now();
    process.kill(this.#pid, "SIGCONT");
    while ((await this.#stored()) < rows) await sleep(20);
    const finished = performance.now();
    while (await this.#isStale()) await sleep(20);
    const refreshMs = performance.now() - finished;
    const cpu = perMillion(before, await this.#cpu(), rows);
    return { rows, seconds: (finished - start) / 1_000, refreshMs, cpu };
  }

  /** @returns the rows committed, by the ledger. */
  async #stored(): Promise<number> {
    const { rows } = await this.#servers.pool.query<{ stored: string }>(
      "SELECT coalesce(sum(stored), 0) AS stored FROM batch_ledger",
    );
    return Number(rows[0]!.stored);
  }

  async #isStale(): Promise<boolean> {
    const { rowCount } = await this.#servers.pool.query(
      "SELECT FROM invalidations WHERE grain = '15m' LIMIT 1",
    );
    return rowCount !== 0;
  }

  async #cpu(): Promise<Record<string, number>> {
    // The bench's own sessions are no part of it.
    const { bench: _, ...sessions } = await sessionCpu(this.#servers.pool);
    return { ...cpuSeconds({ node: this.#pid }), ...sessions };
  }
}

async function publish(natsUrl: string, batches: Batches): Promise<void> {
  const nats = await connectNats(natsUrl, "bench", 10_000);
  const publisher = new BatchPublisher(nats, 30_000);
  for (const { sealed } of batches) {
    await publisher.publish(sealed.partition, formatId(sealed.batchId), sealedBytes(sealed));
  }
  await nats.close();
}

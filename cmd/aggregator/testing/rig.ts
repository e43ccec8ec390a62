import { STEPS } from "../../../internal/aggregate/steps/process.ts";
import { aggregator } from "../../../internal/config/programs/aggregator.ts";
import { flagOf, type Setting } from "../../../internal/config/setting.ts";
import type { Child } from "../../../internal/embedded/child.ts";
import { freePort } from "../../../internal/embedded/free-port.ts";
import { startProgram } from "../../../internal/standalone/programs.ts";
import { createMerchant } from "../../../internal/store/merchants.ts";
import type { Pool } from "../../../internal/store/pool.ts";
import type { NatsConnection } from "../../../internal/stream/connect.ts";
import { BatchPublisher } from "../../../internal/stream/publisher.ts";
import { merchantsOf, type TestBatch, testBatch } from "../../../test/kit/batches.ts";
import { openTestDatabase, type TestDatabase } from "../../../test/kit/database.ts";
import { waitFor } from "../../../test/kit/installation-wait.ts";
import { ensureTestStreams, openTestNats, type TestNats } from "../../../test/kit/nats.ts";
import { startTestService, type TestService } from "../../../test/kit/service.ts";
import { start } from "../start.ts";

export const PARTITIONS = 4;

/** A database, a nats-server with the streams of all partitions, and any number of aggregators. */
export class Rig<D extends TestDatabase = TestDatabase> {
  readonly database: D;
  readonly nats: TestNats;
  readonly nc: NatsConnection;
  readonly publisher: BatchPublisher;
  readonly #services: { stop(): Promise<void> }[] = [];

  private constructor(database: D, nats: TestNats, nc: NatsConnection) {
    this.database = database;
    this.nats = nats;
    this.nc = nc;
    this.publisher = new BatchPublisher(nc, 1_000);
  }

  static async open<D extends TestDatabase = TestDatabase>(
    database = openTestDatabase(PARTITIONS) as Promise<TestDatabase> as Promise<D>,
  ): Promise<Rig<D>> {
    const [opened, nats] = await Promise.all([database, openTestNats()]);
    const nc = await nats.connect();
    await ensureTestStreams(nc, PARTITIONS);
    const shop = { name: "Shop", timeZone: "UTC", currency: "EUR", retentionDays: 365 };
    for (let merchant = 1; merchant <= 12; merchant++) await createMerchant(opened.pool, shop);
    return new Rig(opened, nats, nc);
  }

  get pool(): Pool {
    return this.database.pool;
  }

  /** Starts an aggregator of all partitions that is quick to notice things. @param steps instead of the usual ones. */
  async start(settings: Readonly<Record<string, string>> = {}, steps = STEPS): Promise<TestService> {
    const run = (service: Parameters<typeof start>[0]) => start(service, steps);
    const service = await startTestService(aggregator, run, this.#settings(settings));
    this.#services.push(service);
    return service;
  }

  #settings(settings: Readonly<Record<string, string>>): Record<string, string> {
    return {
      "database-url": `${this.database.url}?options=-c%20role%3Dfootfall_writer`,
      "owner-database-url": `${this.database.url}?options=-c%20role%3Dfootfall_owner`,
      "nats-url": this.nats.url,
      "heartbeat-ms": "100",
      "refresh-interval-ms": "50",
      // Long enough for a database that is busy on a loaded machine.
      "lease-ms": "20000",
      "lease-renew-ms": "300",
      ...settings,
    };
  }

  /** Starts one in a process of its own; resolves when it is healthy. @param env changes to its environment. */
  async startProcess(
    settings: Readonly<Record<string, string>> = {},
    env: Readonly<Record<string, string>> = {},
  ): Promise<AggregatorProcess> {
    const opsPort = await freePort();
    const flags = this.#settings(settings);
    const variables = Object.fromEntries(
      Object.entries<Setting<unknown>>(aggregator.settings).flatMap(([key, setting]) => {
        const value = flags[flagOf(key, setting)];
        return value === undefined ? [] : [[setting.env, value]];
      }),
    );
    const child = await startProgram("aggregator", opsPort, { ...variables, ...env });
    this.#services.push(child);
    return { ...child, opsUrl: `http://127.0.0.1:${opsPort}` };
  }

  /** Stops all aggregators. */
  async stop(): Promise<void> {
    await Promise.all(this.#services.splice(0).map((service) => service.stop()));
  }

  /** Publishes a batch until it is acked, as ingest and collector do together. */
  publish({ id, sealed, bytes }: TestBatch, messageId = id): Promise<number> {
    return waitFor("JetStream's ack", () => this.publisher.publish(sealed.partition, messageId, bytes));
  }

  async query<T>(sql: string, values: unknown[] = []): Promise<T[]> {
    return (await this.pool.query(sql, values)).rows as T[];
  }

  /** Waits until a batch is in the ledger; @returns its line. */
  committed({ id }: Pick<TestBatch, "id">): Promise<LedgerLine> {
    const sql = `SELECT partition_id, stream_seq::integer, rows, stored, duplicates, dead_lettered
      FROM batch_ledger WHERE batch_id = $1`;
    return waitFor(
      `batch ${id} in the ledger`,
      async () => (await this.query<LedgerLine>(sql, [id]))[0],
      60_000,
    );
  }

  async close(): Promise<void> {
    await this.stop();
    await this.nats.close();
    await this.database.close();
  }
}

/** An aggregator in a process of its own. */
export interface AggregatorProcess extends Child {
  readonly opsUrl: string;
}

export interface LedgerLine {
  readonly partition_id: number;
  readonly stream_seq: number;
  readonly rows: number;
  readonly stored: number;
  readonly duplicates: number;
  readonly dead_lettered: number;
}

const NOW = Date.UTC(2026, 2, 29, 12);

/** A batch of some events of a partition's first merchant, a second apart, each with an id of its own. */
export function batchFor(partition: number, events: number): TestBatch {
  const [merchantId] = merchantsOf(partition, PARTITIONS, 1) as [number];
  const rows = Array.from({ length: events }, (_, at) => ({
    merchantId,
    time: NOW + at * 1_000,
    eventId: crypto.randomUUID(),
  }));
  return testBatch(rows, { partition });
}

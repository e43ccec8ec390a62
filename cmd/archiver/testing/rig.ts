import { zstdDecompressSync } from "node:zlib";
import { parquetReadObjects } from "hyparquet";
import { archiver } from "../../../internal/config/programs/archiver.ts";
import type { NatsConnection } from "../../../internal/stream/connect.ts";
import { BatchPublisher } from "../../../internal/stream/publisher.ts";
import { merchantsOf, type TestBatch, testBatch } from "../../../test/kit/batches.ts";
import { openTestDatabase, type TestDatabase } from "../../../test/kit/database.ts";
import { waitFor } from "../../../test/kit/installation-wait.ts";
import { ensureTestStreams, openTestNats, type TestNats } from "../../../test/kit/nats.ts";
import { openTestS3, type TestS3 } from "../../../test/kit/s3.ts";
import { startTestService, type TestService } from "../../../test/kit/service.ts";
import { start } from "../start.ts";

export const PARTITIONS = 4;

/** How long anything may take on a busy machine, ms. */
const WAIT_MS = 60_000;

/** A database, a nats-server, an S3 endpoint, and any number of archivers. */
export class Rig<D extends TestDatabase = TestDatabase> {
  readonly database: D;
  readonly nats: TestNats;
  readonly nc: NatsConnection;
  readonly s3: TestS3;
  readonly publisher: BatchPublisher;
  /** Ids of the events of acked batches, by partition. */
  readonly published = new Map<number, string[]>();
  readonly #services: TestService[] = [];

  private constructor(database: D, nats: TestNats, nc: NatsConnection, s3: TestS3) {
    this.database = database;
    this.nats = nats;
    this.nc = nc;
    this.s3 = s3;
    this.publisher = new BatchPublisher(nc, 1_000);
  }

  static async open<D extends TestDatabase = TestDatabase>(
    database = openTestDatabase(PARTITIONS) as Promise<TestDatabase> as Promise<D>,
  ): Promise<Rig<D>> {
    const [opened, nats, s3] = await Promise.all([database, openTestNats(), openTestS3()]);
    const nc = await nats.connect();
    await ensureTestStreams(nc, PARTITIONS);
    return new Rig(opened, nats, nc, s3);
  }

  /** The settings of an archiver that is quick to make objects and to notice things. */
  flags(settings: Readonly<Record<string, string>> = {}): Record<string, string> {
    return {
      "database-url": `${this.database.url}?options=-c%20role%3Dfootfall_archiver`,
      "nats-url": this.nats.url,
      ...this.s3.flags,
      "object-max-age-ms": "200",
      "lease-ms": "1000",
      ...settings,
    };
  }

  async start(settings: Readonly<Record<string, string>> = {}): Promise<TestService> {
    const service = await startTestService(archiver, start, this.flags(settings));
    this.#services.push(service);
    return service;
  }

  /** Stops all archivers. */
  async stop(): Promise<void> {
    await Promise.all(this.#services.splice(0).map((service) => service.stop()));
  }

  /** Publishes a batch of some events until it is acked, and notes their ids. */
  async publish(partition: number, events = 3): Promise<TestBatch> {
    const [merchantId] = merchantsOf(partition, PARTITIONS, 1) as [number];
    const ids = Array.from({ length: events }, () => crypto.randomUUID() as string);
    const time = Date.UTC(2026, 2, 29, 12);
    const rows = ids.map((eventId, at) => ({ merchantId, time: time + at, eventId }));
    const batch = testBatch(rows, { partition });
    await this.publishBytes(partition, batch.bytes, batch.id);
    this.published.set(partition, [...(this.published.get(partition) ?? []), ...ids]);
    return batch;
  }

  publishBytes(partition: number, bytes: Uint8Array, id: string = crypto.randomUUID()): Promise<number> {
    return waitFor("JetStream's ack", () => this.publisher.publish(partition, id, bytes), WAIT_MS);
  }

  async query<T>(sql: string, values: unknown[] = []): Promise<T[]> {
    return (await this.database.pool.query(sql, values)).rows as T[];
  }

  /** The last sequence of a partition that is in the archive. */
  async position(partition: number): Promise<number> {
    const sql = "SELECT stream_seq::integer AS seq FROM archive_positions WHERE partition_id = $1";
    return (await this.query<{ seq: number }>(sql, [partition]))[0]?.seq ?? 0;
  }

  async reaches(partition: number, seq: number): Promise<void> {
    const there = async () => (await this.position(partition)) >= seq;
    await waitFor(`sequence ${seq} of partition ${partition} in the archive`, there, WAIT_MS);
  }

  /** The ids of a partition's archived events, read from the objects of the ledger as any reader would. */
  async archived(partition: number): Promise<string[]> {
    const objects = await this.query<{ name: string }>(
      "SELECT name FROM archive_objects WHERE kind = 'events' AND partition_id = $1 ORDER BY first_seq",
      [partition],
    );
    const ids: string[] = [];
    for (const { name } of objects) ids.push(...(await this.idsOf(name)));
    return ids;
  }

  async idsOf(name: string): Promise<string[]> {
    const file = new Uint8Array(await this.s3.store.get(name)).buffer;
    const compressors = { ZSTD: (bytes: Uint8Array) => zstdDecompressSync(bytes) };
    const rows = await parquetReadObjects({ file, columns: ["event_id"], compressors });
    return rows.map(({ event_id }) => event_id as string);
  }

  async close(): Promise<void> {
    await this.stop();
    await this.nats.close();
    await this.s3.close();
    await this.database.close();
  }
}

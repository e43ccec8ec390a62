import { type JetStreamManager, jetstreamManager } from "@nats-io/jetstream";
import { IngestClient } from "../../../internal/collect/ingest-client.ts";
import { ingest } from "../../../internal/config/programs/ingest.ts";
import { freePort } from "../../../internal/embedded/free-port.ts";
import { type CreatedMerchant, createMerchant } from "../../../internal/store/merchants.ts";
import { merchantsOf, type TestBatch, testBatch } from "../../../test/kit/batches.ts";
import { openTestDatabase, type TestDatabase } from "../../../test/kit/database.ts";
import { openTestNats, type TestNats } from "../../../test/kit/nats.ts";
import { startTestService } from "../../../test/kit/service.ts";
import { start } from "../start.ts";

export const PARTITIONS = 4;
/** The partition of the tests' batches. */
export const P = 2;
/** A merchant of that partition. */
export const [M] = merchantsOf(P, PARTITIONS, 1) as [number];
export const TIME = Date.UTC(2026, 2, 1);
export const MAX_BATCH_BYTES = 200_000;
const TOKEN = "second-token";

/** One ingest, started as cmd/ingest does, and clients of it. */
export interface Ingest {
  readonly client: IngestClient;
  /** A client with another token. */
  clientWith(token: string): IngestClient;
  /** Stops the server as a signal would. */
  stop(): Promise<void>;
}

/** A database with one merchant, a nats-server, and any number of ingests in front of them. */
export class Rig {
  readonly database: TestDatabase;
  readonly nats: TestNats;
  readonly merchant: CreatedMerchant;
  readonly #jsm: JetStreamManager;
  readonly #closers: (() => Promise<void> | void)[] = [];

  private constructor(
    database: TestDatabase,
    nats: TestNats,
    merchant: CreatedMerchant,
    jsm: JetStreamManager,
  ) {
    this.database = database;
    this.nats = nats;
    this.merchant = merchant;
    this.#jsm = jsm;
  }

  static async open(): Promise<Rig> {
    const [database, nats] = await Promise.all([openTestDatabase(PARTITIONS), openTestNats()]);
    const shop = { name: "Shop", timeZone: "UTC", currency: "EUR", retentionDays: 365 };
    const merchant = await createMerchant(database.pool, shop);
    return new Rig(database, nats, merchant, await jetstreamManager(await nats.connect()));
  }

  /** Starts an ingest. @param settings by flag, where they differ from the rig's own. */
  async start(settings: Readonly<Record<string, string>> = {}): Promise<Ingest> {
    const port = await freePort();
    const service = await startTestService(ingest, start, {
      "database-url": this.database.url,
      "nats-url": this.nats.url,
      port: String(port),
      tokens: `first-token,${TOKEN}`,
      "max-batch-bytes": String(MAX_BATCH_BYTES),
      "publish-timeout-ms": "1000",
      ...settings,
    });
    this.#closers.push(() => service.stop());
    const clientWith = (token: string) => {
      const client = new IngestClient(`127.0.0.1:${port}`, token);
      this.#closers.push(() => client.close());
      return client;
    };
    return { client: clientWith(TOKEN), clientWith, stop: () => service.stop() };
  }

  /** The sequence that the next message of a stream will have. */
  async nextOf(stream: string): Promise<number> {
    return (await this.#jsm.streams.info(stream)).state.last_seq + 1;
  }

  /** The messages of a stream from a sequence on. */
  async messages(stream: string, first: number) {
    const seqs = Array.from({ length: (await this.nextOf(stream)) - first }, (_, at) => first + at);
    return Promise.all(seqs.map(async (seq) => (await this.#jsm.streams.getMessage(stream, { seq }))!));
  }

  async close(): Promise<void> {
    for (const close of this.#closers.reverse()) await close();
    await this.nats.close();
    await this.database.close();
  }
}

/** A good batch of one event, another one at each call. */
export function goodBatch(): TestBatch {
  return testBatch([{ merchantId: M, time: TIME, url: "https://shop.example/" }], { partition: P });
}

import { IngestClient } from "../../../internal/collect/ingest-client.ts";
import { FakeIngest, PARTITIONS, TOKEN } from "../../../internal/collect/testing/fake-ingest.ts";
import { freePort } from "../../../internal/embedded/free-port.ts";
import { type Nats, startNats } from "../../../internal/embedded/nats/start.ts";
import { formatId } from "../../../internal/event/event-id.ts";
import { readSealed } from "../../../internal/event/testing/read-sealed.ts";
import { BatchStatus, type PublishResponse } from "../../../internal/gen/footfall/ingest/v1/ingest_pb.js";
import { connectNats, type NatsConnection } from "../../../internal/stream/connect.ts";
import { PartitionFeed } from "../../../internal/stream/partition-feed.ts";
import { BatchPublisher } from "../../../internal/stream/publisher.ts";
import { streamEnd } from "../../../internal/stream/streams.ts";
import { merchantsOf, testBatch } from "../../kit/batches.ts";
import { ensureTestStreams } from "../../kit/nats.ts";
import { killChild, type Part } from "../part.ts";

const PUBLISH_TIMEOUT_MS = 2_000;

/** One nats-server, with ingest in front of it: an event is acked when ingest has answered its batch. */
export class NatsPart implements Part {
  readonly #folder: string;
  readonly #syncInterval: "always" | "2m";
  #port = 0;
  #server: Nats | undefined;
  #nc: NatsConnection | undefined;
  #ingest: FakeIngest | undefined;
  #client: IngestClient | undefined;
  #stream: ReturnType<IngestClient["publish"]> | undefined;
  readonly #waiting = new Map<string, (answer: PublishResponse) => void>();
  #sent = 0;

  constructor(folder: string, syncInterval: "always" | "2m") {
    this.#folder = folder;
    this.#syncInterval = syncInterval;
  }

  async start(): Promise<void> {
    this.#port ||= await freePort();
    const options = { dataDir: this.#folder, port: this.#port, syncInterval: this.#syncInterval };
    this.#server = await startNats(options);
    this.#nc = await connectNats(this.#server.url, "power-loss", 10_000);
    await ensureTestStreams(this.#nc, PARTITIONS);
    this.#endIngest();
    this.#ingest = new FakeIngest(new BatchPublisher(this.#nc, PUBLISH_TIMEOUT_MS));
    await this.#ingest.start();
    this.#client = new IngestClient(this.#ingest.address, TOKEN);
    this.#stream = this.#client.publish();
    this.#stream.on("data", (answer: PublishResponse) =>
      this.#waiting.get(formatId(answer.batchId))?.(answer),
    );
    this.#stream.on("error", () => {});
  }

  async ready(): Promise<void> {}

  async send(eventId: string): Promise<void> {
    const partition = this.#sent++ % PARTITIONS;
    const [merchantId] = merchantsOf(partition, PARTITIONS, 1) as [number];
    const { id, bytes } = testBatch([{ merchantId, time: Date.now(), eventId }], { partition });
    const { promise, resolve } = Promise.withResolvers<PublishResponse>();
    this.#waiting.set(id, resolve);
    this.#stream!.write(bytes);
    const { status, message } = await promise;
    this.#waiting.delete(id);
    if (status !== BatchStatus.STORED) throw new Error(message);
  }

  /** Ingest lives on, on another machine: what waits for JetStream it answers as unavailable. */
  async kill(): Promise<void> {
    await killChild(this.#server);
    await this.#nc?.close();
  }

  /** From the beginning of each partition's stream to its end, as the aggregator reads them. */
  async stored(): Promise<string[]> {
    const ids: string[] = [];
    for (let partition = 0; partition < PARTITIONS; partition++) {
      const { lastSeq } = await streamEnd(this.#nc!, partition);
      const feed = await PartitionFeed.open(this.#nc!, { partition, after: 0, maxBytes: 8 << 20 });
      for (let seq = 0; seq < lastSeq; ) {
        const batch = await feed.next(10_000);
        if (batch === undefined) throw new Error(`partition ${partition} has nothing behind ${seq}`);
        seq = batch.seq;
        ids.push(...readSealed(batch.bytes).rows.map(({ eventId }) => eventId));
      }
      await feed.close();
    }
    return ids;
  }

  async close(): Promise<void> {
    await this.kill();
    this.#endIngest();
  }

  #endIngest(): void {
    this.#stream?.end();
    this.#client?.close();
    this.#ingest?.kill();
  }
}

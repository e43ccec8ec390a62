import { afterEach, describe, expect, test } from "vitest";
import { merchantsOf, testBatch } from "../../test/kit/batches.ts";
import { waitFor } from "../../test/kit/installation-wait.ts";
import { TestPublishStream } from "../../test/kit/publish-stream.ts";
import { LookupCache } from "../cache/lookup-cache.ts";
import { IngestClient } from "../collect/ingest-client.ts";
import { Failure } from "../failure/failure.ts";
import { BatchStatus } from "../gen/footfall/ingest/v1/ingest_pb.js";
import { bind } from "../rpc/grpc-js.ts";
import type { Merchant } from "../store/merchants.ts";
import { createRegistry } from "../telemetry/metrics.ts";
import { ingestMetrics } from "./metrics.ts";
import { createIngestServer } from "./service.ts";

const PARTITIONS = 4;
const [M] = merchantsOf(0, PARTITIONS, 1) as [number];
const MAX_IN_FLIGHT = 20_000;

/** JetStream that acks when it is told to. */
class SlowPublisher {
  waiting: { readonly bytes: number; readonly ack: PromiseWithResolvers<number> }[] = [];
  inFlight = 0;
  most = 0;
  published = 0;

  async publish(_partition: number, _id: string, { length }: Uint8Array): Promise<number> {
    this.published++;
    this.inFlight += length;
    this.most = Math.max(this.most, this.inFlight);
    const ack = Promise.withResolvers<number>();
    this.waiting.push({ bytes: length, ack });
    try {
      return await ack.promise;
    } finally {
      this.inFlight -= length;
    }
  }

  async reject(): Promise<void> {
    throw new Failure("unavailable", "not in this test");
  }

  /** Acks the oldest batches. */
  ack(count: number): void {
    for (const { ack } of this.waiting.splice(0, count)) ack.resolve(1);
  }
}

const closers: (() => void)[] = [];

afterEach(() => {
  for (const close of closers.splice(0).reverse()) close();
});

async function startIngest(publisher: SlowPublisher) {
  const registry = createRegistry("ingest");
  const stopping = new AbortController();
  const unexpected: unknown[] = [];
  const server = createIngestServer({
    tokens: () => ["t"],
    partitions: PARTITIONS,
    publisher,
    reportSpool: async () => {},
    merchants: new LookupCache<Merchant>(async () => undefined, {
      name: "write key",
      freshMs: 0,
      capacity: 1,
    }),
    visitorIdSecret: Buffer.alloc(32, "s"),
    metrics: ingestMetrics(registry),
    maxBatchBytes: 100_000,
    maxInFlightBytes: MAX_IN_FLIGHT,
    stopping: stopping.signal,
    report: (error) => unexpected.push(error),
  });
  const port = await bind(server, "127.0.0.1", 0);
  const client = new IngestClient(`127.0.0.1:${port}`, "t");
  closers.push(
    () => server.forceShutdown(),
    () => client.close(),
  );
  const gauge = async () =>
    (await registry.getSingleMetric("footfall_ingest_in_flight_bytes")!.get()).values[0]?.value ?? 0;
  return { stream: new TestPublishStream(client), gauge, stopping, unexpected };
}

const batches = (count: number) =>
  Array.from({ length: count }, (_, at) =>
    testBatch([{ merchantId: M, time: 0, url: `https://shop.example/${at}/${"é".repeat(at % 9)}` }], {
      partition: 0,
    }),
  );

describe("a JetStream that is slow", () => {
  test("never has more to ack than the limit and one batch, and loses nothing", async () => {
    const publisher = new SlowPublisher();
    const { stream, gauge, unexpected } = await startIngest(publisher);
    const sent = batches(1_000);
    const largest = Math.max(...sent.map(({ bytes }) => bytes.length));
    expect(sent.length * largest).toBeGreaterThan(5 * MAX_IN_FLIGHT);
    stream.send(...sent.map(({ bytes }) => bytes));
    stream.halfClose();
    while (stream.answers.length < sent.length) {
      await waitFor(
        "a full window",
        () => publisher.inFlight >= MAX_IN_FLIGHT || publisher.published === sent.length,
      );
      expect(await gauge()).toBe(publisher.inFlight);
      const before = stream.answers.length;
      publisher.ack(60);
      await waitFor("answers", () => stream.answers.length > before);
    }
    expect(await stream.ended()).toMatchObject({ code: 0 });
    expect(publisher.most).toBeGreaterThanOrEqual(MAX_IN_FLIGHT);
    expect(publisher.most).toBeLessThan(MAX_IN_FLIGHT + largest);
    const ids = stream.answers.map(({ batchId }) => Buffer.from(batchId).toString("hex"));
    expect(ids.sort()).toEqual(sent.map(({ id }) => id.replaceAll("-", "")).sort());
    expect(stream.answers.every(({ status }) => status === BatchStatus.STORED)).toBe(true);
    expect(await gauge()).toBe(0);
    expect(unexpected).toEqual([]);
  });

  test("a collector that goes away leaves no bytes in the count", async () => {
    const publisher = new SlowPublisher();
    const { stream, gauge, unexpected } = await startIngest(publisher);
    stream.send(...batches(500).map(({ bytes }) => bytes));
    await waitFor("a full window", () => publisher.inFlight >= MAX_IN_FLIGHT);
    stream.cancel();
    await stream.ended();
    publisher.ack(publisher.waiting.length);
    await waitFor("an empty window", async () => {
      publisher.ack(publisher.waiting.length);
      return (await gauge()) === 0;
    });
    expect(unexpected).toEqual([]);
  });

  test("at shutdown it is waited for: what was read is answered, what was not read is not", async () => {
    const publisher = new SlowPublisher();
    const { stream, stopping } = await startIngest(publisher);
    stream.send(...batches(500).map(({ bytes }) => bytes));
    await waitFor("a full window", () => publisher.inFlight >= MAX_IN_FLIGHT);
    stopping.abort();
    const read = publisher.published;
    expect(stream.answers).toEqual([]);
    expect(stream.end).toBeUndefined();
    publisher.ack(read);
    expect(await stream.ended()).toMatchObject({ code: 0 });
    expect(stream.answers.map(({ status }) => status)).toEqual(Array(read).fill(BatchStatus.STORED));
    expect(publisher.published).toBe(read);
  });
});

test("an error that nobody expects ends the stream as INTERNAL without its text, and is reported", async () => {
  const publisher = new SlowPublisher();
  const { stream, unexpected } = await startIngest(publisher);
  stream.send(...batches(3).map(({ bytes }) => bytes));
  await waitFor("the batches", () => publisher.published === 3);
  publisher.waiting.shift()!.ack.reject(new TypeError("secret detail"));
  expect(await stream.ended()).toEqual({ code: 13, details: "internal error" });
  publisher.ack(2);
  await waitFor("the report", () => unexpected.length === 1);
  expect(String(unexpected[0])).toBe("TypeError: secret detail");
});

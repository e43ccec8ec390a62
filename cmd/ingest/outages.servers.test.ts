import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { formatId } from "../../internal/event/event-id.ts";
import { BatchStatus } from "../../internal/gen/footfall/ingest/v1/ingest_pb.js";
import { eventsStream } from "../../internal/stream/streams.ts";
import { testBatch } from "../../test/kit/batches.ts";
import { waitFor } from "../../test/kit/installation-wait.ts";
import { TestPublishStream } from "../../test/kit/publish-stream.ts";
import { noise } from "./testing/bad-batches.ts";
import { goodBatch, type Ingest, M, P, Rig, TIME } from "./testing/rig.ts";

let rig: Rig;
let ingest: Ingest;

beforeAll(async () => {
  rig = await Rig.open();
  ingest = await rig.start();
});

afterAll(() => rig?.close());

describe("while parts come and go", () => {
  test("at shutdown every batch that was published is answered, and the stream ends at once", async () => {
    const second = await rig.start();
    const first = await rig.nextOf(eventsStream(P));
    const stream = new TestPublishStream(second.client);
    const batches = Array.from({ length: 300 }, () => goodBatch());
    stream.send(...batches.map(({ bytes }) => bytes));
    await waitFor("a first answer", () => stream.answers.length > 0);
    const began = performance.now();
    await second.stop();
    // The forced end would come after 5 s.
    expect(performance.now() - began).toBeLessThan(4_000);
    expect(await stream.ended()).toMatchObject({ code: 0 });
    const stored = (await rig.messages(eventsStream(P), first)).map(({ header }) =>
      header.get("Nats-Msg-Id"),
    );
    const answered = stream.answers.map(({ batchId, status }) => [formatId(batchId), status] as const);
    expect(answered.map(([id]) => id).sort()).toEqual(stored.sort());
    expect(answered.every(([, status]) => status === BatchStatus.STORED)).toBe(true);
  });

  test("without JetStream batches are UNAVAILABLE; on the same stream they are STORED after its restart", async () => {
    const stream = new TestPublishStream(ingest.client);
    const [early, away] = [goodBatch(), goodBatch()] as const;
    stream.send(early.bytes);
    expect(await stream.answer(early.id)).toMatchObject({ status: BatchStatus.STORED });
    await rig.nats.kill();
    stream.send(away.bytes);
    expect(await stream.answer(away.id)).toMatchObject({ status: BatchStatus.UNAVAILABLE });
    // A batch that fails the checks cannot be kept now: its sender must not forget it either.
    const bad = testBatch([{ merchantId: M, time: TIME }], { partition: 1 });
    stream.send(bad.bytes);
    expect(await stream.answer(bad.id)).toMatchObject({ status: BatchStatus.UNAVAILABLE });
    await rig.nats.start();
    await waitFor("the batch to be stored", async () => {
      const again = goodBatch();
      stream.send(again.bytes);
      return (await stream.answer(again.id)).status === BatchStatus.STORED;
    });
    stream.halfClose();
    expect(await stream.ended()).toMatchObject({ code: 0 });
  });

  test("no batch is taken that NATS would not take: its max_payload limits the settings", async () => {
    const { client } = await rig.start({ "max-batch-bytes": String(64 << 20) });
    const stream = new TestPublishStream(client);
    const large = testBatch([{ merchantId: M, time: TIME, url: noise(9 << 20) }], { partition: P });
    stream.send(large.bytes);
    expect(await stream.answer(large.id)).toMatchObject({
      status: BatchStatus.REJECTED,
      message: `batch: ${large.bytes.length} bytes, at most ${(8 << 20) - 8_192} are taken, and kept`,
    });
    stream.halfClose();
  });
});

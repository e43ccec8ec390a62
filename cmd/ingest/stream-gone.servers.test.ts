import { jetstreamManager } from "@nats-io/jetstream";
import { afterAll, beforeAll, expect, test } from "vitest";
import { BatchStatus } from "../../internal/gen/footfall/ingest/v1/ingest_pb.js";
import { DEAD_LETTER_STREAM, eventsStream } from "../../internal/stream/streams.ts";
import { testBatch } from "../../test/kit/batches.ts";
import { waitFor } from "../../test/kit/installation-wait.ts";
import { TestPublishStream } from "../../test/kit/publish-stream.ts";
import { goodBatch, type Ingest, M, P, Rig, TIME } from "./testing/rig.ts";

let rig: Rig;
let ingest: Ingest;

beforeAll(async () => {
  rig = await Rig.open();
  ingest = await rig.start();
});
afterAll(() => rig?.close());

async function remove(stream: string) {
  const { streams } = await jetstreamManager(await rig.nats.connect());
  const { config } = await streams.info(stream);
  await streams.delete(stream);
  return config;
}

const configOf = async (stream: string) =>
  (await (await jetstreamManager(await rig.nats.connect())).streams.info(stream)).config;

/** Sends a new batch again and again until it is answered so; each refusal is UNAVAILABLE and names the stream. */
async function sendUntil(status: BatchStatus, named: string, make: typeof goodBatch): Promise<void> {
  const stream = new TestPublishStream(ingest.client);
  const batch = make();
  await waitFor("the answer", async () => {
    stream.answers.length = 0;
    stream.send(batch.bytes);
    const answer = await stream.answer(batch.id);
    if (answer.status === status) return true;
    expect(answer).toMatchObject({
      status: BatchStatus.UNAVAILABLE,
      message: expect.stringContaining(`JetStream: ${named}: no server answers: the stream does not exist`),
    });
    return false;
  });
  stream.halfClose();
}

test("a stream that is gone is made anew as it was, when a batch comes for it", async () => {
  await sendUntil(BatchStatus.STORED, eventsStream(P), goodBatch);
  const was = await remove(eventsStream(P));
  await sendUntil(BatchStatus.STORED, eventsStream(P), goodBatch);
  expect(await rig.nextOf(eventsStream(P))).toBe(2);
  expect(await configOf(eventsStream(P))).toEqual(was);
});

test("so is that of refused batches", async () => {
  const bad = () => testBatch([{ merchantId: M, time: TIME }], { partition: 1 });
  await remove(DEAD_LETTER_STREAM);
  await sendUntil(BatchStatus.REJECTED, DEAD_LETTER_STREAM, bad);
  expect(await rig.nextOf(DEAD_LETTER_STREAM)).toBe(2);
});

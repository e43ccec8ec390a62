import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { BatchRejectReason, BatchStatus } from "../../internal/gen/footfall/ingest/v1/ingest_pb.js";
import { DEAD_LETTER_STREAM, eventsStream } from "../../internal/stream/streams.ts";
import { TestPublishStream } from "../../test/kit/publish-stream.ts";
import { BAD_BATCHES } from "./testing/bad-batches.ts";
import { goodBatch, type Ingest, MAX_BATCH_BYTES, P, Rig } from "./testing/rig.ts";

let rig: Rig;
let ingest: Ingest;

beforeAll(async () => {
  rig = await Rig.open();
  ingest = await rig.start();
});

afterAll(() => rig?.close());

describe("Publish", () => {
  test("a good batch is answered STORED, and its bytes are in its partition's stream under its id", async () => {
    const first = await rig.nextOf(eventsStream(P));
    const stream = new TestPublishStream(ingest.client);
    const batches = [goodBatch(), goodBatch(), goodBatch()];
    stream.send(...batches.map(({ bytes }) => bytes));
    for (const { id } of batches) {
      expect(await stream.answer(id)).toMatchObject({ status: BatchStatus.STORED, reason: 0, message: "" });
    }
    const stored = await rig.messages(eventsStream(P), first);
    expect(stored.map(({ header }) => header.get("Nats-Msg-Id")).sort()).toEqual(
      batches.map(({ id }) => id).sort(),
    );
    const byId = new Map(batches.map(({ id, bytes }) => [id, Buffer.from(bytes)]));
    for (const { header, data } of stored) {
      expect(Buffer.from(data).equals(byId.get(header.get("Nats-Msg-Id"))!)).toBe(true);
    }
    stream.halfClose();
    expect(await stream.ended()).toMatchObject({ code: 0 });
  });

  test("a batch that is sent again is STORED again, and stands in the stream once", async () => {
    const first = await rig.nextOf(eventsStream(P));
    const batch = goodBatch();
    for (let i = 0; i < 2; i++) {
      const stream = new TestPublishStream(ingest.client);
      stream.send(batch.bytes);
      expect(await stream.answer(batch.id)).toMatchObject({ status: BatchStatus.STORED });
      stream.halfClose();
    }
    expect(await rig.messages(eventsStream(P), first)).toHaveLength(1);
  });

  test.each(BAD_BATCHES)(
    "%s is REJECTED and kept with its reason; its neighbours are stored",
    async (_, reason, message, make) => {
      const made = make();
      const { id, bytes } = made instanceof Uint8Array ? { id: "", bytes: made } : made;
      const first = await rig.nextOf(DEAD_LETTER_STREAM);
      const stream = new TestPublishStream(ingest.client);
      const neighbours = [goodBatch(), goodBatch()] as const;
      stream.send(neighbours[0].bytes, bytes, neighbours[1].bytes);
      for (const neighbour of neighbours) {
        expect(await stream.answer(neighbour.id)).toMatchObject({ status: BatchStatus.STORED });
      }
      const answer = await stream.answer(id || "00000000-0000-0000-0000-000000000000");
      expect(answer).toMatchObject({
        status: BatchStatus.REJECTED,
        reason,
        message: expect.stringMatching(message),
      });
      const kept = await rig.messages(DEAD_LETTER_STREAM, first);
      expect(kept).toHaveLength(1);
      expect(Buffer.from(kept[0]!.data).equals(bytes.subarray(0, MAX_BATCH_BYTES))).toBe(true);
      expect(kept[0]!.header.get("Footfall-Reason")).toBe(BatchRejectReason[reason]);
      expect(kept[0]!.header.get("Footfall-Message")).toBe(answer.message);
      const partition = reason === BatchRejectReason.MALFORMED && id === "" ? "none" : "";
      expect(kept[0]!.subject).toMatch(new RegExp(`^dead_letter\\.(${partition || "none|\\d"})$`));
      stream.halfClose();
      expect(await stream.ended()).toMatchObject({ code: 0 });
    },
  );

  test("a message beyond gRPC's own limit ends its stream as RESOURCE_EXHAUSTED, and no other", async () => {
    const other = new TestPublishStream(ingest.client);
    const stream = new TestPublishStream(ingest.client);
    stream.send(Buffer.alloc(2 * MAX_BATCH_BYTES + 1));
    expect(await stream.ended()).toMatchObject({ code: 8 });
    const batch = goodBatch();
    other.send(batch.bytes);
    expect(await other.answer(batch.id)).toMatchObject({ status: BatchStatus.STORED });
    other.halfClose();
  });

  test.each(["", "wrong", "second-token2", "first-token,second-token"])(
    "token %j: UNAUTHENTICATED, and nothing is published",
    async (token) => {
      const first = await rig.nextOf(eventsStream(P));
      const stream = new TestPublishStream(ingest.clientWith(token));
      stream.send(goodBatch().bytes);
      expect(await stream.ended()).toMatchObject({
        code: 16,
        details: expect.stringContaining("authorization"),
      });
      expect(await rig.messages(eventsStream(P), first)).toEqual([]);
    },
  );
});

import { toBinary } from "@bufbuild/protobuf";
import fc from "fast-check";
import { expect, test } from "vitest";
import { BatchBuilder } from "../event/batch-builder.ts";
import { formatId, writeDerivedId } from "../event/event-id.ts";
import { seal, sealedBytes } from "../event/seal.ts";
import { plainRow } from "../event/testing/random-rows.ts";
import { readSealed } from "../event/testing/read-sealed.ts";
import { RejectReason } from "../gen/footfall/collect/v1/collect_pb.js";
import { Codec, EventBatchSchema } from "../gen/footfall/event/v1/batch_pb.js";
import { EventSchema } from "../gen/footfall/event/v1/event_pb.js";
import { EventFields } from "./event-fields.ts";
import { EVENT, ITEM, Kind, ORDER, PROPERTY, SCREEN, type Shape, TIMESTAMP } from "./event-shape.ts";
import { type EventContext, takeEvent } from "./take-event.ts";
import { eventBytes } from "./testing/random-event.ts";
import { referenceRow } from "./testing/reference.ts";

const NOW = Date.UTC(2026, 5, 1);
const MERCHANT = 7;
const context: EventContext = {
  receivedTime: NOW,
  sentTime: NOW - 5,
  retentionDays: 30,
  truncateIp: true,
  defaults: { ip: Buffer.from("198.51.100.7"), userAgent: Buffer.from("Agent/1 é") },
};
const events = fc.array(eventBytes(NOW), { minLength: 1, maxLength: 12 });

/** Takes events as the collector does. @returns the reason of each, 0 for one that is in the batch. */
function takeAll(builder: BatchBuilder, all: readonly Uint8Array[]): number[] {
  const fields = new EventFields();
  return all.map((bytes) => {
    const refusal = fields.read(bytes) ?? takeEvent(fields, builder, context);
    if (refusal === undefined) builder.commit(MERCHANT);
    else builder.discard();
    return refusal?.reason ?? 0;
  });
}

test("the reader of bytes and protobuf-es agree on every event and on every value", () => {
  const met = { taken: 0, refused: 0 };
  fc.assert(
    fc.property(events, (all) => {
      const builder = new BatchBuilder(12);
      const reasons = takeAll(builder, all);
      const wanted = all.map((bytes) => referenceRow(bytes, MERCHANT, context));
      expect(reasons.map((reason) => reason === 0)).toEqual(wanted.map((row) => typeof row === "object"));
      for (const [index, reason] of reasons.entries()) {
        if (reason === RejectReason.MALFORMED) expect(wanted[index]).toBe(RejectReason.MALFORMED);
      }
      const rows = wanted.filter((row) => typeof row === "object");
      met.taken += rows.length;
      met.refused += all.length - rows.length;
      if (rows.length === 0) return;
      const options = { partition: 0, collectorId: "", codec: Codec.NONE, closedTime: 1 };
      const read = readSealed(sealedBytes(seal(builder.take(), options)));
      const derived = (row: number) => {
        const id = new Uint8Array(16);
        writeDerivedId(read.sealed.batchId, row, id, 0);
        return formatId(id);
      };
      expect(read.rows).toEqual(rows.map((row, at) => plainRow(row, derived(at))));
    }),
    { numRuns: 600 },
  );
  // The generator does its work: neither kind is rare.
  expect(Math.min(met.taken, met.refused)).toBeGreaterThan(500);
});

test("an event that is refused leaves nothing in the batch", () => {
  fc.assert(
    fc.property(events, (all) => {
      const [mixed, clean] = [new BatchBuilder(12), new BatchBuilder(12)];
      const reasons = takeAll(mixed, all);
      takeAll(
        clean,
        all.filter((_, index) => reasons[index] === 0),
      );
      expect(mixed.byteLength).toBe(clean.byteLength);
      expect(toBinary(EventBatchSchema, mixed.take())).toEqual(toBinary(EventBatchSchema, clean.take()));
    }),
    { numRuns: 200 },
  );
});

test("the shapes are those of event.proto", () => {
  const kindOf = (kind: string, scalar?: number) =>
    kind === "scalar" ? (scalar === 9 ? Kind.TEXT : Kind.NUMBER) : Kind.MESSAGE;
  const [time, screen, order, items] = [3, 11, 13, 14].map(
    (number) => EventSchema.fields.find((field) => field.number === number)?.message,
  );
  const messages: [Shape, typeof time][] = [
    [EVENT, EventSchema],
    [TIMESTAMP, time],
    [SCREEN, screen],
    [ORDER, order],
    [ITEM, items],
  ];
  for (const [{ kinds }, message] of messages) {
    const wanted = message!.fields.map(({ number, fieldKind, scalar }) => [
      number,
      kindOf(fieldKind, scalar),
    ]);
    expect([...kinds.entries()].slice(1)).toEqual(wanted);
  }
  expect([...PROPERTY.kinds]).toEqual([Kind.NONE, Kind.TEXT, Kind.TEXT]);
});

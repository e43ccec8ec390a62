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
import { Adjustments } from "./adjustments.ts";
import { EventFields } from "./event-fields.ts";
import { type EventContext, takeEvent } from "./take-event.ts";
import { eventBytes } from "./testing/random-event.ts";
import { referenceRow } from "./testing/reference.ts";

const NOW = Date.UTC(2026, 5, 1);
const MERCHANT = 7;
const adjustments = new Adjustments();
const context: EventContext = {
  receivedTime: NOW,
  sentTime: NOW - 5,
  retentionDays: 30,
  truncateIp: true,
  visitorKey: Buffer.alloc(32, "k"),
  defaults: { ip: Buffer.from("198.51.100.7"), userAgent: Buffer.from("Agent/1 é") },
  adjustments,
};
const events = fc.array(eventBytes(NOW), { minLength: 1, maxLength: 12 });

/** What becomes of an event: why it is refused, or whether it is taken with something changed. */
type Fate = RejectReason | "taken" | "changed";

/** Takes events as the collector does. */
function takeAll(builder: BatchBuilder, all: readonly Uint8Array[]): Fate[] {
  const fields = new EventFields();
  return all.map((bytes) => {
    const refusal = fields.read(bytes) ?? takeEvent(fields, builder, context);
    const isChanged = adjustments.take().length > 0;
    if (refusal === undefined) builder.commit(MERCHANT);
    else builder.discard();
    return refusal?.reason ?? (isChanged ? "changed" : "taken");
  });
}

test("the reader of bytes and protobuf-es agree on every event and on every value", () => {
  const met = { taken: 0, changed: 0, refused: 0 };
  fc.assert(
    fc.property(events, (all) => {
      const builder = new BatchBuilder(12);
      const fates = takeAll(builder, all);
      const wanted = all.map((bytes) => referenceRow(bytes, MERCHANT, context));
      const known = [...fates.entries()].filter(([index]) => wanted[index] !== "no UTF-8");
      expect(known.map(([, fate]) => fateClass(fate))).toEqual(
        known.map(([index]) => wantedClass(wanted[index]!)),
      );
      for (const [index, fate] of fates.entries()) {
        if (fate === RejectReason.MALFORMED) expect(wanted[index]).toBe(RejectReason.MALFORMED);
        met[fateClass(fate)]++;
      }
      const taken = [...fates.entries()].filter(([, fate]) => typeof fate === "string");
      if (taken.length === 0) return;
      const options = { partition: 0, collectorId: "", codec: Codec.NONE, closedTime: 1 };
      const read = readSealed(sealedBytes(seal(builder.take(), options)));
      const derived = (row: number) => {
        const id = new Uint8Array(16);
        writeDerivedId(read.sealed.batchId, row, id, 0);
        return formatId(id);
      };
      expect(read.rows).toHaveLength(taken.length);
      for (const [row, [index]] of taken.entries()) {
        const reference = wanted[index]!;
        if (typeof reference === "object") expect(read.rows[row]).toEqual(plainRow(reference, derived(row)));
      }
    }),
    { numRuns: 600 },
  );
  // The generator does its work: no kind is rare.
  expect(Math.min(met.taken, met.changed, met.refused)).toBeGreaterThan(50);
});

const fateClass = (fate: Fate) => (typeof fate === "string" ? fate : "refused");

function wantedClass(wanted: ReturnType<typeof referenceRow>): ReturnType<typeof fateClass> {
  if (typeof wanted === "object") return "taken";
  return wanted === "odd" ? "changed" : "refused";
}

test("an event that is refused leaves nothing in the batch", () => {
  fc.assert(
    fc.property(events, (all) => {
      const [mixed, clean] = [new BatchBuilder(12), new BatchBuilder(12)];
      const fates = takeAll(mixed, all);
      takeAll(
        clean,
        all.filter((_, index) => typeof fates[index] === "string"),
      );
      expect(mixed.byteLength).toBe(clean.byteLength);
      expect(toBinary(EventBatchSchema, mixed.take())).toEqual(toBinary(EventBatchSchema, clean.take()));
    }),
    { numRuns: 200 },
  );
});

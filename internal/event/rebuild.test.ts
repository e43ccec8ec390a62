import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { PlainColumns } from "../event-schema/plain.ts";
import type { EventBatch } from "../gen/footfall/event/v1/batch_pb.js";
import { BatchBuilder, type Row } from "./batch-builder.ts";
import { checkBatch } from "./batch-check.ts";
import { BatchView } from "./batch-view.ts";
import { appendRows, readProperties, writeProperties } from "./plain-columns.ts";
import { valuesOf } from "./property-value.ts";
import { rebuildBatch } from "./rebuild.ts";
import { differingField } from "./same-events.ts";
import { newBatchId, seal } from "./seal.ts";
import { anyRow } from "./testing/random-rows.ts";
import { viewRows } from "./testing/view-rows.ts";

function batchOf(rows: readonly Row[]): EventBatch {
  const builder = new BatchBuilder(rows.length);
  for (const row of rows) builder.add(row);
  return builder.take();
}

/** Every column is made at its first use. */
function emptyColumns(): PlainColumns {
  const columns: Record<string, unknown[]> = {};
  return new Proxy(columns, {
    get: (target, name: string) => {
      target[name] ??= [];
      return target[name];
    },
  }) as unknown as PlainColumns;
}

const someRows = fc.array(anyRow, { minLength: 1, maxLength: 8 });

test("batches come out of plain columns as they went in, several in one set of columns", () => {
  const check = (all: Row[][]) => {
    const columns = emptyColumns();
    const batches = all.map((rows) => ({ id: newBatchId(), rows, batch: batchOf(rows) }));
    for (const { id, batch } of batches) appendRows(new BatchView(id, batch), columns);
    let first = 0;
    for (const { id, rows, batch } of batches) {
      const again = rebuildBatch(columns, id, { first, rows: rows.length });
      expect(viewRows(new BatchView(id, again))).toEqual(viewRows(new BatchView(id, batch)));
      expect(differingField(new BatchView(id, batch), new BatchView(id, again))).toBeUndefined();
      const options = { partition: 0, collectorId: "c", codec: 1, closedTime: 0, batchId: id };
      expect(checkBatch(seal(again, options), again, 1)).toBeUndefined();
      first += rows.length;
    }
  };
  fc.assert(fc.property(fc.array(someRows, { minLength: 1, maxLength: 3 }), check), { numRuns: 150 });
});

test("ids that were derived from the batch's are derived again, not given", () => {
  const rows = fc.sample(anyRow, 3).map((row) => ({ ...row, eventId: undefined }));
  const [id, batch] = [newBatchId(), batchOf(rows)];
  const columns = emptyColumns();
  appendRows(new BatchView(id, batch), columns);
  expect(columns.eventId.length).toBe(3);
  expect(rebuildBatch(columns, id, { first: 0, rows: 3 }).eventId).toHaveLength(0);
});

describe("a difference in any field is found", () => {
  const full = fc.sample(
    anyRow.filter(
      ({ event }) => event.order !== undefined && event.items.length > 0 && event.refund === undefined,
    ),
    { numRuns: 1, seed: 7 },
  )[0]!;
  const id = newBatchId();
  const view = (row: Row) => new BatchView(id, batchOf([row]));
  const event = (fields: Partial<Row["event"]>) => ({ ...full, event: { ...full.event, ...fields } });
  const changes: [string, Row][] = [
    ["merchantId", { ...full, merchantId: full.merchantId === 1 ? 2 : 1 }],
    ["eventId", { ...full, eventId: new Uint8Array(16).fill(9) }],
    ["receivedTime", { ...full, receivedTime: full.receivedTime === 5 ? 6 : 5 }],
    ["clientTime", { ...full, clientTime: full.clientTime === 5 ? 6 : 5 }],
    ["sentTime", { ...full, sentTime: full.sentTime === 5 ? 6 : 5 }],
    ...(["name", "visitorId", "sessionId", "url", "referrer", "userAgent", "ip", "language"] as const).map(
      (name): [string, Row] => [name, event({ [name]: `${full.event[name]}x` })],
    ),
    ["title", event({ title: `${full.event.title}x` })],
    ["passive", event({ passive: !full.event.passive })],
    ["properties", event({ properties: { ...full.event.properties, ...valuesOf({ more: 1.5 }) } })],
    [
      "orders",
      event({ order: { ...full.event.order!, costMicros: (full.event.order!.costMicros ?? -1n) + 1n } }),
    ],
    [
      "items",
      event({ items: full.event.items.map((one) => ({ ...one, listPosition: one.listPosition ^ 1 })) }),
    ],
    ["properties", event({ properties: { ...full.event.properties, ...valuesOf({ more: "" }) } })],
    ["orders", event({ order: { ...full.event.order!, coupon: `${full.event.order!.coupon}x` } })],
    ["orders", event({ order: { ...full.event.order!, taxMicros: full.event.order!.taxMicros + 1n } })],
    ["items", event({ items: full.event.items.slice(1) })],
    ["items", event({ items: full.event.items.map((item) => ({ ...item, brand: `${item.brand}x` })) })],
    ["items", event({ items: full.event.items.map((item) => ({ ...item, priceMicros: 3n })) })],
  ];
  test.each(changes)("%s", (field, row) => expect(differingField(view(full), view(row))).toBe(field));

  test("and none where there is none", () => expect(differingField(view(full), view(full))).toBeUndefined());
});

test("properties keep their order, and a key that comes twice", () => {
  const text = fc.string({ unit: "binary", maxLength: 10 }).filter((value) => value.isWellFormed());
  const value = fc.oneof(
    text,
    fc.boolean(),
    fc.double({ noNaN: true, noDefaultInfinity: true }).map((n) => n + 0),
  );
  const pairs = fc.array(fc.tuple(text, value), { maxLength: 6 });
  fc.assert(
    fc.property(pairs, (list) => {
      expect(readProperties(writeProperties(list))).toEqual(list);
    }),
  );
  expect(
    writeProperties([
      ["10", "b"],
      ["2", '"\\'],
      ["10", ""],
    ]),
  ).toBe('{"10":"b","2":"\\"\\\\","10":""}');
  expect(JSON.parse(writeProperties([["a", "\u2028é"]]))).toEqual({ a: "\u2028é" });
});

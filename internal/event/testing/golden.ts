import { readFileSync } from "node:fs";
import { join } from "node:path";
import { create } from "@bufbuild/protobuf";
import { EventSchema } from "../../gen/footfall/event/v1/event_pb.js";
import type { Row } from "../batch-builder.ts";
import { valuesOf } from "../property-value.ts";
import type { PlainOrder, PlainRow } from "./plain-row.ts";

/** What is in a golden file, written by hand. */
export interface Golden {
  readonly batchId: string;
  readonly partition: number;
  readonly partitions: number;
  readonly codec: "NONE" | "ZSTD";
  readonly collectorId: string;
  readonly closedTimeMs: number;
  readonly rows: readonly PlainRow[];
}

const FOLDER = join(import.meta.dirname, "../testdata");

export function readGolden(name: string): Golden {
  const text = readFileSync(join(FOLDER, `${name}.json`), "utf8");
  return JSON.parse(text, (key, value) => (key.endsWith("Micros") ? BigInt(value) : value));
}

export function goldenBytes(name: string): Uint8Array {
  return readFileSync(join(FOLDER, `${name}.bin`));
}

export function idFromText(uuid: string): Uint8Array {
  return Buffer.from(uuid.replaceAll("-", ""), "hex");
}

/** The golden rows as the builder takes them. An id that begins as the batch's does is derived. */
export function rowsOf({ batchId, rows }: Golden): Row[] {
  return rows.map((row): Row => {
    const { eventId, merchantId, receivedTime, clientTime, sentTime = 0, ...rest } = row;
    const {
      screenWidth,
      screenHeight,
      properties,
      order,
      items,
      activeMs,
      scrollPercent,
      passive,
      ...texts
    } = rest;
    const event = create(EventSchema, {
      ...texts,
      ...(screenWidth && screenHeight ? { screen: { width: screenWidth, height: screenHeight } } : {}),
      properties: valuesOf(properties ?? {}),
      passive: passive === 1,
      ...(activeMs || scrollPercent
        ? { engagement: { activeMs: activeMs ?? 0, scrollPercent: scrollPercent ?? 0 } }
        : {}),
      ...(order ? eventOrder(order) : {}),
      items: (items ?? []).map((item) => withCost(item)),
    });
    const given = eventId.slice(0, 28) === batchId.slice(0, 28) ? undefined : idFromText(eventId);
    return { merchantId, event, eventId: given, receivedTime, clientTime, sentTime };
  });
}

/** What a batch holds as micros plus one, as messages have it. */
function withCost<T extends { costMicros?: bigint }>({ costMicros, ...rest }: T) {
  return costMicros === undefined ? rest : { ...rest, costMicros: costMicros - 1n };
}

/** The order of an event, or the refund of one beside what only an order has. */
function eventOrder({ isRefund, refundId = "", ...plain }: PlainOrder) {
  const order = withCost(plain);
  if (isRefund === undefined) return { order };
  const { id, revenueMicros, currency = "", ...rest } = order;
  return { order: rest, refund: { id: refundId, orderId: id, amountMicros: revenueMicros, currency } };
}

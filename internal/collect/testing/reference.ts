import { createHmac } from "node:crypto";
import { type DescField, type DescMessage, fromBinary } from "@bufbuild/protobuf";
import { BinaryReader, WireType } from "@bufbuild/protobuf/wire";
import type { Row } from "../../event/batch-builder.ts";
import { eventIdBytes } from "../../event/event-id.ts";
import { RejectReason } from "../../gen/footfall/collect/v1/collect_pb.js";
import { EventSchema, ValueSchema } from "../../gen/footfall/event/v1/event_pb.js";
import { redact } from "../privacy/redact.ts";
import type { EventContext } from "../take-event.ts";
import { refundFirst } from "./check-commerce.ts";
import { checkEvent, timestampToMs } from "./check-event.ts";

/**
 * A second reader of events, by protobuf-es and rules over its messages, that shares nothing with the product's
 * reader of bytes. @returns the row; or the reason for which the event is refused; "odd": it is taken, and something in it
 * changed; "no UTF-8": protobuf-es does not read it.
 */
export function referenceRow(
  bytes: Uint8Array,
  merchantId: number,
  {
    receivedTime,
    sentTime,
    retentionDays,
    truncateIp,
    visitorKey,
    defaults,
  }: Omit<EventContext, "adjustments">,
): Row | RejectReason | "odd" | "no UTF-8" {
  try {
    walk(new BinaryReader(bytes), EventSchema, bytes.length);
  } catch {
    return RejectReason.MALFORMED;
  }
  let event: Row["event"];
  try {
    event = fromBinary(EventSchema, bytes, { readUnknownFields: false });
  } catch {
    return "no UTF-8";
  }
  event.ip ||= Buffer.from(defaults.ip).toString();
  event.userAgent ||= Buffer.from(defaults.userAgent).toString();
  const eventId = event.eventId === "" ? undefined : eventIdBytes(event.eventId);
  event = refundFirst(event);
  const found = checkEvent(event, { receivedTime, retentionDays, eventId });
  if (found !== undefined) return found;
  const isDenied = event.consent === 2;
  if ((truncateIp || isDenied) && event.ip !== "") event.ip = truncated(event.ip);
  const stored = (id: string) => {
    if (isDenied || !isGuessable(id)) return isDenied ? "" : id;
    return `hmac:${createHmac("sha256", visitorKey).update(id).digest("hex").slice(0, 32)}`;
  };
  event.visitorId = stored(event.visitorId);
  event.userId = stored(event.userId);
  if (event.order !== undefined) event.order.customerId = stored(event.order.customerId);
  if (isDenied) event.sessionId = "";
  // What is taken out of addresses has tests of its own.
  event.url = redact(event.url);
  event.referrer = redact(event.referrer);
  const clientTime = event.clientTime === undefined ? receivedTime : timestampToMs(event.clientTime);
  return { merchantId, event, eventId, receivedTime, clientTime, sentTime };
}

function isGuessable(id: string): boolean {
  const turns = id.match(/(?<=[a-z])\d|(?<=\d)[a-z]/gi) ?? [];
  const isRandom =
    /^[0-9a-f-]{32,}$/i.test(id) ||
    (id.length >= 16 && turns.length >= 3) ||
    id.replace(/\D/g, "").length > 18;
  return id !== "" && (id.includes("@") || !isRandom);
}

/** The first 24 or 48 bits of an address, by the platform's own parser. */
function truncated(ip: string): string {
  const hex = (text: string) => text.slice(1, -1).replace(/^::ffff:/, "");
  const plain = ip.includes(":") ? hex(new URL(`http://[${ip}]`).hostname) : ip;
  if (plain.includes(".")) return plain.replace(/\d+$/, "0");
  const mapped = /^([0-9a-f]{1,4}):[0-9a-f]{1,4}$/.exec(plain);
  if (mapped !== null) {
    const high = Number.parseInt(mapped[1]!, 16);
    const low = Number.parseInt(plain.split(":")[1]!, 16);
    return `${high >> 8}.${high & 0xff}.${low >> 8}.0`;
  }
  const [head = ""] = plain.split("::");
  const network = [...head.split(":"), "0", "0", "0"].slice(0, 3).join(":");
  return `${network.replace(/(^|:)0*(:0)*$/, "")}::`;
}

/** What protobuf-es lets pass and the collector does not: wrong wire types, groups, fields beyond their message. */
function walk(reader: BinaryReader, desc: DescMessage, end: number): void {
  while (reader.pos < end) {
    const [number, wireType] = reader.tag();
    const field = desc.fields.find((field) => field.number === number);
    if (wireType === WireType.StartGroup || wireType === WireType.EndGroup) throw new Error("group");
    if (field === undefined) skip(reader, wireType);
    else walkField(reader, field, wireType);
    if (reader.pos > end) throw new Error("beyond the end");
  }
}

/** protobuf-es passes over a varint of any length. */
function skip(reader: BinaryReader, wireType: WireType): void {
  if (wireType === WireType.Varint) reader.uint64();
  else reader.skip(wireType);
}

function walkField(reader: BinaryReader, field: DescField, wireType: WireType): void {
  const { message } = field;
  if (field.scalar === 1) {
    if (wireType !== WireType.Bit64) throw new Error("wire type");
    reader.fixed64();
    return;
  }
  const isNumber = field.fieldKind === "enum" || (field.fieldKind === "scalar" && field.scalar !== 9);
  if (wireType !== (isNumber ? WireType.Varint : WireType.LengthDelimited)) throw new Error("wire type");
  if (isNumber) {
    reader.uint64();
    return;
  }
  const end = reader.uint32() + reader.pos;
  if (end > reader.len) throw new Error("beyond the end");
  if (field.fieldKind === "map") walkEntry(reader, end);
  else if (message !== undefined) walk(reader, message, end);
  reader.pos = end;
}

function walkEntry(reader: BinaryReader, end: number): void {
  while (reader.pos < end) {
    const [number, wireType] = reader.tag();
    if (wireType === WireType.StartGroup || wireType === WireType.EndGroup) throw new Error("group");
    if (number <= 2 && wireType !== WireType.LengthDelimited) throw new Error("wire type");
    if (number === 2) {
      const until = reader.uint32() + reader.pos;
      if (until > end) throw new Error("beyond the end");
      walk(reader, ValueSchema, until);
    } else skip(reader, wireType);
    if (reader.pos > end) throw new Error("beyond the end");
  }
}

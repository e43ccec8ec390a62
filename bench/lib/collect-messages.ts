import { create, toBinary } from "@bufbuild/protobuf";
import { StreamRequestSchema } from "../../internal/gen/footfall/collect/v1/collect_pb.js";
import { liveTraffic } from "../../internal/simulate/traffic.ts";

/** Events of a message. */
export const EVENTS = 500;

/** Bytes of a UUID as it is written. */
const ID_LENGTH = 36;

/** A StreamRequest as bytes, and where its events' ids stand. */
export interface Message {
  readonly bytes: Buffer;
  readonly idsAt: readonly number[];
}

/** Encoded messages of one simulated shop with all that shops send. @param size events of each. */
export function messagesOf(shop: number, count: number, size = EVENTS): Message[] {
  const traffic = liveTraffic({ seed: shop + 1, merchants: 1, batch: size, run: 1 });
  return Array.from({ length: count }, () => {
    const events = [];
    while (events.length < size) events.push(...(traffic.nextRequest(Date.now())?.events ?? []));
    const request = create(StreamRequestSchema, { events: events.slice(0, size) });
    const bytes = Buffer.from(toBinary(StreamRequestSchema, request));
    return { bytes, idsAt: request.events.map(({ eventId }) => bytes.indexOf(eventId)) };
  });
}

/** Bytes of a UUIDv7 that stay the same in this process: variant, and random bits that tell processes apart. */
const SALT = Math.floor(Math.random() * 2 ** 32)
  .toString(16)
  .padStart(8, "0");

let made = 0;

/**
 * The message under a sequence, with event ids that were never sent before: UUIDv7s of this millisecond, each
 * with a number of its own.
 */
export function freshMessage({ bytes, idsAt }: Message, sequence: number): Buffer {
  // Field 3, a varint of four bytes: enough for 2^28 messages.
  const fresh = Buffer.allocUnsafe(bytes.length + 5);
  bytes.copy(fresh);
  fresh[bytes.length] = 3 << 3;
  for (let i = 0; i < 4; i++)
    fresh[bytes.length + 1 + i] = ((sequence >>> (7 * i)) & 0x7f) | (i < 3 ? 0x80 : 0);
  const time = Date.now().toString(16).padStart(12, "0");
  const head = `${time.slice(0, 8)}-${time.slice(8)}-7${SALT.slice(0, 3)}-8${SALT.slice(3, 6)}-`;
  const id = Buffer.from(head.padEnd(ID_LENGTH, "0"));
  for (const at of idsAt) {
    writeHex(id, ID_LENGTH - 8, made++);
    id.copy(fresh, at);
  }
  return fresh;
}

const DIGITS = Buffer.from("0123456789abcdef");

/** Eight hexadecimal digits of a number. */
function writeHex(target: Buffer, at: number, value: number): void {
  for (let i = 0; i < 8; i++) target[at + i] = DIGITS[(value >>> (28 - 4 * i)) & 15]!;
}

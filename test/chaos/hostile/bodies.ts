import { gzipSync } from "node:zlib";
import type { Random } from "../../../internal/simulate/random.ts";

/** Bytes of JSON or protobuf that the collector takes at most in one request. */
const LARGEST = 8 << 20;

/** A field of protobuf with a length: fewer than 2^14 bytes in it, and a number below 16. */
function field(number: number, content: Buffer): Buffer {
  const length =
    content.length < 128 ? [content.length] : [(content.length & 127) | 128, content.length >> 7];
  return Buffer.concat([Buffer.from([(number << 3) | 2, ...length]), content]);
}

const repeated = (part: Buffer, times: number) => Buffer.concat(Array.from({ length: times }, () => part));

const NAME = field(2, Buffer.from("page_view"));

/** A body of 8 MiB in about 8 KiB: millions of empty events. */
export const EMPTY_EVENTS = {
  json: gzipSync(`{"events":[${"{},".repeat(LARGEST / 3 - 10)}{}]}`),
  binary: gzipSync(repeated(field(1, Buffer.alloc(0)), LARGEST / 2)),
};

/** 129 events that are refused, each of 8,000 empty properties or items. */
export const CROWDED_EVENTS = [12, 14].map((number) => {
  const event = Buffer.concat([NAME, repeated(field(number, Buffer.alloc(0)), 8_000)]);
  return gzipSync(repeated(field(1, event), 129));
});

/** Events whose urls are made to be slow to clean: 1,000 of some 100 bytes. */
export function hostileUrls(random: Random): string {
  const piece = random.of([
    "%2540",
    "a@",
    "@a.",
    "?u=http://",
    "eyJ.",
    "4111 ",
    "&email=",
    "%25%34%30",
    "a.b-",
  ]);
  const url = (at: number) => `https://shop.example/${at}?${piece.repeat(20)}`;
  const events = Array.from({ length: 1_000 }, (_, at) => ({ url: url(at), referrer: url(-at) }));
  return JSON.stringify({ events });
}

/** Bytes that are no message, or break off within one. */
export function malformed(random: Random): Buffer {
  if (random.chance(0.5)) return Buffer.from(Array.from({ length: 200 }, () => random.below(256)));
  const whole = repeated(field(1, Buffer.concat([NAME, field(12, Buffer.alloc(30, 10))])), 3);
  return whole.subarray(0, 1 + random.below(whole.length - 1));
}

/** An order whose sums are as large as the fields can hold. */
export function absurdOrder(eventId: string, random: Random): object {
  const most = String(10n ** 18n);
  const item = { id: "sku", priceMicros: most, quantity: random.of([1, 1_000_000, 2_147_483_647]) };
  return {
    eventId,
    name: "purchase",
    visitorId: "hostile",
    order: { id: eventId, currency: "EUR", revenueMicros: most, taxMicros: most },
    items: [item, { ...item, id: "sku-2" }],
  };
}

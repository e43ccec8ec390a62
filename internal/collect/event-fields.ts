import { RejectReason as Reason } from "../gen/footfall/collect/v1/collect_pb.js";
import { Entries } from "./entries.ts";
import {
  ENGAGEMENT,
  EVENT,
  ITEM,
  Kind,
  ORDER,
  PROPERTY,
  REFUND,
  SCREEN,
  type Shape,
  TIMESTAMP,
  Value,
  WORDS,
} from "./event-shape.ts";
import { type Refusal, refuse } from "./refusal.ts";

/** Bytes that are no protobuf message. */
class Unreadable extends Error {}

/** The number of the value in an entry of properties: no other message has a message there. */
const PROPERTY_VALUE = 2;

/** Wire types of the fields of Value, by their numbers. */
const VALUE_WIRE_TYPES: readonly (number | undefined)[] = [undefined, 2, 1, 0];

/** Longest varint, bytes. */
const MAX_VARINT = 10;

/** Most items of an event. */
export const MAX_ITEMS = 200;

/**
 * Most fields of an event, those of its items and properties included: more than any event has that is one (200 items
 * of eight fields), and what a millisecond is enough for.
 */
export const MAX_FIELDS = 10_000;

/** Most entries of properties that are looked at, keys that come again included. */
export const MAX_PROPERTY_ENTRIES = 256;

/**
 * Where the fields of one event stand in its bytes, found in one pass and without an object: an event is read
 * after another into the same arrays.
 *
 * As protobuf has it, fields may come in any order, the last one of a kind counts, a message that comes twice
 * is merged, and unknown fields are passed over. Stricter than some readers: known fields of a wrong wire type,
 * groups, messages whose fields do not end where they end, and more fields than any event has are refused.
 */
export class EventFields {
  /** Two words a field, at the places that event-shape.ts names: start and end of a text, low and high word of
   * a number, 1 and 0 for a message that is there. */
  readonly values = new Int32Array(WORDS);
  readonly properties = new Entries(PROPERTY.words, MAX_PROPERTY_ENTRIES);
  readonly items = new Entries(ITEM.words, MAX_ITEMS);
  readonly refundItems = new Entries(ITEM.words, MAX_ITEMS);
  /** The event's bytes. */
  bytes: Uint8Array = new Uint8Array();
  #at = 0;
  #fields = 0;
  #low = 0;
  #high = 0;

  /** Reads an event. @returns why it cannot be read, or undefined. The bytes must not change while in use. */
  read(bytes: Uint8Array): Refusal | undefined {
    this.bytes = bytes;
    this.values.fill(0);
    this.properties.clear();
    this.items.clear();
    this.refundItems.clear();
    this.#at = 0;
    this.#fields = 0;
    try {
      this.#message(EVENT, this.values, bytes.length);
      return undefined;
    } catch (error) {
      if (!(error instanceof Unreadable)) throw error;
      return refuse(Reason.MALFORMED, `event: ${error.message}`);
    }
  }

  #message({ base, kinds }: Shape, values: Int32Array, end: number, offset = base): void {
    while (this.#at < end) {
      if (++this.#fields > MAX_FIELDS) throw new Unreadable(`more than ${MAX_FIELDS} fields`);
      const tag = this.#tag(end);
      const number = tag >>> 3;
      const kind = number < kinds.length ? kinds[number] : Kind.NONE;
      if (kind === Kind.NONE) {
        this.#skip(tag & 7, end);
        continue;
      }
      if ((tag & 7) !== (kind === Kind.NUMBER || kind === Kind.KNOWN ? 0 : 2)) {
        throw new Unreadable(`field ${number} has wire type ${tag & 7}`);
      }
      const at = offset + 2 * number;
      if (kind === Kind.NUMBER) {
        this.#varint(end);
        values[at] = this.#low;
        values[at + 1] = this.#high;
      } else if (kind === Kind.KNOWN) {
        this.#varint(end);
        const low = (this.#low + 1) | 0;
        values[at] = low;
        values[at + 1] = low === 0 ? (this.#high + 1) | 0 : this.#high;
      } else if (kind === Kind.TEXT) {
        const length = this.#length(end);
        values[at] = this.#at;
        this.#at += length;
        values[at + 1] = this.#at;
      } else {
        const length = this.#length(end);
        if (number === PROPERTY_VALUE) this.#value(values, offset, this.#at + length);
        else {
          values[at] = 1;
          this.#inner(number, this.#at + length);
        }
      }
    }
  }

  /** A message within the event, or, number 5, within its refund. */
  #inner(number: number, end: number): void {
    if (number === 3) this.#message(TIMESTAMP, this.values, end);
    else if (number === 11) this.#message(SCREEN, this.values, end);
    else if (number === 13) this.#message(ORDER, this.values, end);
    else if (number === 24) this.#message(REFUND, this.values, end);
    else if (number === 19) this.#message(ENGAGEMENT, this.values, end);
    else if (number === 12) this.#entry(PROPERTY, this.properties, end);
    else this.#entry(ITEM, number === 14 ? this.items : this.refundItems, end);
  }

  /** A property's value: of its kinds the last one counts. */
  #value(values: Int32Array, offset: number, end: number): void {
    const at = offset + 2 * PROPERTY_VALUE;
    while (this.#at < end) {
      if (++this.#fields > MAX_FIELDS) throw new Unreadable(`more than ${MAX_FIELDS} fields`);
      const tag = this.#tag(end);
      const number = tag >>> 3;
      const wireType = VALUE_WIRE_TYPES[number];
      if (wireType === undefined) {
        this.#skip(tag & 7, end);
        continue;
      }
      if (wireType !== (tag & 7)) throw new Unreadable(`field ${number} has wire type ${tag & 7}`);
      values[offset] = number;
      if (number === Value.TEXT) {
        const length = this.#length(end);
        values[at] = this.#at;
        this.#at += length;
        values[at + 1] = this.#at;
      } else if (number === Value.NUMBER) {
        if (this.#at + 8 > end) throw new Unreadable("ends within a field");
        values[at] = this.#word(this.#at);
        values[at + 1] = this.#word(this.#at + 4);
        this.#at += 8;
      } else {
        this.#varint(end);
        values[at] = this.#low | this.#high;
      }
    }
  }

  /** Four bytes, little-endian. */
  #word(at: number): number {
    const { bytes } = this;
    return bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
  }

  #entry(shape: Shape, entries: Entries, end: number): void {
    const offset = entries.add();
    // What is not kept is not looked at.
    if (offset < 0) this.#at = end;
    else this.#message(shape, entries.values, end, offset);
  }

  #tag(end: number): number {
    const start = this.#at;
    const byte = this.bytes[start]!;
    // Nearly all tags and lengths are one byte.
    if (byte < 0x80 && byte >= 8) {
      this.#at = start + 1;
      return byte;
    }
    this.#varint(end);
    const tag = this.#low >>> 0;
    if (tag < 8 || this.#high !== 0 || this.#at - start > 5) throw new Unreadable("a tag is out of range");
    return tag;
  }

  /** Of something with a length in front, which must end before its message does. */
  #length(end: number): number {
    let length = this.#at < end ? this.bytes[this.#at]! : 0x80;
    if (length < 0x80) this.#at++;
    else {
      this.#varint(end);
      length = this.#low >>> 0;
    }
    if (length > end - this.#at) throw new Unreadable(`${length} bytes, only ${end - this.#at} are left`);
    return length;
  }

  #skip(wireType: number, end: number): void {
    if (wireType === 0) this.#varint(end);
    else if (wireType === 1) this.#at += 8;
    else if (wireType === 2) {
      const length = this.#length(end);
      this.#at += length;
    } else if (wireType === 5) this.#at += 4;
    else throw new Unreadable(`wire type ${wireType} is not taken`);
    if (this.#at > end) throw new Unreadable("ends within a field");
  }

  /** Reads a varint into the low and high word. */
  #varint(end: number): void {
    const { bytes } = this;
    const start = this.#at;
    let low = 0;
    let high = 0;
    for (let at = start; at < end && at < start + MAX_VARINT; at++) {
      const byte = bytes[at]!;
      const shift = 7 * (at - start);
      if (shift < 32) low |= (byte & 0x7f) << shift;
      if (shift > 28) high |= (byte & 0x7f) << (shift - 32);
      else if (shift === 28) high = (byte & 0x70) >> 4;
      if (byte < 0x80) {
        this.#at = at + 1;
        this.#low = low;
        this.#high = high;
        return;
      }
    }
    throw new Unreadable("a varint does not end");
  }
}

/** A number of 64 bits with sign, of the two words at a place; beyond 2^53 rounded. */
export function signed(values: Int32Array, at: number): number {
  return values[at + 1]! * 0x1_0000_0000 + (values[at]! >>> 0);
}

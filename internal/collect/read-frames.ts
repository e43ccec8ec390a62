import { create, mergeFromBinary } from "@bufbuild/protobuf";
import { BinaryReader, WireType } from "@bufbuild/protobuf/wire";
import { type Timestamp, TimestampSchema } from "@bufbuild/protobuf/wkt";
import { isTurnOver, nextTurn } from "../lifecycle/turns.ts";
import { orInvalid } from "../rpc/decode.ts";
import { MAX_EVENTS } from "./max-events.ts";
import type { CountedRequest } from "./request.ts";

/** Field numbers of SendRequest and StreamRequest. */
const EVENTS = 1;
const SENT_TIME = 2;
const SEQUENCE = 3;
const EVENT_TAG = (EVENTS << 3) | WireType.LengthDelimited;

/** Most fields of a request that are no events: a client needs one or two. */
const MAX_OTHER_FIELDS = 1_000;

/** Its two fields take half of it. */
const MAX_TIMESTAMP_BYTES = 64;

/** Events that are too many are passed over in stretches of so many, between which others may have their turn. */
const STRIDE = 65_536;

/**
 * Finds the events of a SendRequest or StreamRequest in protobuf, each of which stays as it came, so that one that
 * cannot be decoded costs none of the others. Nothing is made of events that are too many.
 * @param isStream whether the sequence is needed, which stands behind them.
 * @throws Failure invalid for what is no message.
 */
export async function readFrames(bytes: Uint8Array, isStream: boolean): Promise<CountedRequest> {
  const frames = new Frames(bytes);
  while (orInvalid(() => frames.walk(isStream))) if (isTurnOver()) await nextTurn();
  return frames;
}

/** The fields of a request, as they are found. */
class Frames implements CountedRequest {
  sentTime: Timestamp | undefined;
  sequence = 0n;
  readonly #bytes: Uint8Array;
  readonly #reader: BinaryReader;
  readonly #events: Uint8Array[] = [];
  #others = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#reader = new BinaryReader(bytes);
  }

  get count(): number {
    return this.#events.length;
  }

  read(index: number): Uint8Array {
    return this.#events[index]!;
  }

  forget(): void {
    this.#events.length = 0;
  }

  /** Walks on. @returns whether there is more. @throws Error for what is no message. */
  walk(isStream: boolean): boolean {
    const reader = this.#reader;
    while (reader.pos < reader.len) {
      if (this.count > MAX_EVENTS) {
        if (!isStream) return false;
        if (skipEvents(reader, this.#bytes)) return true;
        if (reader.pos === reader.len) return false;
      }
      const [number, wireType] = reader.tag();
      if (number === EVENTS) {
        expectType(number, wireType, WireType.LengthDelimited);
        this.#events.push(reader.bytes());
      } else this.#other(number, wireType);
    }
    return false;
  }

  #other(number: number, wireType: WireType): void {
    const reader = this.#reader;
    if (++this.#others > MAX_OTHER_FIELDS) {
      throw new Error(`more than ${MAX_OTHER_FIELDS} fields beside the events`);
    }
    if (number === SENT_TIME) {
      expectType(number, wireType, WireType.LengthDelimited);
      this.sentTime = merged(this.sentTime, reader.bytes());
    } else if (number === SEQUENCE) {
      expectType(number, wireType, WireType.Varint);
      this.sequence = BigInt(reader.uint64());
    } else {
      // A group may hold any number of fields.
      if (wireType === WireType.StartGroup) throw new Error(`field ${number}: groups are not taken`);
      reader.skip(wireType, number);
    }
  }
}

/** Passes over events that follow one another. @returns whether there may be more of them. */
function skipEvents(reader: BinaryReader, bytes: Uint8Array): boolean {
  for (let count = 0; count < STRIDE; count++) {
    if (reader.pos === reader.len || bytes[reader.pos] !== EVENT_TAG) return false;
    reader.pos++;
    const length = reader.uint32();
    reader.pos += length;
    if (reader.pos > reader.len) throw new Error("ends within an event");
  }
  return true;
}

/** A message that comes twice is merged. */
function merged(before: Timestamp = create(TimestampSchema), bytes: Uint8Array): Timestamp {
  if (bytes.length > MAX_TIMESTAMP_BYTES) throw new Error(`sent_time: ${bytes.length} bytes`);
  return mergeFromBinary(TimestampSchema, before, bytes, { readUnknownFields: false });
}

function expectType(number: number, given: WireType, wanted: WireType): void {
  if (given !== wanted) throw new Error(`field ${number} has wire type ${given}`);
}

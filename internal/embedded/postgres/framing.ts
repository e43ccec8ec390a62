/** One message of the frontend protocol: its type byte and its whole wire image, type and length included. */
export interface Frame {
  readonly type: number;
  readonly bytes: Buffer;
}

/** The client broke the protocol's framing; the stream cannot be read any further. */
export class FramingError extends Error {
  override name = "FramingError";
}

/** Postgres refuses allocations from 1 GiB on (MaxAllocSize), so no longer message can mean anything. */
export const MAX_FRAME_BYTES = 1 << 30;

/** The first packet of a connection: a code, a few names and values. Postgres has the same limit. */
const MAX_STARTUP_BYTES = 10_000;

/**
 * Splits a byte stream, cut anywhere by TCP, into protocol messages. The startup packet has no type byte and
 * is asked for separately. Chunks are kept as they came and joined once per message, so a message of many
 * megabytes costs one copy.
 */
export class FrameReader {
  readonly #maxFrameBytes: number;
  #chunks: Buffer[] = [];
  /** Bytes of the first chunk that are used up. */
  #offset = 0;
  #length = 0;

  constructor(maxFrameBytes: number = MAX_FRAME_BYTES) {
    this.#maxFrameBytes = maxFrameBytes;
  }

  /** Bytes received and not yet taken. */
  get buffered(): number {
    return this.#length;
  }

  push(chunk: Buffer): void {
    if (chunk.length === 0) return;
    this.#chunks.push(chunk);
    this.#length += chunk.length;
  }

  /** The body of a startup-like packet (its 4 length bytes left out), or null until it is complete. */
  nextStartup(): Buffer | null {
    if (this.#length < 4) return null;
    const length = this.#peek(4).readInt32BE(0);
    if (length < 8 || length > MAX_STARTUP_BYTES) {
      throw new FramingError(`invalid length of startup packet: ${length}`);
    }
    return this.#length < length ? null : this.#take(length).subarray(4);
  }

  /** The next message, or null until it is complete. Throws FramingError on an impossible length. */
  next(): Frame | null {
    if (this.#length < 5) return null;
    const length = this.#peek(5).readInt32BE(1);
    if (length < 4 || length > this.#maxFrameBytes) {
      throw new FramingError(`invalid message length: ${length}`);
    }
    if (this.#length < length + 1) return null;
    const bytes = this.#take(length + 1);
    return { type: bytes[0]!, bytes };
  }

  /** A view of the first n bytes; joins chunks only when those bytes straddle them. */
  #peek(n: number): Buffer {
    const first = this.#chunks[0]!;
    if (first.length - this.#offset >= n) return first.subarray(this.#offset, this.#offset + n);
    const head = Buffer.allocUnsafe(n);
    let filled = 0;
    for (let i = 0; filled < n; i++) {
      filled += this.#chunks[i]!.copy(head, filled, i === 0 ? this.#offset : 0);
    }
    return head;
  }

  #take(n: number): Buffer {
    const taken = this.#peek(n);
    this.#length -= n;
    let left = n;
    let used = 0;
    while (left > 0) {
      const available = this.#chunks[used]!.length - this.#offset;
      if (left < available) {
        this.#offset += left;
        break;
      }
      left -= available;
      this.#offset = 0;
      used++;
    }
    // One splice per message: shifting chunk by chunk would be quadratic on a long queue.
    if (used > 0) this.#chunks.splice(0, used);
    return taken;
  }
}

/** A line of a log. */
export interface Line {
  /** Identity of the file: see fileIdentity. */
  readonly file: string;
  /** From 1. */
  readonly number: number;
  /** Byte offset of the line's first byte. */
  readonly offset: number;
  /** Byte offset of the line after it. */
  readonly end: number;
  /** The line without its line end; bytes that are not UTF-8 are U+FFFD. */
  readonly text: string;
  /** Whether the line is longer than 64 KiB: then text holds its beginning only. */
  readonly cut: boolean;
}

/** Longest line that is kept whole, bytes. */
export const MAX_LINE_BYTES = 64 * 1024;

const LF = 0x0a;
const CR = 0x0d;

/** Cuts a file's bytes into lines. Holds one unfinished line at most, and of it 64 KiB at most. */
export class LineSplitter {
  readonly #file: string;
  #number: number;
  #offset: number;
  #held: Buffer[] = [];
  #heldBytes = 0;
  #length = 0;

  /** @param offset of the first byte to come, and `number` of the line that begins there. */
  constructor(file: string, offset: number, number: number) {
    this.#file = file;
    this.#offset = offset;
    this.#number = number;
  }

  /** Bytes of the file that were given to `push`, from its beginning. */
  get position(): number {
    return this.#offset + this.#length;
  }

  /** The lines that `chunk` finishes. The chunk is not kept. */
  push(chunk: Buffer): Line[] {
    const lines: Line[] = [];
    let from = 0;
    for (let at = chunk.indexOf(LF); at >= 0; at = chunk.indexOf(LF, from)) {
      this.#hold(chunk.subarray(from, at));
      lines.push(this.#finish(1));
      from = at + 1;
    }
    if (from < chunk.length) this.#hold(Buffer.from(chunk.subarray(from)));
    return lines;
  }

  /** The last line, when the file ends without a line end. */
  flush(): Line[] {
    return this.#length === 0 ? [] : [this.#finish(0)];
  }

  #hold(piece: Buffer): void {
    this.#length += piece.length;
    const kept = piece.subarray(0, MAX_LINE_BYTES - this.#heldBytes);
    if (kept.length > 0) this.#held.push(kept);
    this.#heldBytes += kept.length;
  }

  #finish(lineEndBytes: number): Line {
    const whole = this.#held.length === 1 ? this.#held[0]! : Buffer.concat(this.#held);
    const length = whole.at(-1) === CR ? whole.length - 1 : whole.length;
    const end = this.#offset + this.#length + lineEndBytes;
    const line: Line = {
      file: this.#file,
      number: this.#number,
      offset: this.#offset,
      end,
      text: whole.toString("utf8", 0, length),
      cut: this.#length > MAX_LINE_BYTES,
    };
    this.#number++;
    this.#offset = end;
    this.#held = [];
    this.#heldBytes = 0;
    this.#length = 0;
    return line;
  }
}

/** Pieces of less are joined with their neighbours, bytes. */
const SMALL = 16 << 10;

/**
 * Bytes that come in pieces and are taken in stretches from the front. Whoever sends them one by one costs little more
 * than others: small pieces are joined with equals, so that a byte is copied at most log2(SMALL) times.
 */
export class Pieces {
  readonly #pieces: Uint8Array[] = [];
  #length = 0;

  get length(): number {
    return this.#length;
  }

  add(piece: Uint8Array): void {
    if (piece.length === 0) return;
    this.#length += piece.length;
    let last = piece;
    for (let before = this.#pieces.at(-1); before !== undefined; before = this.#pieces.at(-1)) {
      if (last.length >= SMALL || before.length > last.length) break;
      this.#pieces.pop();
      last = Buffer.concat([before, last]);
    }
    this.#pieces.push(last);
  }

  /** So many bytes at the front, of those that are there; they stay there. */
  peek(count: number): Uint8Array {
    if (this.#pieces.length > 0 && this.#pieces[0]!.length < count) this.#join(count);
    return (this.#pieces[0] ?? new Uint8Array()).subarray(0, count);
  }

  /** Takes so many bytes from the front, of those that are there: a stretch of a piece, or a copy of several. */
  take(count: number): Uint8Array {
    const taken = this.peek(count);
    this.#length -= count;
    const first = this.#pieces[0];
    if (first === undefined || first.length === count) this.#pieces.shift();
    else this.#pieces[0] = first.subarray(count);
    return taken;
  }

  /** Joins the first pieces, so that the first one has at least so many bytes; the rest of the last stays one. */
  #join(count: number): void {
    let size = 0;
    let pieces = 0;
    while (size < count) size += this.#pieces[pieces++]!.length;
    const last = this.#pieces[pieces - 1]!;
    const rest = size - count;
    const joined = Buffer.concat(this.#pieces.slice(0, pieces), count);
    const behind = rest === 0 ? [] : [last.subarray(last.length - rest)];
    this.#pieces.splice(0, pieces, joined, ...behind);
  }
}

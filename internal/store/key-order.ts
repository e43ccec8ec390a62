import type { EventColumns } from "./event-columns.ts";

const ID_BYTES = 16;

/** Rows of a batch, of which those with 0 are claimed. */
interface Rows {
  readonly columns: EventColumns;
  readonly duplicates: Uint8Array;
}

/** What a double holds exactly: the place of an id among all, and behind it the number of its row. */
const EXACT = 2 ** 53;

/**
 * The rows whose ids are claimed, nearly in the order of the unique index: those of the epoch, which are a chunk of
 * their own, then those with a time, each by id. Neighbours in a COPY then meet the same pages of the index; anywhere
 * among millions of ids, each costs twice the time. Only which rows are given is exact, not their order.
 * @returns pairs of the number of a claim and a row in it.
 */
export function inIndexOrder(claims: readonly Rows[]): Uint32Array {
  const epoch = new Gathered(claims);
  const timed = new Gathered(claims);
  for (const [number, { columns, duplicates }] of claims.entries()) {
    for (let row = 0; row < columns.rows; row++) {
      const time = columns.keyTimes[row]!;
      if (Number.isNaN(time) || duplicates[row] === 1) continue;
      (time === 0 ? epoch : timed).add(columns.eventIds, number, row);
    }
  }
  const ordered = new Uint32Array(2 * (epoch.count + timed.count));
  epoch.writeSorted(ordered, 0);
  timed.writeSorted(ordered, 2 * epoch.count);
  return ordered;
}

class Gathered {
  count = 0;
  readonly #rows: Uint32Array;
  readonly #places: Float64Array;
  /** What all places are counted from, so that their fractions keep many bits. */
  #base = 0;

  constructor(claims: readonly Rows[]) {
    const most = claims.reduce((sum, { columns }) => sum + columns.rows, 0);
    this.#rows = new Uint32Array(2 * most);
    this.#places = new Float64Array(most);
  }

  add(ids: Uint8Array, claim: number, row: number): void {
    const at = this.count++;
    this.#rows[2 * at] = claim;
    this.#rows[2 * at + 1] = row;
    const start = row * ID_BYTES;
    const head = headOf(ids, start);
    if (at === 0) this.#base = head;
    this.#places[at] = head - this.#base + fractionOf(ids, start);
  }

  /** Sorts numbers alone, many times as quick as comparing rows: each is an id's place, and its row's number behind it. */
  writeSorted(to: Uint32Array, offset: number): void {
    const { count } = this;
    const places = this.#places.subarray(0, count);
    const first = places.reduce((least, place) => Math.min(least, place), Number.POSITIVE_INFINITY);
    const last = places.reduce((most, place) => Math.max(most, place), Number.NEGATIVE_INFINITY);
    const steps = Math.floor(EXACT / (count + 1)) - 1;
    const scale = last > first ? steps / (last - first) : 0;
    for (let at = 0; at < count; at++) places[at] = Math.floor((places[at]! - first) * scale) * count + at;
    places.sort();
    for (let at = 0; at < count; at++) {
      const from = 2 * (places[at]! % count);
      to[offset + 2 * at] = this.#rows[from]!;
      to[offset + 2 * at + 1] = this.#rows[from + 1]!;
    }
  }
}

/** The first 48 bits of an id, which are its time in a UUIDv7. */
function headOf(ids: Uint8Array, start: number): number {
  let head = 0;
  for (let i = 0; i < 6; i++) head = head * 256 + ids[start + i]!;
  return head;
}

/** The next 26 bits that are not version or variant, as a fraction of one. */
function fractionOf(ids: Uint8Array, start: number): number {
  const high = ((ids[start + 6]! & 0x0f) << 8) | ids[start + 7]!;
  const low = ((ids[start + 8]! & 0x3f) << 8) | ids[start + 9]!;
  return (high * 2 ** 14 + low) / 2 ** 26;
}

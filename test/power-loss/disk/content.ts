import { closeSync, constants, ftruncateSync, openSync, readFileSync, writeSync } from "node:fs";

const PAGE_BYTES = 4_096;

/** A file's bytes: as programs see them in memory, and as they were at the last fsync in a file that outlives this. */
export class Content {
  readonly #path: string;
  #bytes: Buffer;
  #size: number;
  /** Pages that were written since the last fsync. */
  readonly #dirty = new Set<number>();
  /** The smallest size since the last fsync: behind it the durable file holds what was cut off. */
  #smallest: number;

  /** @param path of the durable bytes; a file without any is empty. */
  constructor(path: string) {
    this.#path = path;
    this.#bytes = readIfThere(path);
    this.#size = this.#bytes.length;
    this.#smallest = this.#size;
  }

  get size(): number {
    return this.#size;
  }

  read(offset: number, length: number): Buffer {
    return this.#bytes.subarray(Math.min(offset, this.#size), Math.min(offset + length, this.#size));
  }

  write(offset: number, bytes: Buffer): void {
    const end = offset + bytes.length;
    this.#reserve(end);
    bytes.copy(this.#bytes, offset);
    this.#size = Math.max(this.#size, end);
    const last = Math.floor((end - 1) / PAGE_BYTES);
    for (let page = Math.floor(offset / PAGE_BYTES); page <= last; page++) this.#dirty.add(page);
  }

  truncate(size: number): void {
    this.#reserve(size);
    if (size < this.#size) this.#bytes.fill(0, size, this.#size);
    this.#size = size;
    this.#smallest = Math.min(this.#smallest, size);
  }

  /** Makes all of it durable. */
  sync(): void {
    this.#flush([...this.#dirty].sort((a, b) => a - b));
    this.#dirty.clear();
  }

  /** Makes the pages of a range durable, and no others: what a kernel may do at any moment by itself. */
  writeBack(offset: number, length: number): void {
    const last = Math.floor((offset + length - 1) / PAGE_BYTES);
    const pages: number[] = [];
    for (let page = Math.floor(offset / PAGE_BYTES); page <= last; page++) {
      if (this.#dirty.delete(page)) pages.push(page);
    }
    this.#flush(pages);
  }

  #flush(pages: readonly number[]): void {
    const file = openSync(this.#path, constants.O_WRONLY | constants.O_CREAT);
    try {
      ftruncateSync(file, this.#smallest);
      for (const [first, last] of runs(pages)) {
        const start = first * PAGE_BYTES;
        const end = Math.min((last + 1) * PAGE_BYTES, this.#size);
        if (end > start) writeSync(file, this.#bytes, start, end - start, start);
      }
      ftruncateSync(file, this.#size);
      this.#smallest = this.#size;
    } finally {
      closeSync(file);
    }
  }

  #reserve(size: number): void {
    if (size <= this.#bytes.length) return;
    const grown = Buffer.alloc(Math.max(size, 2 * this.#bytes.length, PAGE_BYTES));
    this.#bytes.copy(grown, 0, 0, this.#size);
    this.#bytes = grown;
  }
}

function readIfThere(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return Buffer.alloc(0);
    throw error;
  }
}

/** Consecutive numbers of an ascending list, as first and last of each run. */
function runs(numbers: readonly number[]): [number, number][] {
  const found: [number, number][] = [];
  for (const number of numbers) {
    const run = found.at(-1);
    if (run !== undefined && run[1] === number - 1) run[1] = number;
    else found.push([number, number]);
  }
  return found;
}

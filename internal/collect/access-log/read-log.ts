import { type FileHandle, open, stat } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { fileIdentity } from "./file-identity.ts";
import { type Line, LineSplitter } from "./line-splitter.ts";
import { readStream, streamOf } from "./read-stream.ts";

export type { Line } from "./line-splitter.ts";

/** Where to go on: `file`, `end` and `number` of the last line that was dealt with. */
export type LogMark = Pick<Line, "file" | "end" | "number">;

export interface ReadOptions {
  /** Go on when the log grows, is rotated or truncated, until `signal` is aborted. Default false. */
  readonly follow?: boolean;
  /** Ends the reading, without an error, after the lines in hand. */
  readonly signal?: AbortSignal;
  /** Go on after this line. Ignored when the log is another one by now: it is then read from its beginning. */
  readonly from?: LogMark;
  /** How often a followed log is looked at, milliseconds. Default 250. */
  readonly pollMs?: number;
  /**
   * How long a renamed log must be quiet before the new one is begun, milliseconds: servers write to the old
   * one until they are told to open their logs again. Default 5,000.
   */
  readonly quietMs?: number;
}

/** How much is read at once, bytes; with one unfinished line it bounds the memory. */
const CHUNK_BYTES = 64 * 1024;

/**
 * Reads a log in chunks of lines, in order; never an empty chunk.
 *
 * An unfinished last line is given at the end; in follow mode it is held until it is finished, or until the
 * log is rotated. A followed log may be renamed away (the old file is read to its end, and then the new one of
 * the same path), or be copied and truncated (what the copy took with it before it was read is not seen).
 * A path of "-" is standard input, and a gzip file is read as what it holds; neither is followed.
 * @throws when the file cannot be opened or read; in follow mode a file that is absent is waited for.
 */
export async function* readLog(path: string, options: ReadOptions = {}): AsyncGenerator<Line[]> {
  const { signal } = options;
  const stream = options.follow && path !== "-" ? undefined : await streamOf(path);
  if (stream !== undefined) {
    yield* readStream(stream, signal);
    return;
  }
  let from = options.from;
  do {
    const handle = await openLog(path, options);
    if (handle === undefined) return;
    try {
      yield* new LogReader(path, handle, options).lines(from);
    } finally {
      await handle.close();
    }
    from = undefined;
  } while (options.follow && !signal?.aborted);
}

async function openLog(path: string, { follow, signal, pollMs = 250 }: ReadOptions) {
  while (!signal?.aborted) {
    try {
      return await open(path, "r");
    } catch (error) {
      if (!follow || !isAbsent(error)) throw error;
    }
    await pause(pollMs, signal);
  }
  return undefined;
}

/** Reads one file, until its end or, in follow mode, until another one has taken its place. */
class LogReader {
  readonly #path: string;
  readonly #handle: FileHandle;
  readonly #options: ReadOptions;
  readonly #pollMs: number;
  readonly #quietMs: number;
  readonly #chunk = Buffer.allocUnsafe(CHUNK_BYTES);

  constructor(path: string, handle: FileHandle, options: ReadOptions) {
    this.#path = path;
    this.#handle = handle;
    this.#options = options;
    this.#pollMs = options.pollMs ?? 250;
    this.#quietMs = options.quietMs ?? 5_000;
  }

  async *lines(from: LogMark | undefined): AsyncGenerator<Line[]> {
    const file = await this.#identity();
    if (file === undefined) return;
    const resumed = from?.file === file ? from : undefined;
    const splitter = new LineSplitter(file, resumed?.end ?? 0, (resumed?.number ?? 0) + 1);
    yield* this.#available(splitter, this.#options.follow ? file : undefined);
    if (this.#options.follow) yield* this.#following(splitter, file);
    if (this.#options.signal?.aborted) return;
    const last = splitter.flush();
    if (last.length > 0) yield last;
  }

  /** What is added, until the log is truncated, or is renamed and has been quiet for long enough. */
  async *#following(splitter: LineSplitter, file: string): AsyncGenerator<Line[]> {
    let quietMs = 0;
    while (!this.#options.signal?.aborted) {
      if (await this.#truncated(splitter.position, file)) return;
      const renamed = await this.#renamed();
      const before = splitter.position;
      yield* this.#available(splitter, file);
      quietMs = renamed && splitter.position === before ? quietMs + this.#pollMs : 0;
      if (quietMs > this.#quietMs) return;
      await pause(this.#pollMs, this.#options.signal);
    }
  }

  /** Waits for the first line; undefined when there will be none. */
  async #identity(): Promise<string | undefined> {
    const { follow, signal } = this.#options;
    if (!follow) return fileIdentity(this.#handle, true);
    while (!signal?.aborted) {
      const renamed = await this.#renamed();
      const file = await fileIdentity(this.#handle, renamed);
      if (file !== undefined) return file;
      await pause(this.#pollMs, signal);
    }
    return undefined;
  }

  /**
   * The lines up to the file's end.
   * @param file stops where the file is not this one any more: it was truncated, and what was read at the old
   * position belongs to another log.
   */
  async *#available(splitter: LineSplitter, file?: string): AsyncGenerator<Line[]> {
    while (!this.#options.signal?.aborted) {
      const { bytesRead } = await this.#handle.read(this.#chunk, 0, CHUNK_BYTES, splitter.position);
      if (bytesRead === 0) return;
      if (file !== undefined && (await fileIdentity(this.#handle, true)) !== file) return;
      const lines = splitter.push(this.#chunk.subarray(0, bytesRead));
      if (lines.length > 0) yield lines;
    }
  }

  async #truncated(position: number, file: string): Promise<boolean> {
    const { size } = await this.#handle.stat();
    // A log that was truncated and has grown past the old position since is known by its first line.
    return size < position || (size > position && (await fileIdentity(this.#handle, true)) !== file);
  }

  /** Whether another file has the path by now. While none has, the log is merely on its way. */
  async #renamed(): Promise<boolean> {
    const mine = await this.#handle.stat();
    try {
      const other = await stat(this.#path);
      return other.ino !== mine.ino || other.dev !== mine.dev;
    } catch (error) {
      if (isAbsent(error)) return false;
      throw error;
    }
  }
}

async function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  await sleep(ms, undefined, signal === undefined ? {} : { signal }).catch((error: unknown) => {
    if (!signal?.aborted) throw error;
  });
}

function isAbsent(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ENOENT";
}

import { copyFail, Msg, message } from "./messages.ts";

const GAP = String.raw`(?:\s|--[^\n]*\n|/\*(?:[^*]|\*(?!/))*\*/)*`;
const COPY_FROM_STDIN = new RegExp(String.raw`^${GAP}copy\s[^;']*?\sfrom\s+stdin\b(.*)$`, "is");

/** Bytes of CopyData gathered for one COPY; the whole input waits in memory until CopyDone. */
export const MAX_COPY_BYTES = 1 << 30;

/**
 * Whether a simple query is one `COPY ... FROM STDIN`, and in which format. Only a statement at the very start
 * counts: a COPY behind other statements is not found, and the database then refuses it cleanly.
 */
export function detectCopyFromStdin(sql: string): { binary: boolean } | null {
  const match = COPY_FROM_STDIN.exec(sql.slice(0, 10_000));
  if (!match) return null;
  return { binary: /\bbinary\b/i.test(match[1]!) || /^\s*copy\s+binary\s/i.test(sql) };
}

/**
 * The client's half of one COPY FROM STDIN. The database runs a message from start to end without coming back
 * for more, so its input must be complete before it starts: the query, all CopyData, and the end.
 */
export class CopyInput {
  readonly #query: Buffer;
  readonly #maxBytes: number;
  #data: Buffer[] = [];
  #bytes = 0;

  constructor(query: Buffer, maxBytes: number = MAX_COPY_BYTES) {
    this.#query = query;
    this.#maxBytes = maxBytes;
  }

  /** Adds a CopyData message. Beyond the limit nothing is kept, and the COPY will fail. */
  add(copyData: Buffer): void {
    this.#bytes += copyData.length;
    if (this.#bytes > this.#maxBytes) this.#data = [];
    else this.#data.push(copyData);
  }

  /** The input of the database; `end` is the client's CopyDone or CopyFail message. */
  finish(end: Buffer): Buffer[] {
    if (this.#bytes > this.#maxBytes) {
      const reason = `${this.#bytes} bytes in one COPY, at most ${this.#maxBytes} are taken`;
      return [this.#query, copyFail(reason)];
    }
    return [this.#query, ...this.#data, end];
  }
}

/** What the database is fed when it waits for COPY input that nobody announced; without it the WASM dies. */
export const UNEXPECTED_COPY: Buffer = message(
  Msg.CopyFail,
  "COPY FROM STDIN works only as a simple query of its own here\0",
);

import type { Frame } from "./framing.ts";
import { Msg, message } from "./messages.ts";

/**
 * Gives one connection's prepared statements names of their own, because all connections share one session of
 * the database. Names are replaced, not prefixed: Postgres cuts names at 63 bytes, and a prefix could make two
 * long names equal. Portals keep their names: they end with the transaction, and a connection owns the
 * database for as long as its transaction lasts.
 *
 * The unnamed statement is different: it ends when anybody sends another one. Its text is remembered and
 * parsed again when this connection comes back to it after others had the database.
 */
export class Statements {
  readonly #prefix: string;
  readonly #names = new Map<string, string>();
  #counter = 0;
  #unnamedParse: Buffer | null = null;

  /** @param prefix unique among the connections of one server. */
  constructor(prefix: string) {
    this.#prefix = prefix;
  }

  /** Names inside the database, to be closed when the connection ends. */
  internalNames(): string[] {
    return [...this.#names.values()];
  }

  /** The last Parse of the unnamed statement, if it may still be used. */
  get unnamedParse(): Buffer | null {
    return this.#unnamedParse;
  }

  /** A simple query ends the unnamed statement. */
  forgetUnnamed(): void {
    this.#unnamedParse = null;
  }

  /** Whether the message uses the unnamed statement of an earlier Parse. */
  usesUnnamed(frame: Frame): boolean {
    if (frame.type === Msg.Bind) return cstring(frame.bytes, cstring(frame.bytes, 5).end).text === "";
    return frame.type === Msg.Describe && frame.bytes[5] === 0x53 && frame.bytes[6] === 0;
  }

  /** The message with the statement's name replaced; messages without one come back as they are. */
  rename(frame: Frame): Frame {
    const { type, bytes } = frame;
    if (type === Msg.Parse) return this.#renameParse(frame);
    if (type === Msg.Bind) return this.#replace(frame, cstring(bytes, 5).end);
    const namesStatement = (type === Msg.Describe || type === Msg.Close) && bytes[5] === 0x53;
    if (!namesStatement) return frame;
    const renamed = this.#replace(frame, 6);
    if (type === Msg.Close) this.#names.delete(cstring(bytes, 6).text);
    return renamed;
  }

  #renameParse(frame: Frame): Frame {
    if (frame.bytes[5] === 0) this.#unnamedParse = frame.bytes;
    return this.#replace(frame, 5);
  }

  /** Replaces the name at `at`; the empty name stays empty. */
  #replace(frame: Frame, at: number): Frame {
    const { text, end } = cstring(frame.bytes, at);
    if (text === "") return frame;
    const before = frame.bytes.subarray(5, at);
    const after = frame.bytes.subarray(end);
    return { type: frame.type, bytes: message(frame.type, before, `${this.#internal(text)}\0`, after) };
  }

  #internal(name: string): string {
    let internal = this.#names.get(name);
    if (internal === undefined) {
      internal = `${this.#prefix}${++this.#counter}`;
      this.#names.set(name, internal);
    }
    return internal;
  }
}

/** The zero-terminated string at `at` and the place behind its zero. A missing zero ends at the last byte. */
export function cstring(bytes: Buffer, at: number): { text: string; end: number } {
  const zero = bytes.indexOf(0, at);
  const stop = zero < 0 ? bytes.length : zero;
  return { text: bytes.toString("utf8", at, stop), end: Math.min(stop + 1, bytes.length) };
}

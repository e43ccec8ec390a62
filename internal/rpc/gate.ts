import type { ContextValues } from "@connectrpc/connect";
import { toConnectError } from "./errors.ts";

/** A call as it is known before its body is read. */
export interface ArrivingCall {
  /** "/package.Service/Method". */
  readonly path: string;
  readonly header: Headers;
  /** What handlers are told; has the connection's other end (peerKey). */
  readonly contextValues: ContextValues;
  /**
   * Reads the body before it is decided; it is handed on all the same.
   * @param onBytes told of bytes that have come; may throw to stop it.
   * @returns undefined when it is longer than so many bytes.
   */
  readonly readAhead?: ReadAhead | undefined;
}

export type ReadAhead = (most: number, onBytes: (bytes: number) => void) => Promise<Uint8Array | undefined>;

/** Decides about calls before their bodies are read: what is refused then costs neither memory nor parsing. */
export interface Gate {
  /** @returns what follows the call; undefined for a call that need not be followed. @throws Failure to refuse it. */
  enter(call: ArrivingCall): Promise<Admission | undefined>;
}

/** Follows a call through its life. */
export interface Admission {
  /** Bytes of the body have come, or are made of what has come. @throws Failure to refuse the call after all. */
  read(bytes: number): void;
  /** So many of them are no longer kept. */
  release(bytes: number): void;
  /** The call is over: answered, or given up. May be called again. */
  close(): void;
}

/**
 * A body that is read once the gate lets its call in; its errors are RPC errors, as no interceptor maps them.
 * What is left of the body of a call that is refused stays unread: the answer ends the call (early-answer.ts).
 */
export function gatedBody(
  body: AsyncIterable<Uint8Array>,
  enter: (readAhead: ReadAhead) => Promise<Admission | undefined>,
): AsyncIterable<Uint8Array> {
  const source = new Source(body);
  let isOpen = false;
  let admission: Admission | undefined;
  const next = async () => {
    if (!isOpen) {
      admission = await refusable(() => enter((most, onBytes) => source.readAhead(most, onBytes)));
      isOpen = true;
    }
    const chunk = await source.next();
    if (!chunk.done && admission !== undefined) follow(admission, chunk.value.length);
    return chunk;
  };
  const end = async () => {
    await source.end();
    return { done: true, value: undefined } as const;
  };
  return { [Symbol.asyncIterator]: () => ({ next, return: end }) };
}

/** A body of which a part may have been read ahead. Nothing of it is read before it is asked for. */
class Source {
  readonly #body: AsyncIterable<Uint8Array>;
  #iterator: AsyncIterator<Uint8Array> | undefined;
  readonly #ahead: IteratorResult<Uint8Array>[] = [];

  constructor(body: AsyncIterable<Uint8Array>) {
    this.#body = body;
  }

  async next(): Promise<IteratorResult<Uint8Array>> {
    return this.#ahead.shift() ?? this.#read();
  }

  async readAhead(most: number, onBytes: (bytes: number) => void): Promise<Uint8Array | undefined> {
    const chunks: Uint8Array[] = [];
    for (let length = 0; ; ) {
      const chunk = await this.#read();
      this.#ahead.push(chunk);
      if (chunk.done) return Buffer.concat(chunks);
      chunks.push(chunk.value);
      onBytes(chunk.value.length);
      length += chunk.value.length;
      if (length > most) return undefined;
    }
  }

  async end(): Promise<void> {
    await this.#iterator?.return?.();
  }

  #read(): Promise<IteratorResult<Uint8Array>> {
    this.#iterator ??= this.#body[Symbol.asyncIterator]();
    return this.#iterator.next();
  }
}

function follow(admission: Admission, bytes: number): void {
  try {
    admission.read(bytes);
  } catch (error) {
    throw toConnectError(error);
  }
}

async function refusable<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw toConnectError(error);
  }
}

import type { ContextValues } from "@connectrpc/connect";
import { toConnectError } from "./errors.ts";

/** A call as it is known before its body is read. */
export interface ArrivingCall {
  /** "/package.Service/Method". */
  readonly path: string;
  readonly header: Headers;
  readonly contextValues?: ContextValues | undefined;
}

/** Decides about calls before their bodies are read: what is refused then costs neither memory nor parsing. */
export interface Gate {
  /** @returns what follows the call; undefined for a call that need not be followed. @throws Failure to refuse it. */
  enter(call: ArrivingCall): Promise<Passage | undefined>;
}

/** Follows a call through its life. */
export interface Passage {
  /** Bytes of the body have come. @throws Failure to refuse the call after all. */
  read(bytes: number): void;
  /** The bytes that came make a whole message, or are no longer kept. */
  taken(): void;
  /** The call is over: answered, or given up. May be called again. */
  close(): void;
}

/**
 * A body that is read once the gate lets its call in; its errors are RPC errors, as no interceptor maps them.
 * What is left of the body of a call that is refused stays unread: the answer ends the call (early-answer.ts).
 */
export function gatedBody(
  body: AsyncIterable<Uint8Array>,
  enter: () => Promise<Passage | undefined>,
): AsyncIterable<Uint8Array> {
  let inner: AsyncIterator<Uint8Array> | undefined;
  let passage: Passage | undefined;
  const next = async () => {
    if (inner === undefined) {
      passage = await refusable(enter);
      inner = body[Symbol.asyncIterator]();
    }
    const chunk = await inner.next();
    if (chunk.done) passage?.taken();
    else if (passage !== undefined) follow(passage, chunk.value.length);
    return chunk;
  };
  const end = async () => {
    await inner?.return?.();
    return { done: true, value: undefined } as const;
  };
  return { [Symbol.asyncIterator]: () => ({ next, return: end }) };
}

function follow(passage: Passage, bytes: number): void {
  try {
    passage.read(bytes);
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

import type { DescMethod } from "@bufbuild/protobuf";
import {
  Code,
  ConnectError,
  type ContextValues,
  createConnectRouter,
  createContextKey,
  createContextValues,
} from "@connectrpc/connect";
import type { UniversalServerRequest, UniversalServerResponse } from "@connectrpc/connect/protocol";
import {
  type ConnectNodeAdapterOptions,
  compressionBrotli,
  compressionGzip,
  universalRequestFromNodeRequest,
  universalResponseToNodeResponse,
} from "@connectrpc/connect-node";
import { letBodyTakeLong } from "./connections.ts";
import { resetSoon } from "./early-answer.ts";
import { type Admission, type Gate, gatedBody, type ReadAhead } from "./gate.ts";
import { textMode } from "./grpc-web-text.ts";
import { notModified } from "./not-modified.ts";
import type { Handler } from "./one-port.ts";
import { peerKey } from "./peer.ts";
import { divertMessages, type MemoryUse } from "./request-messages.ts";

export interface AdapterOptions extends Omit<ConnectNodeAdapterOptions, "contextValues"> {
  /** Largest request message, bytes. */
  readonly readMaxBytes: number;
  readonly fallback: NonNullable<ConnectNodeAdapterOptions["fallback"]>;
  readonly gate?: Gate | undefined;
  /** Whether clients should take their next request to another process. */
  readonly draining: () => boolean;
  /** Told of what went wrong outside of any RPC. */
  readonly report: (error: unknown) => void;
}

/**
 * Aborted when the client goes away, or has its answer; the context's own signal is when the service stops, too. Undefined
 * without an HTTP server.
 */
export const clientGoneKey = createContextKey<AbortSignal | undefined>(undefined);

const PUSHBACK = "grpc-retry-pushback-ms";
const EXHAUSTED = String(Code.ResourceExhausted);

type Request = Parameters<Handler>[0];
type Response = Parameters<Handler>[1];

/**
 * Serves a ConnectRouter as connectNodeAdapter does, and beyond it: a gate before the bodies; gRPC errors as
 * Trailers-Only, without which gRPC clients do not retry (gRPC A6: a call that has got headers is committed);
 * `Connection: close` to HTTP/1.1 clients while draining; gRPC-Web's text mode; 304 to a GET whose client has the answer.
 */
export function nodeAdapter(options: AdapterOptions): Handler {
  const { gate, draining, fallback, report, readMaxBytes } = options;
  const router = createConnectRouter({
    acceptCompression: [compressionGzip, compressionBrotli],
    ...options,
  });
  options.routes(router);
  const handlers = new Map(router.handlers.map((handler) => [handler.requestPath, handler]));
  return (request, response) => {
    const path = request.url?.split("?", 1)[0] ?? "";
    const handle = handlers.get(path);
    if (handle === undefined) {
      fallback(request as never, response as never);
      return;
    }
    const contextValues = createContextValues().set(peerKey, request.socket?.remoteAddress ?? "");
    const call = universalCall(request, response, contextValues);
    if (call === undefined) {
      response.statusCode = 400;
      (response as { end(): void }).end();
      return;
    }
    contextValues.set(clientGoneKey, call.signal);
    if (sendsStream(handle.method)) letBodyTakeLong(request);
    const memory = gate === undefined ? UNCOUNTED : pass(gate, path, call, contextValues, response);
    // An answer is a merchant's own, and changes by the second; a handler whose answers have an ETag says otherwise.
    if (call.method === "GET") response.setHeader("cache-control", "no-store");
    const inMode = textMode(call);
    divertMessages(call, readMaxBytes, memory)
      .then(() => handle(call))
      .then((answer) => {
        if (request.httpVersionMajor === 1 && draining()) response.setHeader("connection", "close");
        return send(notModified(call, inMode(answer)), request, response);
      })
      .catch((error: unknown) => {
        if (ConnectError.from(error).code !== Code.Aborted) report(error);
      });
  };
}

function sendsStream({ methodKind }: DescMethod): boolean {
  return methodKind === "client_streaming" || methodKind === "bidi_streaming";
}

/** @returns undefined when the host that it is sent to is none; HTTP/1.0 need not tell one. */
function universalCall(
  request: Request,
  response: Response,
  contextValues: ContextValues,
): UniversalServerRequest | undefined {
  if (request.httpVersionMajor === 1) request.headers.host ||= "localhost";
  try {
    return universalRequestFromNodeRequest(request as never, response as never, undefined, contextValues);
  } catch {
    return undefined;
  }
}

const UNCOUNTED: MemoryUse = { take: () => {}, give: () => {} };

/** Puts the gate before a call's body. @returns what it is told of the memory that the body's messages take. */
function pass(
  gate: Gate,
  path: string,
  call: UniversalServerRequest,
  contextValues: ContextValues,
  response: Response,
): MemoryUse {
  let admission: Admission | undefined;
  let closed = false;
  response.once("close", () => {
    closed = true;
    admission?.close();
  });
  const enter = async (readAhead: ReadAhead) => {
    admission = await gate.enter({ ...call, path, contextValues, readAhead });
    // The client may have gone while it was decided.
    if (closed) admission?.close();
    return admission;
  };
  call.body = gatedBody(call.body as AsyncIterable<Uint8Array>, enter);
  return { take: (bytes) => admission?.read(bytes), give: (bytes) => admission?.release(bytes) };
}

async function send(answer: UniversalServerResponse, request: Request, response: Response): Promise<void> {
  const body = answer.body?.[Symbol.asyncIterator]();
  const first = await body?.next();
  const isGrpc = /^application\/grpc(\+|;|$)/.test(answer.header?.get("content-type") ?? "");
  if (!isGrpc || first?.done !== true || answer.trailer === undefined || !("stream" in request)) {
    const resumed = body === undefined || first === undefined ? undefined : resume(first, body);
    await universalResponseToNodeResponse({ ...answer, body: resumed } as never, response as never);
    return;
  }
  // What is too large, or too slow, stays so: a policy that retries this code must be told not to (gRPC A6).
  if (answer.trailer.get("grpc-status") === EXHAUSTED && !answer.trailer.has(PUSHBACK))
    answer.trailer.set(PUSHBACK, "-1");
  response.statusCode = answer.status;
  for (const headers of [answer.header, answer.trailer]) {
    for (const [name, value] of headers ?? []) response.setHeader(name, value);
  }
  // Ended before its headers were sent: they go out with the stream's end.
  (response as { end(): void }).end();
  resetSoon(request.stream);
}

/** The same body, although its first piece was taken already. */
function resume(
  first: IteratorResult<Uint8Array>,
  rest: AsyncIterator<Uint8Array>,
): AsyncIterable<Uint8Array> {
  let taken: IteratorResult<Uint8Array> | undefined = first;
  return {
    [Symbol.asyncIterator]: () => ({
      next() {
        if (taken === undefined) return rest.next();
        const next = taken;
        taken = undefined;
        return Promise.resolve(next);
      },
      return: (value) => rest.return?.(value) ?? Promise.resolve({ done: true, value: undefined }),
      throw: (error) => rest.throw?.(error) ?? Promise.reject(error),
    }),
  };
}

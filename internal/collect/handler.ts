import type { DescMessage } from "@bufbuild/protobuf";
import type { ConnectRouter, HandlerContext } from "@connectrpc/connect";
import { Failure } from "../failure/failure.ts";
import { CollectService, EventStatus } from "../gen/footfall/collect/v1/collect_pb.js";
import {
  type JsonBody,
  JsonBodySchema,
  type SendFrames,
  SendFramesSchema,
  type StreamFrames,
  StreamFramesSchema,
} from "../gen/footfall/collect/v1/frames_pb.js";
import { bearerToken } from "../rpc/bearer.ts";
import { answerRequest, countProblem, type Defaults, type Request, refuseAll } from "./answer-request.ts";
import { type Answers, answerAll, RETRY_AFTER_MS, toWire } from "./answers.ts";
import { inWindow } from "./in-window.ts";
import { readJsonRequest } from "./json/read-request.ts";
import type { WriteKeys } from "./keys.ts";
import { counting, readingKey, senderKey } from "./limits/gate.ts";
import type { Limits } from "./limits/limits.ts";
import type { SendDeps, Sender } from "./send.ts";

export interface CollectDeps extends SendDeps {
  readonly keys: WriteKeys;
  readonly limits: Limits;
  /** The client's address and user agent of a request, for events that do not tell. */
  readonly defaults: (context: HandlerContext) => Defaults;
  /** The client's address, whatever the protocol; "" where it is not known. */
  readonly addressOf: (context: HandlerContext) => string;
  /** Most requests of one stream that may wait for their answers. */
  readonly maxStreamWindow: number;
}

/** Routes CollectService for binary requests: their events stay bytes. */
export function routeBinary(router: ConnectRouter, deps: CollectDeps): void {
  const read = ({ events, sentTime }: SendFrames | StreamFrames): Request => ({
    sentTime,
    count: events.length,
    read: () => events,
  });
  const readNumbered = (frames: StreamFrames): Numbered => ({
    ...read(frames),
    sequence: frames.sequence,
  });
  route(router, deps, { send: SendFramesSchema, stream: StreamFramesSchema }, read, readNumbered);
}

/** Routes CollectService for JSON requests: their events become the bytes that would have come over gRPC. */
export function routeJson(router: ConnectRouter, deps: CollectDeps): void {
  const decoder = new TextDecoder();
  // protobuf-es would refuse a whole request for one value: the text goes past it.
  const textDecoder = {
    decode: (bytes: Uint8Array) => `{"text":${JSON.stringify(decoder.decode(bytes))}}`,
  };
  const jsonOptions = { ignoreUnknownFields: true, textDecoder };
  const read = ({ text }: JsonBody) => readJsonRequest(text);
  route(router, deps, { send: JsonBodySchema, stream: JsonBodySchema }, read, read, { jsonOptions });
}

/** Routes CollectService with other messages for its requests, of the same form on the wire. */
function route<S, T>(
  router: ConnectRouter,
  deps: CollectDeps,
  inputs: { readonly send: DescMessage; readonly stream: DescMessage },
  readSend: (request: S) => Request,
  readStream: (request: T) => Numbered,
  options: Parameters<ConnectRouter["service"]>[2] = {},
): void {
  const { send: sendMethod, stream: streamMethod } = CollectService.method;
  const method = {
    send: { ...sendMethod, input: inputs.send },
    stream: { ...streamMethod, input: inputs.stream },
  };
  const service = { ...CollectService, method, methods: [method.send, method.stream] };
  const rpcs = {
    send: (request: S, context: HandlerContext) => send(deps, readSend(request), context),
    stream: (requests: AsyncIterable<T>, context: HandlerContext) =>
      stream(deps, mapRequests(requests, readStream, context), context),
  };
  // The descriptor differs from the generated one in the input types, which the types cannot follow.
  router.service(service as unknown as typeof CollectService, rpcs as never, options);
}

/** A stream begins before its first bytes are read, which is when the gate finds its sender. */
async function senderOf({ keys, addressOf }: CollectDeps, context: HandlerContext): Promise<Sender> {
  const sender = context.values.get(senderKey);
  if (sender !== undefined) return sender;
  return keys.sender(bearerToken(context.requestHeader.get("authorization")), addressOf(context));
}

async function send(deps: CollectDeps, request: Request, context: HandlerContext) {
  const sender = await senderOf(deps, context);
  const problem = countProblem(request.count);
  if (problem !== undefined) throw new Failure("invalid", problem);
  const answers = await answerRequest(deps, sender, request, deps.defaults(context));
  if (answers.statuses.every((status) => status === EventStatus.UNAVAILABLE)) {
    throw new Failure("unavailable", "events: none was stored, send them again", {
      retryAfterMs: RETRY_AFTER_MS,
    });
  }
  return toWire(answers);
}

interface Numbered extends Request {
  readonly sequence: bigint;
}

/** What makes a whole message is no longer being read. */
async function* mapRequests<R>(
  requests: AsyncIterable<R>,
  read: (request: R) => Numbered,
  context: HandlerContext,
): AsyncIterable<Numbered> {
  for await (const request of requests) {
    // Asked for here: the gate puts it there when the first bytes are read, which is after the call has begun.
    context.values.get(readingKey)?.taken();
    yield read(request);
  }
}

/**
 * Answers a stream's requests in order; up to the window they are worked on at the same time. A request counts
 * as one in progress until its answer is written: a client that does not read holds its own place only.
 * @throws Failure unavailable when the collector shuts down, after the answers to what it has read.
 */
async function* stream(deps: CollectDeps, requests: AsyncIterable<Numbered>, context: HandlerContext) {
  const sender = await senderOf(deps, context);
  const defaults = deps.defaults(context);
  const places = new Places(deps.limits, sender.merchantId);
  const work = async ({ sequence, ...request }: Numbered) => {
    const problem = countProblem(request.count);
    if (problem !== undefined) return { ...refuseAll(request.count, problem), sequence, leave: () => {} };
    const place = counting(deps.metrics, () => places.take(), request.count);
    const answering = place.then(() => answerRequest(deps, sender, request, defaults));
    const answers = await orUnavailable(answering, request.count);
    return { ...answers, sequence, leave: await place.catch(() => () => {}) };
  };
  try {
    for await (const { leave, sequence, ...answers } of inWindow(
      requests,
      work,
      deps.maxStreamWindow,
      context.signal,
    )) {
      yield { ...toWire(answers), sequence };
      leave();
    }
  } finally {
    places.leaveAll();
  }
  if (!context.signal.aborted) return;
  // What was read is answered by now; a request that was not is sent again on the client's next stream.
  throw new Failure("unavailable", "collector: is shutting down, open the stream again", {
    retryAfterMs: RETRY_AFTER_MS,
  });
}

/** The places of a stream's requests among those in progress. */
class Places {
  readonly #limits: Limits;
  readonly #merchantId: number;
  readonly #taken = new Set<() => void>();

  constructor(limits: Limits, merchantId: number) {
    this.#limits = limits;
    this.#merchantId = merchantId;
  }

  /** @returns how to give the place back. @throws OverLimit without one. */
  async take(): Promise<() => void> {
    const end = this.#limits.takeRequest(this.#merchantId);
    const leave = () => {
      this.#taken.delete(leave);
      end();
    };
    this.#taken.add(leave);
    return leave;
  }

  leaveAll(): void {
    for (const leave of this.#taken) leave();
  }
}

/** One request that cannot be taken now does not end its stream: its events are to be sent again. */
async function orUnavailable(answers: Promise<Answers>, count: number): Promise<Answers> {
  try {
    return await answers;
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return { ...answerAll(count, EventStatus.UNAVAILABLE), retryAfterMs: error.retryAfterMs };
  }
}

import type { DescService } from "@bufbuild/protobuf";
import type { ConnectRouter, HandlerContext } from "@connectrpc/connect";
import { Failure } from "../failure/failure.ts";
import {
  CollectService,
  EventStatus,
  type SendRequest,
  type StreamRequest,
} from "../gen/footfall/collect/v1/collect_pb.js";
import {
  type SendFrames,
  SendFramesSchema,
  type StreamFrames,
  StreamFramesSchema,
} from "../gen/footfall/collect/v1/frames_pb.js";
import { bearerToken } from "../rpc/bearer.ts";
import { answerRequest, countProblem, type Defaults, type Request, refuseAll } from "./answer-request.ts";
import { type Answers, answerAll, RETRY_AFTER_MS, toWire } from "./answers.ts";
import { inWindow } from "./in-window.ts";
import type { WriteKeys } from "./keys.ts";
import { counting, readingKey } from "./limits/gate.ts";
import type { Limits } from "./limits/limits.ts";
import { encodeEvent } from "./read-event.ts";
import type { SendDeps } from "./send.ts";

export interface CollectDeps extends SendDeps {
  readonly keys: WriteKeys;
  readonly limits: Limits;
  /** The client's address and user agent of a request, for events that do not tell. */
  readonly defaults: (context: HandlerContext) => Defaults;
  /** Most requests of one stream that may wait for their answers. */
  readonly maxStreamWindow: number;
}

/** Routes CollectService for binary requests: their events stay bytes. */
export function routeBinary(router: ConnectRouter, deps: CollectDeps): void {
  const frames = ({ events, sentTime }: SendFrames | StreamFrames): Request => ({
    sentTime,
    count: events.length,
    read: () => events,
  });
  const rpcs = {
    send: (request: SendFrames, context: HandlerContext) => send(deps, frames(request), context),
    stream: (requests: AsyncIterable<StreamFrames>, context: HandlerContext) =>
      stream(deps, mapRequests(requests, frames, context), context),
  };
  // The descriptor differs from the generated one in the input types, which the types cannot follow.
  router.service(framesService() as typeof CollectService, rpcs as never);
}

/** Routes CollectService for JSON requests: their events become the bytes that would have come over gRPC. */
export function routeJson(router: ConnectRouter, deps: CollectDeps): void {
  const messages = ({ events, sentTime }: SendRequest | StreamRequest): Request => ({
    sentTime,
    count: events.length,
    read: () => events.map(encodeEvent),
  });
  router.service(CollectService, {
    send: (request, context) => send(deps, messages(request), context),
    stream: (requests, context) => stream(deps, mapRequests(requests, messages, context), context),
  });
}

/** CollectService with requests that leave their events as bytes; the same on the wire. */
function framesService(): DescService {
  const { send, stream } = CollectService.method;
  const method = {
    send: { ...send, input: SendFramesSchema },
    stream: { ...stream, input: StreamFramesSchema },
  };
  return { ...CollectService, method, methods: [method.send, method.stream] } as unknown as DescService;
}

async function send(deps: CollectDeps, request: Request, context: HandlerContext) {
  const sender = await deps.keys.sender(bearerToken(context.requestHeader.get("authorization")));
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
async function* mapRequests<R extends { sequence: bigint }>(
  requests: AsyncIterable<R>,
  read: (request: R) => Request,
  context: HandlerContext,
): AsyncIterable<Numbered> {
  for await (const request of requests) {
    // Asked for here: the gate puts it there when the first bytes are read, which is after the call has begun.
    context.values.get(readingKey)?.taken();
    yield { ...read(request), sequence: request.sequence };
  }
}

/**
 * Answers a stream's requests in order; up to the window they are worked on at the same time. A request counts
 * as one in progress until its answer is written: a client that does not read holds its own place only.
 * @throws Failure unavailable when the collector shuts down, after the answers to what it has read.
 */
async function* stream(deps: CollectDeps, requests: AsyncIterable<Numbered>, context: HandlerContext) {
  const sender = await deps.keys.sender(bearerToken(context.requestHeader.get("authorization")));
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

import type { DescService } from "@bufbuild/protobuf";
import type { Timestamp } from "@bufbuild/protobuf/wkt";
import type { ConnectRouter, HandlerContext } from "@connectrpc/connect";
import { MAX_TIME_MS, MIN_TIME_MS } from "../event/batch-limits.ts";
import { failpoint } from "../failpoint/failpoint.ts";
import { Failure } from "../failure/failure.ts";
import {
  CollectService,
  EventStatus,
  RejectReason,
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
import { type Answers, answerAll } from "./answers.ts";
import { inWindow } from "./in-window.ts";
import type { WriteKeys } from "./keys.ts";
import { encodeEvent, type ReadEvent } from "./read-event.ts";
import { refuse } from "./refusal.ts";
import { MAX_EVENTS, type SendDeps, type Sender, submit } from "./send.ts";
import type { EventContext } from "./take-event.ts";

type Defaults = EventContext["defaults"];

export interface CollectDeps extends SendDeps {
  readonly keys: WriteKeys;
  /** The client's address and user agent of a request, for events that do not tell. */
  readonly defaults: (context: HandlerContext) => Defaults;
  /** Most requests of one stream that may wait for their answers. */
  readonly maxStreamWindow: number;
}

/** A request of either form. */
interface Request {
  readonly sentTime?: Timestamp | undefined;
  /** Number of events: counted before they are read, since a request may hold millions of empty ones. */
  readonly count: number;
  readonly read: () => readonly ReadEvent[];
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
      stream(deps, mapRequests(requests, frames), context),
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
    stream: (requests, context) => stream(deps, mapRequests(requests, messages), context),
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
  const answers = await timed(deps, sender, request, deps.defaults(context));
  if (answers.statuses.every((status) => status === EventStatus.UNAVAILABLE)) {
    throw new Failure("unavailable", "events: none was stored, send them again", { retryAfterMs: 500 });
  }
  return answers;
}

interface Numbered extends Request {
  readonly sequence: bigint;
}

async function* mapRequests<R extends { sequence: bigint }>(
  requests: AsyncIterable<R>,
  read: (request: R) => Request,
): AsyncIterable<Numbered> {
  for await (const request of requests) yield { ...read(request), sequence: request.sequence };
}

/**
 * Answers a stream's requests in order; up to the window they are worked on at the same time.
 * @throws Failure unavailable when the collector shuts down, after the answers to what it has read.
 */
async function* stream(deps: CollectDeps, requests: AsyncIterable<Numbered>, context: HandlerContext) {
  const sender = await deps.keys.sender(bearerToken(context.requestHeader.get("authorization")));
  const defaults = deps.defaults(context);
  const work = async ({ sequence, ...request }: Numbered) => {
    const problem = countProblem(request.count);
    if (problem !== undefined) return { ...refuseAll(request.count, problem), sequence };
    const answers = await orUnavailable(timed(deps, sender, request, defaults), request.count);
    return { ...answers, sequence };
  };
  yield* inWindow(requests, work, deps.maxStreamWindow, context.signal);
  if (!context.signal.aborted) return;
  // What was read is answered by now; a request that was not is sent again on the client's next stream.
  throw new Failure("unavailable", "collector: is shutting down, open the stream again", {
    retryAfterMs: 500,
  });
}

/** One request that cannot be taken now does not end its stream: its events are to be sent again. */
async function orUnavailable(answers: Promise<Answers>, count: number): Promise<Answers> {
  try {
    return await answers;
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return answerAll(count, EventStatus.UNAVAILABLE);
  }
}

function countProblem(count: number): string | undefined {
  return count >= 1 && count <= MAX_EVENTS ? undefined : `events: ${count}, must be 1 to ${MAX_EVENTS}`;
}

/** The answer to a stream's request of too many events, or of none. */
function refuseAll(count: number, message: string): Answers {
  const refusal = refuse(RejectReason.TOO_MANY_EVENTS, message);
  const answers = answerAll(count, EventStatus.REJECTED, refusal);
  // Without an event there is none to hang the reason on: it stands alone.
  return count === 0 ? { ...answers, rejections: [{ index: 0, ...refusal }] } : answers;
}

async function timed(
  deps: CollectDeps,
  sender: Sender,
  { sentTime, read }: Request,
  defaults: Defaults,
): Promise<Answers> {
  const done = deps.metrics.latency.startTimer();
  const sent = sentTime === undefined ? 0 : timestampToMs(sentTime);
  // A sending time that no clock can show tells nothing about the client's clock: as good as absent.
  const plausible = sent >= MIN_TIME_MS && sent <= MAX_TIME_MS ? sent : 0;
  const times = { receivedTime: Date.now(), sentTime: plausible };
  try {
    const answers = await submit(deps, { sender, events: read(), ...times, defaults });
    failpoint("client-ack.before");
    return answers;
  } finally {
    done();
  }
}

/** Whole ms since 1970-01-01 UTC. */
function timestampToMs({ seconds, nanos }: Timestamp): number {
  return Number(seconds) * 1_000 + Math.floor(nanos / 1_000_000);
}

import { type Empty, EmptySchema } from "@bufbuild/protobuf/wkt";
import type { ConnectRouter, HandlerContext } from "@connectrpc/connect";
import { Failure } from "../failure/failure.ts";
import { CollectService, EventStatus } from "../gen/footfall/collect/v1/collect_pb.js";
import { bearerToken } from "../rpc/bearer.ts";
import { type RequestMessage, takeMessage } from "../rpc/request-messages.ts";
import { answerRequest, countEvents, type Defaults, refuseAll } from "./answer-request.ts";
import { type Answers, answerAll, RETRY_AFTER_MS, toWire } from "./answers.ts";
import type { WriteKeys } from "./keys.ts";
import { counting, readingKey, senderKey } from "./limits/gate.ts";
import type { Limits } from "./limits/limits.ts";
import { mapConcurrent } from "./map-concurrent.ts";
import { countProblem } from "./request.ts";
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

/** Routes CollectService, whose requests of both forms stay bytes: an event that cannot be decoded spoils no other. */
export function routeCollect(router: ConnectRouter, deps: CollectDeps): void {
  const { send: sendMethod, stream: streamMethod } = CollectService.method;
  // Nothing is left of the messages that connect sees (rpc/request-messages.ts).
  const method = {
    send: { ...sendMethod, input: EmptySchema },
    stream: { ...streamMethod, input: EmptySchema },
  };
  const service = { ...CollectService, method, methods: [method.send, method.stream] };
  const rpcs = {
    send: (_: Empty, context: HandlerContext) => send(deps, takeMessage(context.values), context),
    stream: (requests: AsyncIterable<Empty>, context: HandlerContext) =>
      stream(deps, messagesOf(requests, context), context),
  };
  // The descriptor differs from the generated one in the input types, which the types cannot follow.
  router.service(service as unknown as typeof CollectService, rpcs as never);
}

async function* messagesOf(requests: AsyncIterable<Empty>, { values }: HandlerContext) {
  for await (const _ of requests) yield takeMessage(values);
}

/** A stream begins before its first bytes are read, which is when the gate finds its sender. */
async function senderOf({ keys, addressOf }: CollectDeps, context: HandlerContext): Promise<Sender> {
  const sender = context.values.get(senderKey);
  if (sender !== undefined) return sender;
  return keys.sender(bearerToken(context.requestHeader.get("authorization")), addressOf(context));
}

async function send(deps: CollectDeps, message: RequestMessage, context: HandlerContext) {
  const sender = await senderOf(deps, context);
  const weighed = await countEvents(deps.limits, sender.merchantId, message);
  const problem = countProblem(weighed.request.count);
  if (problem !== undefined) {
    await deps.limits.takeEvents(sender.merchantId, weighed.weight);
    throw new Failure("invalid", problem);
  }
  const release = () => forget(message, context);
  const answers = await answerRequest(deps, sender, weighed, deps.defaults(context), release);
  if (answers.statuses.every((status) => status === EventStatus.UNAVAILABLE)) {
    throw new Failure("unavailable", "events: none was stored, send them again", {
      retryAfterMs: RETRY_AFTER_MS,
    });
  }
  return toWire(answers);
}

/** The bytes of a message go before its call is over, which may wait for long. */
function forget(message: RequestMessage, { values }: HandlerContext): void {
  values.get(readingKey)?.release(message.bytes.length);
  message.bytes = new Uint8Array();
}

/**
 * Answers a stream's requests in order; up to the window they are worked on at the same time. A request counts
 * as one in progress until its answer is written: a client that does not read holds its own slot only.
 * @throws Failure unavailable when the collector shuts down, after the answers to what it has read.
 */
async function* stream(deps: CollectDeps, messages: AsyncIterable<RequestMessage>, context: HandlerContext) {
  const sender = await senderOf(deps, context);
  const defaults = deps.defaults(context);
  const slots = new Slots(deps.limits, sender.merchantId);
  const work = async (message: RequestMessage) => {
    const release = () => forget(message, context);
    try {
      const weighed = await countEvents(deps.limits, sender.merchantId, message, true);
      const { sequence, count } = weighed.request;
      const problem = countProblem(count);
      if (problem !== undefined) {
        await orUnavailable(deps.limits.takeEvents(sender.merchantId, weighed.weight), 0);
        return { ...refuseAll(problem), sequence, leave: () => {} };
      }
      const slot = counting(deps.metrics, () => slots.take(), count);
      const answering = slot.then(() => answerRequest(deps, sender, weighed, defaults, release));
      const answers = await orUnavailable(answering, count);
      return { ...answers, sequence, leave: await slot.catch(() => () => {}) };
    } finally {
      release();
    }
  };
  try {
    for await (const { leave, sequence, ...answers } of mapConcurrent(
      messages,
      work,
      deps.maxStreamWindow,
      context.signal,
    )) {
      yield { ...toWire(answers), sequence };
      leave();
    }
  } finally {
    slots.leaveAll();
  }
  if (!context.signal.aborted) return;
  // What was read is answered by now; a request that was not is sent again on the client's next stream.
  throw new Failure("unavailable", "collector: is shutting down, open the stream again", {
    retryAfterMs: RETRY_AFTER_MS,
  });
}

/** The slots of a stream's requests among those in progress. */
class Slots {
  readonly #limits: Limits;
  readonly #merchantId: number;
  readonly #taken = new Set<() => void>();

  constructor(limits: Limits, merchantId: number) {
    this.#limits = limits;
    this.#merchantId = merchantId;
  }

  /** @returns how to give the slot back. @throws OverLimit without one. */
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
async function orUnavailable<T>(answers: Promise<T>, count: number): Promise<T | Answers> {
  try {
    return await answers;
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return { ...answerAll(count, EventStatus.UNAVAILABLE), retryAfterMs: error.retryAfterMs };
  }
}

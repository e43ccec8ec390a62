import { createContextKey } from "@connectrpc/connect";
import { CollectService } from "../../gen/footfall/collect/v1/collect_pb.js";
import { bearerToken } from "../../rpc/bearer.ts";
import type { Admission, ArrivingCall, Gate } from "../../rpc/gate.ts";
import { peerKey } from "../../rpc/peer.ts";
import { writeKeyOf } from "../json/read-body.ts";
import type { WriteKeys } from "../keys.ts";
import type { CollectMetrics } from "../metrics.ts";
import type { Sender } from "../send.ts";
import type { Limits } from "./limits.ts";
import { OverLimit } from "./over-limit.ts";

const SEND = `/${CollectService.typeName}/${CollectService.method.send.name}`;
const STREAM = `/${CollectService.typeName}/${CollectService.method.stream.name}`;

/** Where lines of access logs are sent. */
export const LOG_LINES_PATH = "/v1/logs";

const GATED: ReadonlySet<string> = new Set([SEND, STREAM, LOG_LINES_PATH]);

/** The client's address, of a request's headers and the connection's other end; "" where it is not known. */
export type ClientOf = (header: Headers, peer: string) => string;

/** A request's bytes as long as they are kept, for its handler. */
export const readingKey = createContextKey<Reading | undefined>(undefined, {
  description: "bytes of the request that are kept",
});

/** The merchant whose write key came with a request, from when its first bytes are read. */
export const senderKey = createContextKey<Sender | undefined>(undefined, {
  description: "sender of the call",
});

/**
 * Refuses calls of CollectService, and log lines, before their bodies are read: of unknown write keys, of merchants that are over
 * their rate, and those for which there is no room.
 */
export function collectGate(
  keys: WriteKeys,
  limits: Limits,
  metrics: CollectMetrics,
  clientOf: ClientOf,
): Gate {
  return {
    async enter(call): Promise<Admission | undefined> {
      const { path, header, contextValues } = call;
      if (!GATED.has(path)) return undefined;
      const isBeacon = path === SEND && !header.has("authorization");
      const key = isBeacon
        ? await keyInBody(call, limits, metrics)
        : bearerToken(header.get("authorization"));
      const sender = await keys.sender(key, clientOf(header, contextValues.get(peerKey)));
      contextValues.set(senderKey, sender);
      const { merchantId } = sender;
      return counting(metrics, async () => {
        // A stream may open all the same: its requests are refused one by one.
        if (path !== STREAM) await limits.checkRate(merchantId);
        const reading = new Reading(limits, merchantId, metrics);
        contextValues.set(readingKey, reading);
        return reading;
      });
    },
  };
}

/** Most of a body that is read to find its write key, bytes: what a browser lets a page send as a beacon. */
const MAX_KEYLESS_BYTES = 64 << 10;

/** Under which all calls together are counted until their write keys are known: they have one merchant's share. */
const NOBODY = 0;

/**
 * A beacon (navigator.sendBeacon) can set no header: its key stands in its JSON.
 * @throws Failure unauthenticated when it does not; OverLimit without room to look for it.
 */
async function keyInBody(
  { header, readAhead }: ArrivingCall,
  limits: Limits,
  metrics: CollectMetrics,
): Promise<string> {
  const isJson = header.get("content-type") === "application/json";
  if (!isJson || readAhead === undefined) return bearerToken(undefined);
  const reading = await counting(metrics, async () => new Reading(limits, NOBODY, metrics));
  try {
    const body = await readAhead(MAX_KEYLESS_BYTES, (bytes) => reading.read(bytes));
    const key = body === undefined ? undefined : await writeKeyOf(body);
    return bearerToken(key && `Bearer ${key}`);
  } finally {
    reading.close();
  }
}

/** A call in progress and its bytes that are being read. */
export class Reading implements Admission {
  readonly #limits: Limits;
  readonly #merchantId: number;
  readonly #metrics: CollectMetrics;
  readonly #end: () => void;
  #bytes = 0;

  /** @throws OverLimit without room for the call. */
  constructor(limits: Limits, merchantId: number, metrics: CollectMetrics) {
    this.#limits = limits;
    this.#merchantId = merchantId;
    this.#metrics = metrics;
    this.#end = limits.takeRequest(merchantId);
  }

  /** @throws OverLimit without room for the bytes; all that were read are given up then. */
  read(bytes: number): void {
    try {
      this.#limits.takeBytes(this.#merchantId, bytes);
      this.#bytes += bytes;
    } catch (error) {
      this.release(this.#bytes);
      if (error instanceof OverLimit) this.#metrics.limitedRequests.inc({ limit: error.limit });
      throw error;
    }
  }

  release(bytes: number): void {
    const held = Math.min(bytes, this.#bytes);
    this.#limits.giveBytes(this.#merchantId, held);
    this.#bytes -= held;
  }

  close(): void {
    this.release(this.#bytes);
    this.#end();
  }
}

/** Counts a refusal. @param events how many there are, where that is known. */
export async function counting<T>(
  { limitedRequests, limitedEvents }: CollectMetrics,
  work: () => Promise<T>,
  events = 0,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof OverLimit) {
      limitedRequests.inc({ limit: error.limit });
      limitedEvents.inc({ limit: error.limit }, events);
    }
    throw error;
  }
}

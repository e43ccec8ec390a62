import { Quota } from "../../rpc/quota.ts";
import { MAX_EVENTS } from "../max-events.ts";
import { EventRate } from "./event-rate.ts";
import { type LimitName, OverLimit } from "./over-limit.ts";

export interface LimitOptions {
  /** Of one merchant; 0 for no limit. */
  readonly merchantEventsPerSecond: number;
  /** Of all merchants; 0 for no limit. */
  readonly eventsPerSecond: number;
  /** Seconds over which both are counted. */
  readonly rateWindowSeconds: number;
  /** Most requests in progress: those on streams, and open streams, are counted too. */
  readonly maxRequests: number;
  /** Most bytes of requests that are being read. */
  readonly maxReadingBytes: number;
  /** Percentage of requests and bytes that one merchant comes to when it is alone. */
  readonly merchantShare: number;
}

/** For a collector that serves nobody but its own process. */
export const NO_LIMITS: LimitOptions = {
  merchantEventsPerSecond: 0,
  eventsPerSecond: 0,
  rateWindowSeconds: 1,
  maxRequests: Number.POSITIVE_INFINITY,
  maxReadingBytes: Number.POSITIVE_INFINITY,
  merchantShare: 100,
};

/** What a client is told to wait when there is no room, ms: requests come and go. */
const NO_ROOM_WAIT_MS = 500;

/** Every merchant's events are counted under its id, all merchants' under this one. */
const ALL = 0;

/** What one collector takes, of each merchant and in all. Every refusal is an OverLimit. */
export class Limits {
  readonly #options: LimitOptions;
  readonly #merchantRate: EventRate | undefined;
  readonly #rate: EventRate | undefined;
  readonly #requests: Quota;
  readonly #reading: Quota;

  constructor(options: LimitOptions) {
    const { merchantEventsPerSecond, eventsPerSecond, rateWindowSeconds, merchantShare } = options;
    const rateOf = (perSecond: number) =>
      perSecond === 0 ? undefined : new EventRate(perSecond, rateWindowSeconds, MAX_EVENTS);
    this.#options = options;
    this.#merchantRate = rateOf(merchantEventsPerSecond);
    this.#rate = rateOf(eventsPerSecond);
    this.#requests = new Quota(options.maxRequests, merchantShare / 100);
    this.#reading = new Quota(options.maxReadingBytes, merchantShare / 100);
  }

  /** Requests in progress. */
  get requests(): number {
    return this.#requests.used;
  }

  /** Bytes of requests that are being read. */
  get readingBytes(): number {
    return this.#reading.used;
  }

  /** @throws OverLimit while a merchant that sent too many events has to wait. */
  async checkRate(merchantId: number): Promise<void> {
    const wait = await this.#merchantRate?.blockedFor(merchantId);
    if (wait !== undefined) throw this.#tooManyEvents(merchantId, wait);
  }

  /** Counts a request's events. @throws OverLimit when they are too many; they are to be sent again then. */
  async takeEvents(merchantId: number, events: number): Promise<void> {
    const wait = await this.#merchantRate?.take(merchantId, events);
    if (wait !== undefined) throw this.#tooManyEvents(merchantId, wait);
    const waitForAll = await this.#rate?.take(ALL, events);
    if (waitForAll === undefined) return;
    await this.#merchantRate?.giveBack(merchantId, events);
    const message = `collector: more than ${this.#options.eventsPerSecond} events a second`;
    throw new OverLimit("rate", message, waitForAll);
  }

  /** Begins a request. @returns its end, to be called once or more. @throws OverLimit without room for it. */
  takeRequest(merchantId: number): () => void {
    this.#check(this.#requests, merchantId, "requests", "requests are in progress already");
    this.#requests.take(merchantId, 1);
    let ended = false;
    return () => {
      if (!ended) this.#requests.give(merchantId, 1);
      ended = true;
    };
  }

  /** Bytes of a request have come. @throws OverLimit without room for them; they are not counted then. */
  takeBytes(merchantId: number, bytes: number): void {
    this.#check(this.#reading, merchantId, "memory", "bytes of requests are being read already");
    this.#reading.take(merchantId, bytes);
  }

  giveBytes(merchantId: number, bytes: number): void {
    this.#reading.give(merchantId, bytes);
  }

  #check(quota: Quota, merchantId: number, limit: LimitName & ("requests" | "memory"), what: string): void {
    const refusal = quota.refusal(merchantId);
    if (refusal === undefined) return;
    if (refusal === "all") throw new OverLimit(limit, `collector: ${quota.used} ${what}`, NO_ROOM_WAIT_MS);
    throw new OverLimit(`merchant_${limit}`, `merchant ${merchantId}: too many ${what}`, NO_ROOM_WAIT_MS);
  }

  #tooManyEvents(merchantId: number, wait: number): OverLimit {
    const { merchantEventsPerSecond } = this.#options;
    const message = `merchant ${merchantId}: more than ${merchantEventsPerSecond} events a second`;
    return new OverLimit("merchant_rate", message, wait);
  }
}

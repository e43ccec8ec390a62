import { setTimeout as sleep } from "node:timers/promises";
import { Connection } from "./connection.ts";
import { deliver } from "./deliver.ts";
import { type AckLatency, type RequestRecord, Tally, type Totals } from "./tally.ts";
import type { Traffic, TrafficRequest } from "./traffic.ts";

export type { AckLatency, RequestRecord, Totals } from "./tally.ts";

export interface SendOptions {
  /** The collector, such as "http://127.0.0.1:4317": gRPC over plain HTTP/2, or over TLS with https. */
  readonly target: string;
  /** By merchant: the traffic's merchant i writes with key i. */
  readonly writeKeys: readonly string[];
  readonly traffic: Traffic;
  /** How many events to send; 0: until `signal` is aborted or the traffic ends. */
  readonly events: number;
  /** Events per second; 0: as fast as they are answered. */
  readonly rate: number;
  /** Requests that wait for an answer at one time, at most. */
  readonly inFlight: number;
  /** How long one try may take, milliseconds. Default 10,000. */
  readonly tryMs?: number;
  /** How long after its first try a request is given up, milliseconds. Default 60,000. */
  readonly giveUpMs?: number;
  /** Ends the sending: no new requests, but those under way are answered or given up first. */
  readonly signal?: AbortSignal;
  /** Called after every request, also with those given up. */
  readonly onRequest?: (record: RequestRecord, totals: Totals) => void;
}

export interface SendSummary extends Totals {
  readonly seconds: number;
  readonly eventsPerSecond: number;
  /** Absent when no request was answered. */
  readonly ackLatency?: AckLatency;
  /** How often each error was met, by its text. */
  readonly problems: Readonly<Record<string, number>>;
}

/**
 * Sends traffic as server SDKs would, and keeps count.
 * @throws RangeError when the traffic holds a merchant without a write key. Failed requests do not throw: they
 * are tried again, and then counted as `unanswered`.
 */
export async function sendTraffic(options: SendOptions): Promise<SendSummary> {
  const { tryMs = 10_000, giveUpMs = 60_000, onRequest, signal } = options;
  const connection = new Connection(options.target);
  const tally = new Tally();
  const pace = new Pace(options.rate);
  const underWay = new Set<Promise<void>>();
  const start = performance.now();
  try {
    for (const request of requests(options)) {
      const writeKey = keyOf(options.writeKeys, request.merchant);
      const job = deliver(connection, writeKey, request, tally, { tryMs, giveUpMs }).then((record) => {
        underWay.delete(job);
        onRequest?.(record, tally.totals);
      });
      underWay.add(job);
      if (underWay.size >= options.inFlight) await Promise.race(underWay);
      await pace.after(request.events.length, signal);
    }
  } finally {
    await Promise.all(underWay);
    connection.close();
  }
  return summary(tally, (performance.now() - start) / 1_000);
}

/** The requests to send, each made when it is asked for: live events are as old as their request. */
function* requests({ traffic, events, signal }: SendOptions): Generator<TrafficRequest> {
  let left = events === 0 ? Number.POSITIVE_INFINITY : events;
  while (left > 0 && !signal?.aborted) {
    const request = traffic.nextRequest(Date.now());
    if (request === undefined) return;
    const taken = request.events.length <= left ? request.events : request.events.slice(0, left);
    left -= taken.length;
    yield { merchant: request.merchant, events: taken };
  }
}

function keyOf(writeKeys: readonly string[], merchant: number): string {
  const key = writeKeys[merchant];
  if (key === undefined)
    throw new RangeError(`merchant ${merchant} has none of the ${writeKeys.length} keys`);
  return key;
}

function summary(tally: Tally, seconds: number): SendSummary {
  const { totals, ackLatency } = tally;
  const settled = totals.accepted + totals.duplicates + totals.rejected;
  return {
    ...totals,
    seconds,
    eventsPerSecond: settled / seconds,
    ...(ackLatency && { ackLatency }),
    problems: Object.fromEntries(tally.problems),
  };
}

/** What was missed while the collector was slow is caught up with for so long at most, milliseconds. */
const CATCH_UP_MS = 1_000;

/** Keeps to a rate of events per second; 0 is no limit. */
class Pace {
  readonly #rate: number;
  #dueMs = performance.now();

  constructor(rate: number) {
    this.#rate = rate;
  }

  /** Waits until the next request may follow one of so many events. */
  async after(events: number, signal: AbortSignal | undefined): Promise<void> {
    if (this.#rate === 0) return;
    const now = performance.now();
    this.#dueMs = Math.max(this.#dueMs, now - CATCH_UP_MS) + (events / this.#rate) * 1_000;
    if (this.#dueMs <= now) return;
    await sleep(this.#dueMs - now, undefined, signal === undefined ? {} : { signal }).catch(
      (error: unknown) => {
        if (!signal?.aborted) throw error;
      },
    );
  }
}

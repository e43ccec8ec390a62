import { setTimeout as sleep } from "node:timers/promises";
import { ConnectError } from "@connectrpc/connect";
import { EventStatus } from "../../internal/gen/footfall/collect/v1/collect_pb.js";
import { withRetry } from "../../internal/lifecycle/retry.ts";
import type { Random } from "../../internal/simulate/random.ts";
import { askedWaitMs, mayRetry } from "../../internal/simulate/retry.ts";
import type { CreatedMerchant } from "../../internal/store/merchants.ts";
import type { AckLedger } from "./ack-ledger.ts";
import type { Past } from "./past.ts";
import { type PlainEvent, type Traffic, toMessage } from "./traffic.ts";
import type { Transport } from "./transport.ts";

/** How an SDK behaves. */
export interface ClientProfile {
  readonly name: string;
  /** How long it waits for an answer before it sends again through another collector, ms. */
  readonly tryMs: number;
  /** Sends what happened days ago. */
  readonly isLate: boolean;
  /** Sends events that were acked long ago again, mixed with new ones. */
  readonly repeats: boolean;
  readonly streams: boolean;
}

export interface SdkOptions {
  readonly profile: ClientProfile;
  readonly traffic: Traffic;
  readonly random: Random;
  readonly merchants: readonly CreatedMerchant[];
  /** Merchants of earlier rounds, whose events an SDK with that profile sends again. */
  readonly revisited: readonly CreatedMerchant[];
  /** By collector. */
  readonly transports: readonly { readonly collector: string; readonly transport: Transport }[];
  readonly ledger: AckLedger;
  readonly past: Past;
  /** New events a second. */
  readonly rate: number;
  /** Told of an answer that an event in order must never get. */
  readonly onRefusal: (merchantId: number, eventIds: readonly string[], why: string) => void;
}

/** Requests of one SDK that wait for an answer at one time, at most. */
const MAX_UNDER_WAY = 24;

/** Pauses between two tries. */
const AGAIN = { firstMs: 20, longestMs: 400 };

/** An SDK that sends until it is told to end, and sends again what was not acked. */
export class Sdk {
  readonly #options: SdkOptions;
  readonly #underWay = new Set<Promise<void>>();
  readonly #gaveUp = new AbortController();
  #ended = false;
  readonly #sending: Promise<void>;

  constructor(options: SdkOptions) {
    this.#options = options;
    this.#sending = this.#run();
  }

  /** Sends nothing new from now on; resolves when all that was sent is acked, or refused for good. */
  async drained(): Promise<void> {
    this.#ended = true;
    await this.#sending;
    await Promise.all(this.#underWay);
  }

  /** Stops trying. */
  giveUp(): void {
    this.#ended = true;
    this.#gaveUp.abort();
    for (const { transport } of this.#options.transports) transport.close();
  }

  async #run(): Promise<void> {
    const { traffic, rate, merchants, revisited, profile, random } = this.#options;
    while (!this.#ended) {
      const { merchant, events } = traffic.next(Date.now());
      this.#begin(merchants[merchant]!, events);
      if (profile.repeats && revisited.length > 0) this.#begin(random.of(revisited), []);
      await sleep((1_000 * events.length) / rate);
      if (this.#underWay.size >= MAX_UNDER_WAY) await Promise.race(this.#underWay);
    }
  }

  #begin(merchant: CreatedMerchant, events: readonly PlainEvent[]): void {
    const job = this.#deliver(merchant, events).finally(() => this.#underWay.delete(job));
    this.#underWay.add(job);
  }

  /** Sends events until each is acked. */
  async #deliver(merchant: CreatedMerchant, fresh: readonly PlainEvent[]): Promise<void> {
    const { profile, ledger, past, random, transports } = this.#options;
    for (const event of fresh) ledger.sent(merchant.merchantId, event);
    const repeated = profile.repeats ? past.some(merchant.merchantId, random) : [];
    let left: readonly PlainEvent[] = [...fresh, ...repeated];
    let via = random.below(transports.length);
    const sendLeft = async () => {
      left = await this.#try(merchant, left, via);
      via = (via + 1) % transports.length;
      if (left.length > 0) throw new Error("not all events are settled");
    };
    await withRetry(sendLeft, { ...AGAIN, signal: this.#gaveUp.signal }).catch(() => {});
  }

  /** @returns the events to send again. */
  async #try(merchant: CreatedMerchant, events: readonly PlainEvent[], via: number) {
    const { profile, transports } = this.#options;
    const { collector, transport } = transports[via]!;
    try {
      const statuses = await transport.send(merchant.writeKey, events.map(toMessage), profile.tryMs);
      return events.filter((event, index) => !this.#settle(merchant, event, statuses[index], collector));
    } catch (error) {
      const failure = ConnectError.from(error);
      if (mayRetry(failure)) {
        await this.#pause(askedWaitMs(failure));
        return events;
      }
      const ids = events.map(({ id }) => id);
      this.#options.onRefusal(merchant.merchantId, ids, `${collector}: ${failure.message}`);
      return [];
    }
  }

  /** Writes an answer down. @returns false when the event is to be sent again. */
  #settle(
    { merchantId }: CreatedMerchant,
    event: PlainEvent,
    status: EventStatus | undefined,
    collector: string,
  ): boolean {
    const { ledger, past, onRefusal } = this.#options;
    switch (status) {
      case EventStatus.ACCEPTED:
      case EventStatus.DUPLICATE: {
        const told = status === EventStatus.ACCEPTED ? "accepted" : "duplicate";
        ledger.ack(merchantId, event.id, { timeMs: Date.now(), collector, status: told });
        past.add(merchantId, event);
        return true;
      }
      case EventStatus.REJECTED:
        onRefusal(merchantId, [event.id], `${collector}: rejected`);
        return true;
      default:
        return false;
    }
  }

  async #pause(ms: number): Promise<void> {
    await sleep(ms, undefined, { signal: this.#gaveUp.signal }).catch(() => {});
  }
}

import { partitionOf } from "../../../../internal/event/partition.ts";
import { SESSION_GAP_MS } from "../../../../internal/store/sessions/join.ts";
import type { Row } from "./recount.ts";

export const DAY = 86_400_000;
export const PARTITIONS = 4;
export const START = Date.UTC(2026, 2, 20, 10);

/** The merchants, each in a partition of its own and with another retention, in days. */
export const MERCHANTS = [
  { merchantId: 1, retention: 30, timeZone: "UTC" },
  { merchantId: 2, retention: 60, timeZone: "Asia/Kathmandu" },
  { merchantId: 3, retention: 90, timeZone: "America/New_York" },
].map((merchant) => ({
  ...merchant,
  currency: "EUR",
  partition: partitionOf(merchant.merchantId, PARTITIONS),
}));

/** Whether a merchant's reports come from rollups, too: of all its time. */
export const hasRollups = (merchantId: number): boolean => merchantId !== 1;

export const LONGEST = Math.max(...MERCHANTS.map(({ retention }) => retention));

/** How much longer than events the keys of orders and events are kept, days. */
export const MARGIN = 30;

export interface Order {
  readonly id: string;
  readonly isRefund: boolean;
  /** Micros, 0 or more; null: in a currency that is not converted. */
  readonly amount: number | null;
}

/** An event as an SDK sent it. */
export interface Sent {
  readonly id: string;
  readonly merchantId: number;
  readonly time: number;
  readonly receivedTime: number;
  readonly visitor: number;
  /** Undefined: the SDK names none. */
  readonly session: number | undefined;
  readonly name: string;
  readonly path: string;
  readonly country: string | null;
  readonly channel: string | null;
  readonly isBot: boolean;
  readonly order: Order | null;
  readonly items: number;
}

/** The events as they ought to be known, kept in plain lists: what everything is compared with. */
export class World {
  now = START;
  /** Whatever was sent, in this order. */
  readonly sent: Sent[] = [];
  /** By event id; order says whether it counts. */
  readonly stored = new Map<string, Sent & { readonly isRepeat: boolean }>();
  /** By merchant and order id: the time of the event that counts. */
  readonly orders = new Map<string, number>();

  /** @returns how many of the events are new. */
  store(events: readonly Sent[]): number {
    const known = new Set(this.sent.map(({ id }) => id));
    let stored = 0;
    for (const event of events) {
      if (known.has(event.id)) continue;
      known.add(event.id);
      this.sent.push(event);
      const isRepeat = event.order !== null && !event.order.isRefund && !this.#claim(event, event.order);
      this.stored.set(event.id, { ...event, isRepeat });
      stored++;
    }
    return stored;
  }

  #claim({ merchantId, time }: Sent, { id }: Order): boolean {
    const key = `${merchantId} ${id}`;
    if (this.orders.has(key)) return false;
    this.orders.set(key, time);
    return true;
  }

  /** The stored events as reports ought to count them. */
  rows(): Row[] {
    const sessions = this.#sessions();
    return [...this.stored.values()].map((event) => {
      const { order } = event;
      const amount = order === null || event.isRepeat ? null : order.amount;
      return {
        merchantId: event.merchantId,
        ts: event.time,
        visitor: event.visitor,
        session: event.session ?? sessions.get(event.id)!,
        name: event.name,
        orderId: order?.id ?? null,
        orderKind: order?.isRefund ? 3 : event.isRepeat ? 2 : 1,
        isBot: event.isBot,
        revenue: amount === null ? null : BigInt(order!.isRefund ? -amount : amount),
      };
    });
  }

  /** Numbers the sessions of visitors whose SDK names none: 30 minutes without an event end one. */
  #sessions(): Map<string, number> {
    const open = new Map<string, { number: number; last: number }>();
    const found = new Map<string, number>();
    let next = 1_000_000;
    const nameless = [...this.stored.values()].filter(({ session }) => session === undefined);
    for (const { id, merchantId, visitor, time } of nameless.sort((a, b) => a.time - b.time)) {
      const key = `${merchantId} ${visitor}`;
      const last = open.get(key);
      const goesOn = last !== undefined && time - last.last <= SESSION_GAP_MS;
      const number = goesOn ? last.number : next++;
      open.set(key, { number, last: time });
      found.set(id, number);
    }
    return found;
  }
}

import type { Random } from "../../internal/simulate/random.ts";
import type { PlainEvent } from "./traffic.ts";

/** Most events of a merchant that are remembered. */
const CAPACITY = 2_000;

/** Events that were acked, of all rounds, for an SDK that sends them again. */
export class Past {
  readonly #byMerchant = new Map<number, PlainEvent[]>();
  #added = 0;

  add(merchantId: number, event: PlainEvent): void {
    const events = this.#byMerchant.get(merchantId) ?? [];
    this.#byMerchant.set(merchantId, events);
    // The oldest stay for as long as any others: a repeat may come many rounds later.
    if (events.length < CAPACITY) events.push(event);
    else events[this.#added++ % CAPACITY] = event;
  }

  /** Some events of a merchant, one of them twice; none while there are none. */
  some(merchantId: number, random: Random): PlainEvent[] {
    const events = this.#byMerchant.get(merchantId) ?? [];
    if (events.length === 0) return [];
    const picked = Array.from({ length: 1 + random.below(8) }, () => random.of(events));
    return random.chance(0.2) ? [...picked, picked[0]!] : picked;
  }
}

import { finishHash, mix } from "../event/hash.ts";
import type { Receipt } from "./receipt.ts";

/** Words of a slot: four of the event's id, the merchant (0: the slot is empty), the number of the receipt. */
const WORDS = 6;
const MERCHANT = 4;
const RECEIPT = 5;

/**
 * The events that the collector took lately, with the batch that each went into: a bounded window, so that a
 * retry is answered "duplicate" at once. What has left the window is found at the aggregator.
 *
 * Two generations of at most half the capacity each: when the younger is full, the older is forgotten. About 50
 * bytes an event, and no object.
 */
export class RecentEvents {
  readonly #half: number;
  #young: Generation;
  #old: Generation;

  /** @param capacity most events remembered. */
  constructor(capacity: number) {
    this.#half = Math.max(1, capacity >>> 1);
    this.#young = new Generation(this.#half);
    this.#old = new Generation(1);
  }

  /**
   * The batch of an event that is stored or on its way; one that failed does not count.
   * @param id bytes that hold the event's 16 at the offset.
   */
  find(merchantId: number, id: Uint8Array, offset = 0): Receipt | undefined {
    readId(id, offset, merchantId);
    return this.#known(this.#young.place());
  }

  /**
   * Remembers an event with the batch that it goes into, unless it is known already.
   * @param id bytes that hold the event's 16 at the offset.
   * @returns the batch that it is in; undefined: it is new.
   */
  claim(merchantId: number, id: Uint8Array, receipt: Receipt, offset = 0): Receipt | undefined {
    readId(id, offset, merchantId);
    let place = this.#young.place();
    const known = this.#known(place);
    if (known !== undefined) return known;
    if (this.#young.size >= this.#half) {
      this.#old = this.#young;
      this.#young = new Generation(this.#half);
      place = this.#young.place();
    }
    this.#young.put(place, receipt);
    return undefined;
  }

  /** @param place where the wanted event stands in the younger generation, or would. */
  #known(place: number): Receipt | undefined {
    const receipt = this.#young.receipt(place) ?? this.#old.receipt(this.#old.place());
    return receipt?.outcome?.stored === false ? undefined : receipt;
  }
}

/** The event that is looked for, as the first words of its slot. */
const wanted = new Uint32Array(MERCHANT + 1);
let hash = 0;

function readId(id: Uint8Array, offset: number, merchantId: number): void {
  hash = merchantId;
  for (let i = 0; i < 4; i++) {
    const at = offset + 4 * i;
    wanted[i] = id[at]! | (id[at + 1]! << 8) | (id[at + 2]! << 16) | (id[at + 3]! << 24);
    hash = mix(hash, wanted[i]!);
  }
  wanted[MERCHANT] = merchantId;
  hash = finishHash(hash);
}

/** A hash table with open addressing, at most half full. Its memory comes from the system as it is used. */
class Generation {
  readonly #slots: Uint32Array;
  readonly #mask: number;
  readonly #receipts: Receipt[] = [];
  #size = 0;

  constructor(capacity: number) {
    const slots = 2 ** Math.ceil(Math.log2(2 * capacity));
    this.#slots = new Uint32Array(slots * WORDS);
    this.#mask = slots - 1;
  }

  get size(): number {
    return this.#size;
  }

  /** The receipt of the wanted event, undefined where its place is empty. */
  receipt(place: number): Receipt | undefined {
    return this.#slots[place + MERCHANT] === 0 ? undefined : this.#receipts[this.#slots[place + RECEIPT]!];
  }

  /** Puts the wanted event into its place, or gives it another receipt. */
  put(place: number, receipt: Receipt): void {
    const slots = this.#slots;
    if (slots[place + MERCHANT] === 0) this.#size++;
    // Events of one batch come one after another.
    if (this.#receipts.at(-1) !== receipt) this.#receipts.push(receipt);
    for (let word = 0; word <= MERCHANT; word++) slots[place + word] = wanted[word]!;
    slots[place + RECEIPT] = this.#receipts.length - 1;
  }

  /** Where the wanted event stands, or else the empty slot in which it would. */
  place(): number {
    const slots = this.#slots;
    for (let slot = hash & this.#mask; ; slot = (slot + 1) & this.#mask) {
      const at = slot * WORDS;
      if (slots[at + MERCHANT] === 0) return at;
      if (
        slots[at] === wanted[0] &&
        slots[at + 1] === wanted[1] &&
        slots[at + 2] === wanted[2] &&
        slots[at + 3] === wanted[3] &&
        slots[at + MERCHANT] === wanted[MERCHANT]
      ) {
        return at;
      }
    }
  }
}

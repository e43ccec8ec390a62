import pLimit from "p-limit";
import { Failure } from "../failure/failure.ts";

export interface LookupCacheOptions {
  /** What is looked up, for messages: "write key". */
  readonly name: string;
  /** How long a found value is used without asking again, ms. */
  readonly freshMs: number;
  /** A known value is used as it is when asking again takes longer than this, ms. Default: asking is waited for. */
  readonly patienceMs?: number;
  /** Most values remembered. */
  readonly capacity: number;
}

/** Who asks, held to a number of look-ups that find nothing. */
export interface Asker {
  /** Called before a key that is not known is looked up. @throws Failure exhausted to refuse it. */
  mayAsk(): void;
  /** There was no such key. */
  failed(): void;
}

/** A value and when it was read, ms since 1970-01-01 UTC. */
export interface Found<V> {
  readonly value: V;
  readonly readTime: number;
}

/** How long "there is none" is believed, ms: short, since what is asked for may just be being made. */
const ABSENT_FRESH_MS = 1_000;

/** Most absent keys remembered: those that are asked for again within a second. */
const ABSENT_CAPACITY = 10_000;

/** Most look-ups of keys that are not known at one time: whoever guesses keys cannot hold up those that are. */
const MOST_NEW = 100;

/** Most that wait for one of those: the first keys of all merchants after a start. */
const MOST_WAITING = 10_000;

/**
 * Remembers the answers of a slow look-up. While the source is away a known value goes on being used,
 * however old: losing events is worse than honouring a key that was revoked a while ago. Keys that there are not
 * have a place of their own, so that no number of them pushes a value out: with lru-cache's fetchMethod, which was looked
 * at, a look-up under way takes the place of a value.
 */
export class LookupCache<V> {
  readonly #find: (key: Uint8Array) => Promise<V | undefined>;
  readonly #options: LookupCacheOptions;
  /** In the order in which they were read, oldest first. */
  readonly #values = new Map<string, Found<V>>();
  /** When it was read that there is none, ms since 1970-01-01 UTC; oldest first. */
  readonly #absent = new Map<string, number>();
  /** Look-ups under way: many callers of one key ask once. */
  readonly #asking = new Map<string, Promise<Found<V> | undefined>>();
  /** Of keys that are not known. */
  readonly #newOnes = pLimit(MOST_NEW);

  /** @param find resolves to undefined when there is no such value, rejects when the source is away. */
  constructor(find: (key: Uint8Array) => Promise<V | undefined>, options: LookupCacheOptions) {
    this.#find = find;
    this.#options = options;
  }

  /**
   * @throws Failure not_found for a key that there is not, unavailable when the source is away and the key is new, exhausted
   * when the key is new and its asker may not have it looked up now.
   */
  async get(key: Uint8Array, asker?: Asker): Promise<Found<V>> {
    const name = Buffer.from(key).toString("base64");
    const known = this.#values.get(name);
    const found = await (known === undefined ? this.#first(name, key, asker) : this.#again(name, key, known));
    if (found === undefined) throw new Failure("not_found", `${this.#options.name}: unknown or revoked`);
    return found;
  }

  /** Of a value that is known. */
  async #again(name: string, key: Uint8Array, known: Found<V>): Promise<Found<V> | undefined> {
    if (Date.now() - known.readTime < this.#options.freshMs) return known;
    try {
      return await this.#soonOr(
        known,
        this.#ask(name, () => this.#answer(name, key)),
      );
    } catch {
      return known;
    }
  }

  /** Of a key that is not known. */
  async #first(name: string, key: Uint8Array, asker: Asker | undefined): Promise<Found<V> | undefined> {
    if (Date.now() - (this.#absent.get(name) ?? Number.NEGATIVE_INFINITY) < ABSENT_FRESH_MS) return undefined;
    const asking = this.#asking.get(name);
    if (asking === undefined) asker?.mayAsk();
    try {
      const found = await (asking ?? this.#ask(name, () => this.#inTurn(() => this.#answer(name, key))));
      if (found === undefined) asker?.failed();
      return found;
    } catch (cause) {
      const message = `${this.#options.name}: cannot be looked up now`;
      throw new Failure("unavailable", message, { cause, retryAfterMs: 1_000 });
    }
  }

  /** The answer, or the value that is known when the source is slow. */
  async #soonOr(known: Found<V>, asked: Promise<Found<V> | undefined>): Promise<Found<V> | undefined> {
    const { patienceMs } = this.#options;
    if (patienceMs === undefined) return asked;
    let timer: NodeJS.Timeout | undefined;
    const patience = new Promise<Found<V>>((resolve) => {
      timer = setTimeout(() => resolve(known), patienceMs);
    });
    try {
      return await Promise.race([asked, patience]);
    } finally {
      clearTimeout(timer);
    }
  }

  #ask(name: string, answer: () => Promise<Found<V> | undefined>): Promise<Found<V> | undefined> {
    const asking = this.#asking.get(name);
    if (asking !== undefined) return asking;
    const asked = answer().finally(() => this.#asking.delete(name));
    this.#asking.set(name, asked);
    return asked;
  }

  /** A few at a time, and beyond so many that wait none. */
  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    if (this.#newOnes.pendingCount >= MOST_WAITING) throw new Error(`${MOST_WAITING} wait already`);
    return this.#newOnes(work);
  }

  async #answer(name: string, key: Uint8Array): Promise<Found<V> | undefined> {
    return this.#remember(name, await this.#find(key));
  }

  #remember(name: string, value: V | undefined): Found<V> | undefined {
    const readTime = Date.now();
    this.#values.delete(name);
    this.#absent.delete(name);
    if (value === undefined) {
      put(this.#absent, name, readTime, ABSENT_CAPACITY);
      return undefined;
    }
    const found = { value, readTime };
    put(this.#values, name, found, this.#options.capacity);
    return found;
  }
}

/** Adds an entry; the oldest makes room for it. */
function put<T>(entries: Map<string, T>, name: string, entry: T, capacity: number): void {
  entries.set(name, entry);
  if (entries.size > capacity) entries.delete(entries.keys().next().value!);
}

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

/** A value and when it was read, ms since 1970-01-01 UTC. */
export interface Found<V> {
  readonly value: V;
  readonly readTime: number;
}

interface Entry<V> {
  readonly value: V | undefined;
  readonly readTime: number;
}

/** How long "there is none" is believed, ms: short, since what is asked for may just be being made. */
const ABSENT_FRESH_MS = 1_000;

/**
 * Remembers the answers of a slow look-up. While the source is away a known value goes on being used,
 * however old: losing events is worse than honouring a key that was revoked a while ago.
 */
export class LookupCache<V> {
  readonly #find: (key: Uint8Array) => Promise<V | undefined>;
  readonly #options: LookupCacheOptions;
  /** In the order in which they were read, oldest first. */
  readonly #entries = new Map<string, Entry<V>>();
  /** Look-ups under way: many callers of one key ask once. */
  readonly #asking = new Map<string, Promise<Entry<V>>>();

  /** @param find resolves to undefined when there is no such value, rejects when the source is away. */
  constructor(find: (key: Uint8Array) => Promise<V | undefined>, options: LookupCacheOptions) {
    this.#find = find;
    this.#options = options;
  }

  /** @throws Failure not_found for an unknown key, unavailable when the source is away and the key is new. */
  async get(key: Uint8Array): Promise<Found<V>> {
    const { value, readTime } = await this.#entry(Buffer.from(key).toString("base64"), key);
    if (value === undefined) throw new Failure("not_found", `${this.#options.name}: unknown or revoked`);
    return { value, readTime };
  }

  async #entry(name: string, key: Uint8Array): Promise<Entry<V>> {
    const known = this.#entries.get(name);
    const fresh = known?.value === undefined ? ABSENT_FRESH_MS : this.#options.freshMs;
    if (known !== undefined && Date.now() - known.readTime < fresh) return known;
    try {
      return await this.#soonOr(known, this.#ask(name, key));
    } catch (cause) {
      if (known?.value !== undefined) return known;
      const message = `${this.#options.name}: cannot be looked up now`;
      throw new Failure("unavailable", message, { cause, retryAfterMs: 1_000 });
    }
  }

  /** The answer, or the value that is known when the source is slow. */
  async #soonOr(known: Entry<V> | undefined, asked: Promise<Entry<V>>): Promise<Entry<V>> {
    const { patienceMs } = this.#options;
    if (known?.value === undefined || patienceMs === undefined) return asked;
    let timer: NodeJS.Timeout | undefined;
    const patience = new Promise<Entry<V>>((resolve) => {
      timer = setTimeout(() => resolve(known), patienceMs);
    });
    try {
      return await Promise.race([asked, patience]);
    } finally {
      clearTimeout(timer);
    }
  }

  #ask(name: string, key: Uint8Array): Promise<Entry<V>> {
    const asking = this.#asking.get(name);
    if (asking !== undefined) return asking;
    const asked = this.#find(key)
      .then((value) => this.#remember(name, { value, readTime: Date.now() }))
      .finally(() => this.#asking.delete(name));
    this.#asking.set(name, asked);
    return asked;
  }

  #remember(name: string, entry: Entry<V>): Entry<V> {
    this.#entries.delete(name);
    this.#entries.set(name, entry);
    if (this.#entries.size > this.#options.capacity) {
      this.#entries.delete(this.#entries.keys().next().value!);
    }
    return entry;
  }
}

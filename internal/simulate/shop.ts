import type { Item } from "../gen/footfall/event/v1/event_pb.js";
import { hash, Random, Weighted } from "./random.ts";
import { REGIONS, type Region } from "./regions.ts";
import {
  ADJECTIVES,
  BRANDS,
  CATEGORIES,
  type Category,
  COUPONS,
  SHOP_TRADES,
  SHOP_WORDS,
  VARIANTS,
} from "./words.ts";

const regions = new Weighted(REGIONS);

/** Kinds of seeds drawn from the same seed, kept apart by their first number. */
const SHOP_SEED = 1;
const PRODUCT_SEED = 2;

/** One product: the address of its page, and what is sold there. */
export interface Product {
  readonly index: number;
  readonly url: string;
  /** In its first variant, quantity 1. */
  readonly item: Item;
  /** 1 to 4; they differ in nothing but the item's id and variant. */
  readonly variants: number;
}

/**
 * A simulated merchant's shop. It follows from (seed, merchant) alone, so that any process knows the shops of
 * a run without being told.
 */
export class Shop {
  readonly merchant: number;
  readonly name: string;
  /** Host name, under the reserved top level domain "example" (RFC 2606), so that no real site is named. */
  readonly host: string;
  /** Scheme and host, without a slash at the end. */
  readonly origin: string;
  readonly homeUrl: string;
  readonly region: Region;
  /** How many products it sells; the larger the merchant, the more. */
  readonly size: number;
  /** What shipping costs, and from which value of goods on it is free; micros. */
  readonly shippingMicros: bigint;
  readonly freeShippingFromMicros: bigint;
  readonly coupons: readonly string[] = COUPONS;
  readonly #seed: number;
  readonly #categories: readonly Category[];

  constructor(seed: number, merchant: number) {
    const random = new Random(seed, SHOP_SEED, merchant);
    this.#seed = seed;
    this.merchant = merchant;
    this.region = regionOf(seed, merchant);
    const word = random.of(SHOP_WORDS);
    const trade = random.of(SHOP_TRADES);
    this.name = `${word[0]!.toUpperCase()}${word.slice(1)} ${trade}`;
    this.host = `www.${word}-${trade}-${merchant}.${this.region.domain}.example`;
    this.origin = `https://${this.host}`;
    this.homeUrl = `${this.origin}/`;
    this.size = 12 + random.below(30) + Math.round(600 / Math.sqrt(merchant + 1));
    this.#categories = Array.from({ length: 5 }, () => random.of(CATEGORIES));
    this.shippingMicros = roundTo(4.9 * this.region.priceLevel, this.region);
    this.freeShippingFromMicros = roundTo(75 * this.region.priceLevel, this.region);
  }

  /** The address of one of the category pages. */
  categoryUrl(random: Random): string {
    return `${this.origin}/c/${random.of(this.#categories).slug}`;
  }

  /** A product to look at: a few are looked at often, most seldom. */
  popularProduct(random: Random): Product {
    return this.product(Math.floor(random.unit() ** 2.5 * this.size));
  }

  /**
   * Product `index`, from 0 to size - 1. It is made each time: keeping the products of many shops costs more,
   * in garbage collection, than making them.
   */
  product(index: number): Product {
    const random = new Random(this.#seed, PRODUCT_SEED, this.merchant, index);
    const category = random.of(this.#categories);
    const adjective = random.of(ADJECTIVES);
    const noun = random.of(category.nouns);
    const brand = random.of(BRANDS);
    // Prices spread around the category's typical one by a factor of up to 2 either way.
    const value = category.euros * this.region.priceLevel * 2 ** (random.unit() * 2 - 1);
    const item: Item = {
      $typeName: "footfall.event.v1.Item",
      id: itemId(index, 0),
      name: `${adjective.text} ${noun.text}`,
      brand: brand.text,
      category: category.name,
      variant: VARIANTS[index % VARIANTS.length]!,
      priceMicros: roundTo(value, this.region),
      quantityMicros: 1_000_000n,
      listId: category.name,
      listPosition: 1 + (index % 40),
      promotionId: "",
      discountMicros: 0n,
    };
    const url = `${this.origin}/p/${brand.slug}-${adjective.slug}-${noun.slug}-${index + 1000}`;
    return { url, index, item, variants: 1 + random.below(4) };
  }
}

/** The item of one of a product's variants. */
export function variantOf({ item, index, variants }: Product, random: Random): Item {
  const step = random.below(variants);
  if (step === 0) return item;
  return { ...item, id: itemId(index, step), variant: VARIANTS[(index + step) % VARIANTS.length]! };
}

function itemId(index: number, step: number): string {
  return `SKU-${index + 1000}-${step}`;
}

/** The region of a merchant's shop, without making the shop. */
export function regionOf(seed: number, merchant: number): Region {
  return regions.pick(new Random(hash(seed, [SHOP_SEED, merchant])));
}

function roundTo(value: number, { minorUnitMicros }: Region): bigint {
  return BigInt(Math.max(1, Math.round((value * 1_000_000) / minorUnitMicros)) * minorUnitMicros);
}

/** Shops in use; when there are too many all are forgotten, and made again alike when they are needed. */
export class Shops {
  readonly #seed: number;
  readonly #limit: number;
  readonly #shops = new Map<number, Shop>();

  /** @param limit how many shops are kept at most; a shop takes about a kilobyte. */
  constructor(seed: number, limit = 20_000) {
    this.#seed = seed;
    this.#limit = limit;
  }

  get(merchant: number): Shop {
    const known = this.#shops.get(merchant);
    if (known !== undefined) return known;
    if (this.#shops.size >= this.#limit) this.#shops.clear();
    const shop = new Shop(this.#seed, merchant);
    this.#shops.set(merchant, shop);
    return shop;
  }
}

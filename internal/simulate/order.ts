import type { Item, Order } from "../gen/footfall/event/v1/event_pb.js";
import { orderNumber } from "./ids.ts";
import type { Random } from "./random.ts";
import type { Shop } from "./shop.ts";

/** Price times quantity of all items; micros. */
export function goodsMicros(items: readonly Item[]): bigint {
  return items.reduce((sum, item) => sum + (item.priceMicros * item.quantityMicros) / 1_000_000n, 0n);
}

/**
 * The order for a cart. Its amounts hold to one rule, in micros:
 * revenue = goods - discount + shipping + tax, where tax is the region's rate on (goods - discount), shipping
 * is free from the shop's threshold on, and discount and tax are cut to the currency's smallest amount.
 */
export function placeOrder(shop: Shop, items: readonly Item[], random: Random, ids: Random): Order {
  const goods = goodsMicros(items);
  const coupon = random.chance(0.15) ? random.of(shop.coupons) : "";
  const discountMicros = cut((goods * BigInt(percentOf(coupon))) / 100n, shop);
  const taxMicros = cut(((goods - discountMicros) * BigInt(shop.region.taxPermille)) / 1000n, shop);
  const shippingMicros = goods >= shop.freeShippingFromMicros ? 0n : shop.shippingMicros;
  return {
    $typeName: "footfall.event.v1.Order",
    id: orderNumber(ids),
    revenueMicros: goods - discountMicros + shippingMicros + taxMicros,
    taxMicros,
    shippingMicros,
    discountMicros,
    currency: shop.region.currency,
    coupon,
    customerId: "",
    costMicros: cut((goods * 6n) / 10n, shop),
    market: shop.region.currency,
    paymentMethod: random.chance(0.6) ? "card" : "invoice",
  };
}

/** Coupons end with their percentage, such as "VIP20"; no coupon is 0. */
function percentOf(coupon: string): number {
  return Number(/\d+$/.exec(coupon)?.[0] ?? 0);
}

function cut(micros: bigint, { region }: Shop): bigint {
  return micros - (micros % BigInt(region.minorUnitMicros));
}

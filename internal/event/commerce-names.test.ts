import fc from "fast-check";
import { expect, test } from "vitest";
import { COMMERCE_VOCABULARIES, type CommerceMeaning, commerceMeaningOf } from "./commerce-names.ts";

/** Names as the vocabularies' own pages write them, by what those pages say that they are. */
const DOCUMENTED: Readonly<Record<CommerceMeaning, string>> = {
  order: `purchase, Order Completed, Completed Order, checkout_completed, orders/create, ecommerceOrder, trackEcommerceOrder,
    Purchase, fb_mobile_purchase, CompletePayment, PlaceAnOrder, PURCHASE, gtm4wp.orderCompletedEEC, completed purchase,
    order.created, Placed Order, ecommerce:addTransaction, in_app_purchase`,
  refund: `refund, Order Refunded, refunds/create, Refunded Order, woocommerce_order_refunded, purchase_refund`,
  checkout: `begin_checkout, add_payment_info, add_shipping_info, checkout, checkout_progress, set_checkout_option,
    Checkout Started, Checkout Step Viewed, Checkout Step Completed, Payment Info Entered, checkout_started,
    checkout_contact_info_submitted, checkout_address_info_submitted, checkout_shipping_info_submitted,
    payment_info_submitted, InitiateCheckout, AddPaymentInfo, START_CHECKOUT, ADD_BILLING, gtm4wp.checkoutStepEEC`,
  cart: `add_to_cart, remove_from_cart, view_cart, add_to_wishlist, addToCart, removeFromCart, Product Added,
    Product Removed, Cart Viewed, Product Added to Wishlist, Product Removed from Wishlist, Wishlist Product Added to Cart,
    Cart Shared, product_added_to_cart, product_removed_from_cart, cart_viewed, ecommerceCart, ecommerceAbandonedCart,
    trackEcommerceCartUpdate, AddToCart, AddToWishlist, ADD_CART, gtm4wp.addProductToCartEEC`,
  view: `view_item, view_item_list, select_item, productClick, Products Searched, Product List Viewed,
    Product List Filtered, Product Clicked, Product Viewed, product_viewed, collection_viewed, search_submitted,
    setEcommerceView, ViewContent, Search, gtm4wp.changeDetailViewEEC`,
  promotion: `view_promotion, select_promotion, promo_click, Promotion Viewed, Promotion Clicked, Coupon Entered,
    Coupon Applied, Coupon Denied, Coupon Removed`,
  other: `Order Updated, Order Cancelled, Product Shared, Product Reviewed, orders/cancelled, order.updated, Ordered Product,
    Fulfilled Order, woocommerceanalytics_product_purchase`,
};

const DOCUMENTED_NAMES = Object.entries(DOCUMENTED).flatMap(([meaning, names]) =>
  names.split(/,\s*/).map((name) => [name.trim(), meaning] as const),
);

test.each(DOCUMENTED_NAMES)("%s: %s", (name, meaning) => {
  expect(commerceMeaningOf(name)).toBe(meaning);
});

test("case and separators make no difference", () => {
  const separator = fc.constantFrom("", " ", "_", "-", ".", "/", ":", " - ");
  const anyName = fc.constantFrom(...DOCUMENTED_NAMES);
  fc.assert(
    fc.property(anyName, separator, fc.boolean(), ([name, meaning], by, upper) => {
      const words = name.split(/[\s_.:/-]+|(?<=[a-z])(?=[A-Z])/).join(by);
      expect(commerceMeaningOf(upper ? words.toUpperCase() : words.toLowerCase())).toBe(meaning);
    }),
  );
});

test("a name says one thing, whichever vocabulary it is of", () => {
  for (const vocabulary of Object.values(COMMERCE_VOCABULARIES)) {
    for (const [meaning, names] of Object.entries(vocabulary)) {
      for (const name of names) expect([name, commerceMeaningOf(name)]).toEqual([name, meaning]);
    }
  }
});

test.each([
  "",
  "page_view",
  "subscription_renewed",
  "purchased_before",
  "repurchase",
  "purchases",
  "refund_requested",
  "order",
  "constructor",
  "__proto__",
])("%j says nothing", (name) => expect(commerceMeaningOf(name)).toBe(undefined));

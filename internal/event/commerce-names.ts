/**
 * What names of events say about an order, by the vocabularies that shops use. A table to be read and added to: a name
 * is matched without regard to case and separators, so `order_completed` stands for "Order Completed" and orderCompleted.
 */

/**
 * What an event is: the completion of an order, money that goes back, a step of the checkout, a change or a look at the
 * cart or wish list, a look at products, a promotion or coupon; or something else about an order or a product.
 */
export type CommerceMeaning = "order" | "refund" | "checkout" | "cart" | "view" | "promotion" | "other";

type Vocabulary = Readonly<Partial<Record<CommerceMeaning, readonly string[]>>>;

export const COMMERCE_VOCABULARIES: Readonly<Record<string, Vocabulary>> = {
  // https://developers.google.com/analytics/devguides/collection/ga4/reference/events, and what Firebase had before.
  GA4: {
    order: ["purchase", "in_app_purchase", "ecommerce_purchase"],
    refund: ["refund", "purchase_refund"],
    checkout: ["begin_checkout", "add_shipping_info", "add_payment_info"],
    cart: ["add_to_cart", "remove_from_cart", "view_cart", "add_to_wishlist"],
    view: ["view_item", "view_item_list", "select_item"],
    promotion: ["view_promotion", "select_promotion"],
  },
  // Actions of analytics.js, names of gtag.js and of Tag Manager's data layer:
  // https://developers.google.com/analytics/devguides/collection/analyticsjs/enhanced-ecommerce
  "Universal Analytics": {
    order: ["purchase", "transaction", "ecommerce:addTransaction"],
    refund: ["refund"],
    checkout: ["checkout", "checkout_option", "checkout_progress", "set_checkout_option"],
    cart: ["add", "remove", "addToCart", "removeFromCart"],
    view: ["detail", "click", "productClick", "productDetail", "productImpression", "impressions"],
    promotion: ["promo_click", "promo_view", "promotionClick", "promotionView", "promotionImpression"],
    other: ["ecommerce:addItem", "ecommerce:send", "ecommerce:clear"],
  },
  // https://segment.com/docs/connections/spec/ecommerce/v2/ and the names of version 1;
  // https://www.rudderstack.com/docs/event-spec/ecommerce-events-spec/
  "Segment and RudderStack": {
    order: ["Order Completed", "Completed Order"],
    refund: ["Order Refunded"],
    checkout: [
      ...["Checkout Started", "Checkout Step Viewed", "Checkout Step Completed", "Payment Info Entered"],
      ...["Started Order", "Viewed Checkout Step", "Completed Checkout Step"],
    ],
    cart: [
      ...["Product Added", "Product Removed", "Cart Viewed", "Cart Shared", "Product Added to Wishlist"],
      ...[
        "Product Removed from Wishlist",
        "Wishlist Product Added to Cart",
        "Added Product",
        "Removed Product",
      ],
    ],
    view: [
      ...["Products Searched", "Product List Viewed", "Product List Filtered", "Product Clicked"],
      ...["Product Viewed", "Viewed Product", "Viewed Product Category"],
    ],
    promotion: [
      ...["Promotion Viewed", "Promotion Clicked", "Coupon Entered", "Coupon Applied", "Coupon Denied"],
      ...["Coupon Removed", "Viewed Promotion", "Clicked Promotion"],
    ],
    other: ["Order Updated", "Updated Order", "Order Cancelled", "Product Shared", "Product Reviewed"],
  },
  // Web pixels: https://shopify.dev/docs/api/web-pixels-api/standard-events. Topics of webhooks:
  // https://shopify.dev/docs/api/admin-graphql/latest/enums/WebhookSubscriptionTopic
  Shopify: {
    order: ["checkout_completed", "orders/create", "orders/paid"],
    refund: ["refunds/create"],
    checkout: [
      ...["checkout_started", "checkout_contact_info_submitted", "checkout_address_info_submitted"],
      ...[
        "checkout_shipping_info_submitted",
        "payment_info_submitted",
        "checkouts/create",
        "checkouts/update",
      ],
    ],
    cart: [
      ...[
        "product_added_to_cart",
        "product_removed_from_cart",
        "cart_viewed",
        "carts/create",
        "carts/update",
      ],
    ],
    view: ["product_viewed", "collection_viewed", "search_submitted"],
    other: [
      ...["orders/updated", "orders/edited", "orders/cancelled", "orders/delete", "orders/fulfilled"],
      ...["orders/partially_fulfilled"],
    ],
  },
  // https://developer.matomo.org/api-reference/tracking-javascript; Piwik PRO has the names without "track".
  Matomo: {
    order: ["trackEcommerceOrder", "ecommerceOrder"],
    cart: [
      ...["trackEcommerceCartUpdate", "ecommerceCartUpdate", "ecommerceCart", "ecommerceAbandonedCart"],
      ...["addEcommerceItem", "removeEcommerceItem", "clearEcommerceCart", "ecommerceAddToCart"],
      ...["ecommerceRemoveFromCart"],
    ],
    view: ["setEcommerceView", "ecommerceProductDetailView"],
  },
  // https://developers.facebook.com/docs/meta-pixel/reference, and the names of its app events.
  Meta: {
    order: ["Purchase", "fb_mobile_purchase"],
    checkout: [
      ...["InitiateCheckout", "AddPaymentInfo", "fb_mobile_initiated_checkout", "fb_mobile_add_payment_info"],
    ],
    cart: ["AddToCart", "AddToWishlist", "fb_mobile_add_to_cart", "fb_mobile_add_to_wishlist"],
    view: ["ViewContent", "Search", "fb_mobile_content_view", "fb_mobile_search"],
    other: ["CustomizeProduct", "Donate", "Lead", "Schedule", "StartTrial", "Subscribe"],
  },
  // TikTok, Snapchat, Pinterest. Pinterest's "checkout" is its purchase; here it is the step that all others mean.
  "Other pixels": {
    order: ["CompletePayment", "PlaceAnOrder"],
    checkout: ["START_CHECKOUT", "ADD_BILLING"],
    cart: ["ADD_CART"],
    view: ["ViewCategory"],
  },
  // Plugins: Google Tag Manager for WordPress (gtm4wp), Google Analytics Pro, WooCommerce Analytics. Topics of webhooks:
  // https://woocommerce.com/document/webhooks/, and hooks: https://woocommerce.github.io/code-reference/hooks/hooks.html
  WooCommerce: {
    order: [
      ...["gtm4wp.orderCompletedEEC", "completed purchase", "completed payment", "order.created"],
      ...["woocommerce_thankyou", "woocommerce_payment_complete", "woocommerce_order_status_completed"],
    ],
    refund: [
      ...["order.refunded", "order_fully_refunded", "order_partially_refunded", "woocommerce_order_refunded"],
      ...["woocommerce_order_fully_refunded", "woocommerce_order_partially_refunded"],
    ],
    checkout: [
      ...["gtm4wp.checkoutStepEEC", "gtm4wp.checkoutOptionEEC", "started checkout", "started payment"],
      ...["provided billing email", "selected payment method", "woocommerceanalytics_product_checkout"],
      ...["woocommerceanalytics_checkout_view"],
    ],
    cart: [
      ...["gtm4wp.addProductToCartEEC", "gtm4wp.removeFromCartEEC", "added to cart", "removed from cart"],
      ...["changed cart quantity", "viewed cart", "woocommerce_add_to_cart"],
      ...["woocommerceanalytics_add_to_cart", "woocommerceanalytics_remove_from_cart"],
      ...["woocommerceanalytics_cart_view"],
    ],
    view: [
      ...["gtm4wp.productClickEEC", "gtm4wp.changeDetailViewEEC", "gtm4wp.productImpressionEEC"],
      ...["viewed product", "clicked product", "woocommerceanalytics_product_view"],
    ],
    promotion: ["applied coupon", "removed coupon"],
    // One event for each product of an order, and the look at a confirmation.
    other: [
      ...["woocommerceanalytics_product_purchase", "woocommerceanalytics_order_confirmation_view"],
      ...["cancelled order", "viewed order", "order.updated", "order.deleted", "order.restored"],
    ],
  },
  // What shops' servers and mail tools say: Klaviyo, Shopware, BigCommerce.
  Servers: {
    order: ["Placed Order", "Order Placed", "Order Paid", "checkout.order.placed", "store/order/created"],
    refund: ["Refunded Order", "refund.created", "store/order/refund/created"],
    checkout: ["Started Checkout"],
    cart: ["Added to Cart"],
    view: ["Viewed Product"],
    other: ["Ordered Product", "Fulfilled Order", "Cancelled Order"],
  },
};

/** A name without case and separators. */
function keyOf(name: string): string {
  return name.toLowerCase().replace(/[\s_\-./:]+/g, "");
}

const MEANINGS: ReadonlyMap<string, CommerceMeaning> = new Map(
  Object.values(COMMERCE_VOCABULARIES).flatMap((vocabulary) =>
    Object.entries(vocabulary).flatMap(([meaning, names]) =>
      names.map((name): [string, CommerceMeaning] => [keyOf(name), meaning as CommerceMeaning]),
    ),
  ),
);

/** What an event's name says about an order; undefined: nothing. */
export function commerceMeaningOf(name: string): CommerceMeaning | undefined {
  return MEANINGS.get(keyOf(name));
}

/** What an event does with its items: shows a list of them, shows one, puts it in the cart, begins to buy. */
export type ItemStage = "list" | "view" | "cart" | "checkout";

/**
 * The names of the vocabularies that say so. A change of the cart other than adding, a click, and a later step of the
 * checkout are none of them, so that each stage is met once.
 */
export const ITEM_STAGES: Readonly<Record<ItemStage, readonly string[]>> = {
  list: [
    ...["view_item_list", "view_search_results", "impressions", "productImpression", "Product List Viewed"],
    ...["Product List Filtered", "Products Searched", "Viewed Product Category", "collection_viewed"],
    ...["search_submitted", "ViewCategory", "gtm4wp.productImpressionEEC"],
  ],
  view: [
    ...["view_item", "detail", "productDetail", "Product Viewed", "Viewed Product", "product_viewed"],
    ...["setEcommerceView", "ecommerceProductDetailView", "ViewContent", "fb_mobile_content_view"],
    ...["gtm4wp.changeDetailViewEEC", "woocommerceanalytics_product_view"],
  ],
  cart: [
    ...["add_to_cart", "add", "Product Added", "Added Product", "Wishlist Product Added to Cart"],
    ...[
      "product_added_to_cart",
      "addEcommerceItem",
      "ecommerceAddToCart",
      "fb_mobile_add_to_cart",
      "ADD_CART",
    ],
    ...["gtm4wp.addProductToCartEEC", "Added to Cart", "woocommerce_add_to_cart"],
    "woocommerceanalytics_add_to_cart",
  ],
  checkout: [
    ...[
      "begin_checkout",
      "checkout",
      "Checkout Started",
      "Started Order",
      "checkout_started",
      "checkouts/create",
    ],
    ...["InitiateCheckout", "fb_mobile_initiated_checkout", "START_CHECKOUT", "Started Checkout"],
    ...["woocommerceanalytics_product_checkout", "gtm4wp.checkoutStepEEC"],
  ],
};

const STAGE_NAMES: ReadonlyMap<string, ItemStage> = new Map(
  Object.entries(ITEM_STAGES).flatMap(([stage, names]) =>
    names.map((name): [string, ItemStage] => [keyOf(name), stage as ItemStage]),
  ),
);

/** What an event of a name does with its items; undefined: something else. */
export function stageOfName(name: string): ItemStage | undefined {
  return STAGE_NAMES.get(keyOf(name));
}

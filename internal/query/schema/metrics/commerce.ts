import sql, { raw, type Sql } from "sql-template-tag";
import type { AdditiveMetric, DistinctMetric, Metric } from "../field.ts";
import { type About, amount, count, distinct, ratio } from "./build.ts";
import { sessions, visitors } from "./traffic.ts";

// Expressions over rows of events; docs/processing.md tells what order_kind and stage are.
const IS_ORDER = sql`order_kind = 1`;
const IS_REFUND = sql`order_kind = 3`;
const IS_CART = sql`stage = 3`;
const IS_CHECKOUT = sql`stage = 4`;

const orders = count("orders", IS_ORDER, ["order_kind"], {
  title: "Orders",
  description: "Orders; an order id counts once, however many events bring it.",
  scope: "order",
});
const refunds = count("refunds", IS_REFUND, ["order_kind"], {
  title: "Refunds",
  description: "Refunds; one with an id counts once.",
  scope: "order",
});
const revenue = amount("revenue", sql`revenue_micros`, ["revenue_micros"], "revenue_micros", {
  title: "Revenue",
  description: "Amounts of orders less those of refunds; below zero where more was refunded than sold.",
});
const gross = amount(
  "gross_revenue",
  sql`CASE WHEN ${IS_ORDER} THEN revenue_micros END`,
  ["order_kind", "revenue_micros"],
  "gross_micros",
  { title: "Gross revenue", description: "Amounts of orders, before refunds." },
);
const addToCarts = stage("add_to_carts", 3, "Add to carts", "Events that put something into the cart.");
const checkouts = stage("checkouts", 4, "Checkouts", "Events that begin a checkout.");
const purchasers = distinct(
  "purchasers",
  "visitor_id",
  { columns: ["order_kind"], sql: () => IS_ORDER, cell: "orders" },
  { title: "Purchasers", description: "Visitors with an order.", scope: "visitor" },
);
const purchaseSessions = sessionsWith("purchase_sessions", orders, IS_ORDER, {
  title: "Sessions with an order",
  description: "Sessions with an order in the period.",
});
const cartSessions = sessionsWith("cart_sessions", addToCarts, IS_CART, {
  title: "Sessions with a cart",
  description: "Sessions that put something into the cart.",
});
const checkoutSessions = sessionsWith("checkout_sessions", checkouts, IS_CHECKOUT, {
  title: "Sessions with a checkout",
  description: "Sessions that began a checkout.",
});
/** Orders and refunds whose amount is in no sum; every answer tells how many. */
export const UNCONVERTED_ORDERS = count(
  "unconverted_orders",
  sql`order_kind IN (1, 3) AND revenue_micros IS NULL`,
  ["order_kind", "revenue_micros"],
  {
    title: "Unconverted orders",
    description: "Orders and refunds in another currency, without a known rate of their day: in no amount.",
    scope: "order",
  },
);

/** What was ordered and given back, and what came before. */
export const COMMERCE_METRICS: readonly Metric[] = [
  orders,
  purchasers,
  ratio("purchaser_rate", purchasers, visitors, {
    title: "Purchaser rate",
    description: "Purchasers by visitors.",
  }),
  purchaseSessions,
  ratio("conversion_rate", purchaseSessions, sessions, {
    title: "Conversion rate",
    description: "Sessions with an order by sessions.",
  }),
  revenue,
  gross,
  refunds,
  amount(
    "refund_amount",
    sql`CASE WHEN ${IS_REFUND} THEN -revenue_micros END`,
    ["order_kind", "revenue_micros"],
    "refund_micros",
    {
      title: "Refunds, amount",
      description: "Amounts of refunds.",
    },
  ),
  ...(["tax", "shipping", "discount"] as const).map((part) =>
    amount(
      part,
      sql`CASE WHEN ${IS_ORDER} THEN ${raw(`${part}_micros`)} END`,
      ["order_kind", `${part}_micros`],
      `${part}_micros`,
      {
        title: part[0]!.toUpperCase() + part.slice(1),
        description: `${part[0]!.toUpperCase()}${part.slice(1)} of orders.`,
      },
    ),
  ),
  ratio("average_order_value", gross, orders, {
    title: "Average order value",
    description: "Gross revenue by orders.",
    unit: "currency",
  }),
  ratio("revenue_per_visitor", revenue, visitors, {
    title: "Revenue per visitor",
    description: "Revenue by visitors.",
    unit: "currency",
  }),
  ratio("revenue_per_session", revenue, sessions, {
    title: "Revenue per session",
    description: "Revenue by sessions.",
    unit: "currency",
  }),
  addToCarts,
  checkouts,
  cartSessions,
  checkoutSessions,
  ratio("cart_abandonment", bought(cartSessions), cartSessions, {
    title: "Cart abandonment",
    description: "Sessions with a cart and no order, by sessions with a cart.",
    complement: true,
  }),
  ratio("checkout_abandonment", bought(checkoutSessions), checkoutSessions, {
    title: "Checkout abandonment",
    description: "Sessions with a checkout and no order, by sessions with a checkout.",
    complement: true,
  }),
  UNCONVERTED_ORDERS,
];

/** Events of a stage of buying (event/commerce-names.ts). */
function stage(name: string, is: number, title: string, description: string): AdditiveMetric {
  return count(name, sql`stage = ${raw(String(is))}`, ["stage"], { title, description });
}

/** Sessions with an event that a metric counts. */
function sessionsWith(name: string, counted: AdditiveMetric, condition: Sql, about: About): DistinctMetric {
  const where = { columns: counted.columns, sql: () => condition, cell: counted.cell };
  return distinct(name, "session_id", where, { scope: "session", ...about });
}

/** Those of some sessions that have an order too, before or behind the period as well. */
function bought(of: DistinctMetric): DistinctMetric {
  const { columns, sql: condition, cell } = of.where!;
  return {
    ...of,
    name: `${of.name}_with_order`,
    where: {
      columns,
      sql: condition,
      cell,
      whole: { columns: ["session_orders"], sql: sql`session_orders > 0` },
    },
  };
}

import sql, { raw, type Sql } from "sql-template-tag";
import type {
  AdditiveMetric,
  BaseMetric,
  DistinctCondition,
  DistinctMetric,
  Metric,
  RatioMetric,
  Relation,
  Scope,
  SessionSumMetric,
  Unit,
} from "./field.ts";

interface About {
  readonly title: string;
  readonly description: string;
  readonly unit?: Unit;
  readonly scope?: Scope;
  readonly factor?: number;
}

// Expressions over rows of events; docs/processing.md tells what order_kind and stage are.
const IS_ORDER = sql`order_kind = 1`;
const IS_REFUND = sql`order_kind = 3`;
const IS_CART = sql`stage = 3`;
const IS_CHECKOUT = sql`stage = 4`;

const events = count("events", sql`true`, [], {
  title: "Events",
  description: "Events of any name.",
});
const pageViews = count("page_views", sql`name = 'page_view'`, ["name"], {
  title: "Page views",
  description: "Events named page_view.",
});
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
const activeSeconds = sum("active_time", sql`active_ms / 1000.0::float8`, ["active_ms"], "active_seconds", {
  title: "Active time",
  description: "Time that pages were in view and focus.",
  unit: "seconds",
});

const visitors = distinct("visitors", "visitor_id", undefined, {
  title: "Visitors",
  description: "Different visitors. Who comes twice is one: a total is less than the sum of its parts.",
  scope: "visitor",
});
const sessions = distinct("sessions", "session_id", undefined, {
  title: "Sessions",
  description: "Different sessions with an event in the period.",
  scope: "session",
});
const newVisitors = distinct(
  "new_visitors",
  "visitor_id",
  { columns: ["visitor_first_time"], sql: ({ spanStart }) => sql`visitor_first_time >= ${spanStart}` },
  {
    title: "New visitors",
    description: "Visitors whose first event ever lies in the period.",
    scope: "visitor",
  },
);
const returningVisitors = distinct(
  "returning_visitors",
  "visitor_id",
  { columns: ["visitor_first_time"], sql: ({ spanStart }) => sql`visitor_first_time < ${spanStart}` },
  { title: "Returning visitors", description: "Visitors who came before the period too.", scope: "visitor" },
);
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
/** GA4's rule: ten seconds, two page views, or an order. */
const ENGAGED = sql`(session_active_ms >= 10000 OR session_last_time - session_first_time >= INTERVAL '10 seconds'
  OR session_page_views >= 2 OR session_orders > 0)`;
/** One page view and nothing else but what says that it is passive. */
const BOUNCED = sql`(session_page_views <= 1 AND session_active_events <= 1)`;
const WHOLE = [
  "session_active_ms",
  "session_first_time",
  "session_last_time",
  "session_page_views",
  "session_orders",
  "session_active_events",
];
const engagedSessions = distinct(
  "engaged_sessions",
  "session_id",
  { columns: WHOLE, sql: () => ENGAGED },
  {
    title: "Engaged sessions",
    description: "Sessions of ten seconds or more, with two page views or more, or with an order.",
    scope: "session",
  },
);
const bounces = distinct(
  "bounces",
  "session_id",
  { columns: WHOLE, sql: () => BOUNCED },
  {
    title: "Bounces",
    description: "Sessions of one page view and no other event but passive ones.",
    scope: "session",
  },
);
const sessionSeconds: SessionSumMetric = {
  kind: "session_sum",
  name: "session_time",
  title: "Session time",
  description: "From the first to the last event of each session, added up.",
  scope: "session",
  unit: "seconds",
  relation: "events",
  measure: {
    columns: ["session_first_time", "session_last_time"],
    sql: sql`(extract(epoch FROM session_last_time - session_first_time) * 1000)::bigint`,
  },
  // Whole ms add up exactly.
  factor: 1e-3,
};
const entrances = count(
  "entrances",
  sql`true`,
  [],
  { title: "Entrances", description: "Sessions' first page views.", scope: "session" },
  "entrances",
);
const exits = count(
  "exits",
  sql`true`,
  [],
  { title: "Exits", description: "Sessions' last page views.", scope: "session" },
  "exits",
);

const scrollDepth = sum("scroll_sum", sql`scroll_percent`, ["scroll_percent"], undefined, {
  title: "Scrolled",
  description: "Parts of pages that were seen, added up.",
  unit: "percent",
});
const scrolls = count("scroll_reports", sql`scroll_percent IS NOT NULL`, ["scroll_percent"], {
  title: "Scroll reports",
  description: "Events that tell how much of a page was seen.",
});

const itemsViewed = item("items_viewed", 2, "Items viewed", "Views of items, each by its quantity.");
const itemsAdded = item("items_added", 3, "Items added", "Items put into the cart.");
const itemsBought = sum(
  "items_bought",
  sql`CASE stage WHEN 5 THEN quantity_micros WHEN 6 THEN -quantity_micros END`,
  ["stage", "quantity_micros"],
  undefined,
  {
    title: "Items bought",
    description: "Items of orders less those of refunds.",
    unit: "number",
    scope: "item",
    factor: 1e-6,
  },
  "items",
);
const itemRevenue = amount(
  "item_revenue",
  sql`item_revenue_micros`,
  ["item_revenue_micros"],
  undefined,
  {
    title: "Item revenue",
    description: "Price by quantity of items of orders, less that of items of refunds.",
    scope: "item",
  },
  "items",
);
const itemViewers = itemVisitors("item_viewers", 2, "Item viewers", "Visitors who viewed an item.");
const itemAdders = itemVisitors("item_adders", 3, "Item adders", "Visitors who put an item into the cart.");
const itemBuyers = itemVisitors("item_buyers", 5, "Item buyers", "Visitors who ordered an item.");

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

/** Every metric but those of the merchant's own (properties.ts, goals.ts), declared once. */
export const METRICS: readonly Metric[] = [
  events,
  pageViews,
  visitors,
  newVisitors,
  returningVisitors,
  sessions,
  engagedSessions,
  ratio("engagement_rate", engagedSessions, sessions, {
    title: "Engagement rate",
    description: "Engaged sessions by sessions.",
  }),
  bounces,
  ratio("bounce_rate", bounces, sessions, { title: "Bounce rate", description: "Bounces by sessions." }),
  ratio("session_duration", sessionSeconds, sessions, {
    title: "Session duration",
    description: "Average time from the first to the last event of a session.",
    unit: "seconds",
  }),
  ratio("views_per_session", pageViews, sessions, {
    title: "Views per session",
    description: "Page views by sessions.",
    unit: "number",
  }),
  activeSeconds,
  ratio("time_on_page", activeSeconds, pageViews, {
    title: "Time on page",
    description: "Active time by page views.",
    unit: "seconds",
  }),
  ratio("scroll_depth", scrollDepth, scrolls, {
    title: "Scroll depth",
    description: "Average part of a page that was seen.",
    unit: "percent",
  }),
  entrances,
  exits,
  ratio("exit_rate", exits, pageViews, { title: "Exit rate", description: "Exits by page views." }),

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

  itemsViewed,
  itemsAdded,
  itemsBought,
  itemRevenue,
  itemViewers,
  itemAdders,
  itemBuyers,
  ratio("cart_to_view_rate", itemAdders, itemViewers, {
    title: "Cart-to-view rate",
    description: "Visitors who put the item into the cart, by visitors who viewed it.",
    scope: "item",
  }),
  ratio("buy_to_view_rate", itemBuyers, itemViewers, {
    title: "Buy-to-view rate",
    description: "Visitors who ordered the item, by visitors who viewed it.",
    scope: "item",
  }),
];

function count(
  name: string,
  condition: Sql,
  columns: readonly string[],
  about: About,
  relation: Relation = "events",
): AdditiveMetric {
  const rows = columns.length === 0 ? sql`count(*)` : sql`count(*) FILTER (WHERE ${condition})`;
  return {
    kind: "additive",
    name,
    scope: "event",
    unit: "count",
    ...about,
    relation,
    columns,
    rows,
    cell: name,
    biColumn: name,
  };
}

function sum(
  name: string,
  value: Sql,
  columns: readonly string[],
  cell: string | undefined,
  about: About,
  relation: Relation = "events",
): AdditiveMetric {
  const rows = sql`sum(${value})`;
  return {
    kind: "additive",
    name,
    scope: "event",
    unit: "number",
    ...about,
    relation,
    columns,
    rows,
    cell,
    biColumn: name,
  };
}

function amount(
  name: string,
  value: Sql,
  columns: readonly string[],
  cell: string | undefined,
  about: About,
  relation: Relation = "events",
): AdditiveMetric {
  return sum(name, value, columns, cell, { scope: "order", unit: "currency", ...about }, relation);
}

/** What a metric's number is multiplied by to be in its unit. */
export function factorOf(metric: Metric): number {
  return metric.kind === "additive" || metric.kind === "session_sum" ? (metric.factor ?? 1) : 1;
}

/** Events of a stage of buying (event/commerce-names.ts). */
function stage(name: string, is: number, title: string, description: string): AdditiveMetric {
  return count(name, sql`stage = ${raw(String(is))}`, ["stage"], { title, description });
}

function distinct(
  name: string,
  of: DistinctMetric["of"],
  where: DistinctCondition | undefined,
  about: About,
  relation: Relation = "events",
): DistinctMetric {
  return {
    kind: "distinct",
    name,
    scope: "event",
    unit: "count",
    ...about,
    relation,
    of,
    where,
    biColumn: name,
  };
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

function item(name: string, stageOf: number, title: string, description: string): AdditiveMetric {
  const value = sql`CASE stage WHEN ${raw(String(stageOf))} THEN quantity_micros END`;
  const about = { title, description, scope: "item", factor: 1e-6 } as const;
  return sum(name, value, ["stage", "quantity_micros"], undefined, about, "items");
}

function itemVisitors(name: string, stageOf: number, title: string, description: string): DistinctMetric {
  const where = { columns: ["stage"], sql: () => sql`stage = ${raw(String(stageOf))}` };
  return distinct(name, "visitor_id", where, { title, description, scope: "item" }, "items");
}

function ratio(
  name: string,
  numerator: BaseMetric,
  denominator: BaseMetric,
  about: About & { readonly complement?: boolean },
): RatioMetric {
  // Micros are not told as such outside of sums: an average is a number of units.
  const factor = numerator.unit === "currency" ? 1e-6 : factorOf(numerator);
  return {
    kind: "ratio",
    name,
    scope: numerator.scope,
    unit: "ratio",
    ...about,
    numerator,
    denominator,
    factor,
    biColumn: name,
  };
}

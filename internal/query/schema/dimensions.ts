import sql, { raw, type Sql } from "sql-template-tag";
import type { Dimension, RowContext, Scope } from "./field.ts";

/** The dimension by which rows are told apart by buckets of time: its values are made where edges are known. */
export const TIME: Dimension = {
  kind: "dimension",
  name: "time",
  title: "Time",
  description: "Bucket of the event's time, as long as the question's granularity.",
  scope: "event",
  type: "bucket",
  filterable: false,
  groupable: true,
  columns: ["time"],
  sql: () => {
    throw new TypeError("the dimension time has no value of its own");
  },
};

/** Every dimension but those of the merchant's own (properties.ts, goals.ts), declared once. */
export const DIMENSIONS: readonly Dimension[] = [
  TIME,
  byClock("hour", "Hour", "Hour of the local day, 0 to 23.", "hour"),
  byClock("weekday", "Weekday", "Day of the local week, 1 (Monday) to 7.", "isodow"),

  column("event_name", "Event", "Name of the event.", "name"),
  column("page", "Page", "Path of the event's url, without host, query and fragment.", "page"),
  column("host", "Host", "Host of the event's url, in lower case.", "host"),
  column("title", "Title", "Title of the page.", "title"),
  column(
    "referrer_host",
    "Referrer",
    "Host of the referrer; a page of the same site is none.",
    "referrer_host",
  ),

  column("language", "Language", "The visitor's language, as the SDK told it.", "language"),
  column("country", "Country", "The visitor's country, ISO 3166-1 alpha-2.", "country"),
  column("region", "Region", "The visitor's region, where the geo database knows it.", "region"),
  column("city", "City", "The visitor's city, where the geo database knows it.", "city"),
  column("browser", "Browser", "The visitor's browser.", "browser"),
  column("browser_version", "Browser version", "Major version of the browser.", "browser_version"),
  column("os", "Operating system", "The visitor's operating system.", "os"),
  column("os_version", "Operating system version", "Version of the operating system.", "os_version"),
  column("device_type", "Device", "desktop, mobile, tablet, tv or other.", "device_type"),
  {
    ...column("screen_size", "Screen size", "Size of the screen in CSS pixels, such as 1920x1080.", "screen"),
    columns: ["screen_width", "screen_height"],
    sql: () => sql`screen_width || 'x' || screen_height`,
  },

  column("coupon", "Coupon", "Coupon of the order.", "order_coupon", "order"),
  column("currency", "Currency", "Currency of the order, ISO 4217.", "order_currency", "order"),
  column("market", "Market", "Market, store or point of sale of the order.", "order_market", "order"),
  column(
    "payment_method",
    "Payment method",
    "Kind of payment of the order.",
    "order_payment_method",
    "order",
  ),

  ofSession("channel", "Channel", "Channel group that brought the visit, by GA4's default rules."),
  ofSession("source", "Source", "Where the visit came from: a site, or utm_source."),
  ofSession("medium", "Medium", "How the visit came: organic, referral, cpc, email or utm_medium."),
  ofSession("campaign", "Campaign", "utm_campaign of the visit."),
  ofSession("campaign_id", "Campaign id", "utm_id of the visit."),
  ofSession("campaign_term", "Campaign term", "utm_term of the visit."),
  ofSession("campaign_content", "Campaign content", "utm_content of the visit."),
  ofSession("click_id", "Click id", "Parameter of the click id that brought the visit, such as gclid."),
  ofSession(
    "entry_page",
    "Entry page",
    "Page of the session's first page view, also where that was before the period.",
  ),
  ofSession(
    "exit_page",
    "Exit page",
    "Page of the session's last page view, also where that was behind the period.",
  ),

  {
    kind: "dimension",
    name: "visitor_type",
    title: "New or returning",
    description: "new: the visitor's first event ever lies in the period. returning: it was before.",
    scope: "visitor",
    type: "text",
    filterable: true,
    groupable: true,
    columns: ["visitor_first_time"],
    sql: ({ spanStart }) => sql`CASE WHEN visitor_first_time < ${spanStart} THEN 'returning' ELSE 'new' END`,
  },

  ofItem("item_id", "Item", "The item, by the shop's own number."),
  ofItem("item_name", "Item name", "The item's name."),
  ofItem("item_brand", "Item brand", "The item's brand."),
  ofItem("item_category", "Item category", "The item's category, with levels parted by /."),
  ofItem("item_variant", "Item variant", "The item's variant, such as colour or size."),
  ofItem("item_list", "Item list", "List or block in which the item was shown."),
  ofItem("item_promotion", "Item promotion", "Promotion that showed the item."),

  column("bot_name", "Bot", "Name of the bot, as its operator writes it; people have none.", "bot_name"),
  column(
    "bot_kind",
    "Kind of bot",
    "What the bot is there for: search_engine, ai_crawler, seo ...",
    "bot_kind",
  ),
];

/** A dimension that is a text column of the rows. */
function column(
  name: string,
  title: string,
  description: string,
  of: string,
  scope: Scope = "event",
): Dimension {
  return {
    kind: "dimension",
    name,
    title,
    description,
    scope,
    type: "text",
    filterable: true,
    groupable: true,
    columns: [of],
    sql: () => raw(of),
    biColumn: name,
  };
}

/** What brought a session, or its pages: columns of whole sessions (plan/columns.ts). */
function ofSession(name: string, title: string, description: string): Dimension {
  return { ...column(name, title, description, `session_${name}`, "session"), biColumn: name };
}

function ofItem(name: string, title: string, description: string): Dimension {
  return column(name, title, description, name, "item");
}

/** A field of the local clock. */
function byClock(name: string, title: string, description: string, field: string): Dimension {
  const value = ({ time, timeZone }: RowContext): Sql =>
    sql`extract(${raw(field)} FROM ${time} AT TIME ZONE ${timeZone}::text)::float8`;
  return { ...column(name, title, description, "time"), type: "number", sql: value, biColumn: undefined };
}

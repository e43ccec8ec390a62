// Columns that dimensions and metrics may be made of, beside those of rows.

/** Columns of a whole session (sql/facts.ts), in whatever part of it a row is. */
export const SESSION_COLUMNS: ReadonlySet<string> = new Set([
  "session_first_time",
  "session_last_time",
  "session_page_views",
  "session_non_passive_events",
  "session_active_ms",
  "session_orders",
  "session_channel",
  "session_source",
  "session_medium",
  "session_campaign",
  "session_campaign_id",
  "session_campaign_term",
  "session_campaign_content",
  "session_click_id",
  "session_entry_page",
  "session_exit_page",
]);

/** Columns of a whole visitor (the table visitors). */
export const VISITOR_COLUMNS: ReadonlySet<string> = new Set(["visitor_first_time"]);

/** What the table items calls the columns of items. */
export const ITEM_COLUMN_NAMES: Readonly<Record<string, string>> = {
  item_id: "item_id",
  item_name: "name",
  item_brand: "brand",
  item_category: "category",
  item_variant: "variant",
  item_list: "list_id",
  item_promotion: "promotion_id",
  quantity_micros: "quantity_micros",
  item_revenue_micros: "revenue_micros",
};

/** Columns of items; those of the item's event are to be had beside them. */
export const ITEM_COLUMNS: ReadonlySet<string> = new Set(Object.keys(ITEM_COLUMN_NAMES));

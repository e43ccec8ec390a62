import type { Rollup, RowSource } from "../../store/breakdown/query.ts";

/** A dimension: what events, or the items of orders, are told apart by. */
export interface Dimension {
  /** One sentence for people, used wherever dimensions are listed. */
  readonly description: string;
  /** SQL text value over one row of what `rows` names; null where it has none. */
  readonly value: string;
  /** Which rows: store/breakdown/query.ts tells them. Default: events, each by its own value. */
  readonly rows?: RowSource["rows"];
  /**
   * The aggregates that have the same values of large merchants, and their column; docs/decisions/010 tells why those.
   * Absent: rows answer.
   */
  readonly rollup?: Rollup;
}

/** As it was sent, but for the case, the port and a last dot; browsers send hosts in ASCII. IPv6 is in brackets. */
const REFERRER_HOST = `lower(rtrim(substring(referrer,
  '^[a-zA-Z][a-zA-Z0-9+.-]*://(?:[^/?#@]*@)?(\\[[^]/?#]*\\]|[^/?#:]+)'), '.') COLLATE "C")`;

/** Every dimension, declared once. To add one, add it here and to the wire's enum. */
export const DIMENSIONS = {
  event_name: { description: "Name of the event.", value: "name", ...kept("event_names_1d", "name") },
  page: {
    description: "Path of the event's url.",
    value: "page",
    rollup: {
      tables: { day: "pages_1d", week: "pages_7d", four_weeks: "pages_28d" },
      value: "page",
      isSampled: true,
    },
  },
  entry_page: {
    description: "Page of the first page view of the event's session.",
    value: "page",
    rows: "first_page_view",
  },
  exit_page: {
    description: "Page of the last page view of the event's session.",
    value: "page",
    rows: "last_page_view",
  },
  host: {
    description: "Host of the event's url.",
    value: "host",
    ...kept("event_names_1d", "host"),
  },
  referrer_host: {
    description: "Host of the referrer.",
    value: REFERRER_HOST,
  },
  language: { description: "Language of the visitor.", value: "language", ...kept("devices_1d", "language") },
  channel: { description: "Channel group that brought the visitor.", ...visitSource("channel") },
  source: { description: "Where the visitor came from.", ...visitSource("source") },
  medium: { description: "How the visitor came.", ...visitSource("medium") },
  campaign: { description: "Campaign that brought the visitor.", ...visitSource("campaign") },
  country: {
    description: "Country of the visitor, ISO 3166-1 alpha-2.",
    value: "country",
    ...kept("places_1d", "country"),
  },
  region: { description: "Region of the visitor.", value: "region", ...kept("places_1d", "region") },
  city: { description: "City of the visitor.", value: "city", ...kept("places_1d", "city") },
  browser: { description: "Browser.", value: "browser", ...kept("devices_1d", "browser") },
  os: { description: "Operating system.", value: "os", ...kept("devices_1d", "os") },
  device_type: { description: "Kind of device.", value: "device_type", ...kept("devices_1d", "device_type") },
  bot_name: { description: "Name of the bot; people have none.", value: "bot_name" },
  bot_kind: { description: "What the bot is there for; people have none.", value: "bot_kind" },
  item_id: { description: "Item of an order, by the shop's own number.", value: "item_id", rows: "items" },
  item_name: { description: "Name of an item of an order.", value: "name", rows: "items" },
  item_brand: { description: "Brand of an item of an order.", value: "brand", rows: "items" },
  item_category: { description: "Category of an item of an order.", value: "category", rows: "items" },
} as const satisfies Readonly<Record<string, Dimension>>;

function kept(day: string, value: string): { readonly rollup: Rollup } {
  // What a visit has few values of. Names of events differ within it: its rows would be as many again.
  const visits = day === "event_names_1d" ? undefined : "visits_1d";
  return { rollup: { tables: { day }, value, visits, isSampled: true } };
}

/** Of what brought the visit, not of each event: an order counts for it too. */
function visitSource(value: string) {
  return { value, rows: "visit_source", rollup: { tables: {}, value, visits: "visits_1d" } } as const;
}

/** The name of a declared dimension. */
export type DimensionName = keyof typeof DIMENSIONS;

/** The declaration of a dimension, by its general type. */
export function dimensionOf(name: DimensionName): Dimension {
  return DIMENSIONS[name];
}

/** A dimension: what events are told apart by. */
export interface Dimension {
  /** One sentence for people, used wherever dimensions are listed. */
  readonly description: string;
  /** SQL text value over one row of `events`; null where the event has none. */
  readonly value: string;
}

/** Every dimension, declared once. To add one, add it here and to the wire's enum. */
export const DIMENSIONS = {
  event_name: { description: "Name of the event.", value: "name" },
  page: {
    description: "Path of the event's url.",
    // Urls are absolute; one without a path is its site's root.
    value: "regexp_replace(substring(url, '^[a-zA-Z][a-zA-Z0-9+.-]*://[^/?#]*([^?#]*)'), '^$', '/')",
  },
  host: {
    description: "Host of the event's url.",
    value: "lower(substring(url, '^[a-zA-Z][a-zA-Z0-9+.-]*://(?:[^/?#@]*@)?([^/?#:]+)'))",
  },
  referrer_host: {
    description: "Host of the referrer.",
    value: "lower(substring(referrer, '^[a-zA-Z][a-zA-Z0-9+.-]*://(?:[^/?#@]*@)?([^/?#:]+)'))",
  },
  language: { description: "Language of the visitor.", value: "language" },
  channel: { description: "Channel group that brought the visitor.", value: "channel" },
  source: { description: "Where the visitor came from.", value: "source" },
  medium: { description: "How the visitor came.", value: "medium" },
  campaign: { description: "Campaign that brought the visitor.", value: "campaign" },
  country: { description: "Country of the visitor, ISO 3166-1 alpha-2.", value: "country" },
  region: { description: "Region of the visitor.", value: "region" },
  city: { description: "City of the visitor.", value: "city" },
  browser: { description: "Browser.", value: "browser" },
  os: { description: "Operating system.", value: "os" },
  device_type: { description: "Kind of device.", value: "device_type" },
} as const satisfies Readonly<Record<string, Dimension>>;

/** The name of a declared dimension. */
export type DimensionName = keyof typeof DIMENSIONS;

import type { Metric } from "./field.ts";
import { COMMERCE_METRICS } from "./metrics/commerce.ts";
import { ITEM_METRICS } from "./metrics/items.ts";
import { TRAFFIC_METRICS } from "./metrics/traffic.ts";

/** Every metric but those of the merchant's own (properties.ts, goals.ts), declared once. */
export const METRICS: readonly Metric[] = [...TRAFFIC_METRICS, ...COMMERCE_METRICS, ...ITEM_METRICS];

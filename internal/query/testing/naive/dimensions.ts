import type { Goal } from "../../../store/goals.ts";
import type { Test } from "../../question/filter.ts";
import { EVENT_TEXTS, type EventText, type Item, type Order, type StoredEvent, type Touch } from "./event.ts";
import { fitsWildcard } from "./wildcard.ts";
import type { Seen, World } from "./world.ts";

/** A value of a dimension; null: none. Of `time` the position of the bucket. */
export type DimensionValue = string | number | null;

type ValueOf = (seen: Seen, world: World) => DimensionValue;

const PROPERTY = "property:";

const OF_ITEMS: Readonly<Record<string, (item: Item) => string | null>> = {
  item_id: ({ id }) => id,
  item_name: ({ name }) => name,
  item_brand: ({ brand }) => brand,
  item_category: ({ category }) => category,
  item_variant: ({ variant }) => variant,
  item_list: ({ list }) => list,
  item_promotion: ({ promotion }) => promotion,
};

const OF_TOUCHES: Readonly<Record<string, keyof Touch>> = {
  channel: "channel",
  source: "source",
  medium: "medium",
  campaign: "campaign",
  campaign_id: "campaignId",
  campaign_term: "campaignTerm",
  campaign_content: "campaignContent",
  click_id: "clickId",
};

const OF_ORDERS: Readonly<Record<string, keyof Order>> = {
  coupon: "coupon",
  currency: "currency",
  market: "market",
  payment_method: "paymentMethod",
};

const VALUES: Readonly<Record<string, ValueOf>> = {
  event_name: ({ event }) => event.name,
  time: ({ event }, { span: { edges, positions } }) => {
    const bucket = edges!.findLastIndex((edge) => edge <= event.time);
    return positions === undefined ? bucket : positions[bucket]!;
  },
  hour: ({ event }, { timeZone }) => local(event, timeZone).hour,
  weekday: ({ event }, { timeZone }) => local(event, timeZone).dayOfWeek,
  screen_size: ({ event: { screen } }) => (screen === null ? null : `${screen[0]}x${screen[1]}`),
  entry_page: ({ event }, world) => world.session(event).pageViews[0]?.texts.page ?? null,
  exit_page: ({ event }, world) => world.session(event).pageViews.at(-1)?.texts.page ?? null,
  visitor_type: ({ event }, world) => (world.firstTime(event) < world.span.start ? "returning" : "new"),
};

/** Whether values of a dimension are those of items. */
export function hasItemValues(name: string): boolean {
  return OF_ITEMS[name] !== undefined;
}

/** All that an event is of a dimension: one value, or none as null; of `goal` maybe several. */
export function dimensionValues(name: string, seen: Seen, world: World): DimensionValue[] {
  if (name !== "goal") return [dimensionOf(name, seen, world)];
  const reached = world.goals.filter((goal) => reaches(seen.event, goal)).map((goal) => goal.name);
  return reached.length === 0 ? [null] : reached;
}

/** What a test looks at: of a property that is tested by numbers the numbers alone, else what rows are told apart by. */
export function testedValues(name: string, kind: Test["kind"], seen: Seen, world: World): DimensionValue[] {
  if (kind !== "number" || !name.startsWith(PROPERTY)) return dimensionValues(name, seen, world);
  const value = seen.event.properties[name.slice(PROPERTY.length)];
  return [typeof value === "number" ? value : null];
}

/** Whether an event has all that a goal names. */
export function reaches({ name, texts }: StoredEvent, { eventName, pagePattern }: Goal): boolean {
  if (eventName !== undefined && eventName !== name) return false;
  return pagePattern === undefined || (texts.page != null && fitsWildcard(texts.page, pagePattern));
}

/** What an event, or an item of it, is of a dimension; an empty text is none. */
function dimensionOf(name: string, seen: Seen, world: World): DimensionValue {
  const value = plainValue(name, seen, world);
  return value === "" ? null : value;
}

function plainValue(name: string, seen: Seen, world: World): DimensionValue {
  const { event, item } = seen;
  if (EVENT_TEXTS.includes(name as EventText)) return event.texts[name as EventText] ?? null;
  if (OF_ITEMS[name] !== undefined) return item === undefined ? null : OF_ITEMS[name](item);
  if (OF_TOUCHES[name] !== undefined) {
    const brought = world.session(event).events.find(({ touch }) => touch !== null);
    return brought?.touch?.[OF_TOUCHES[name]] ?? null;
  }
  if (OF_ORDERS[name] !== undefined) return (event.order?.[OF_ORDERS[name]] as string | null) ?? null;
  if (name.startsWith(PROPERTY)) {
    const value = event.properties[name.slice(PROPERTY.length)];
    return value === undefined ? null : String(value);
  }
  const known = VALUES[name];
  if (known === undefined) throw new TypeError(`dimension ${name}`);
  return known(seen, world);
}

function local({ time }: StoredEvent, timeZone: string): Temporal.ZonedDateTime {
  return Temporal.Instant.fromEpochMilliseconds(time).toZonedDateTimeISO(timeZone);
}

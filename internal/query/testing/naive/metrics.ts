import { reaches } from "./dimensions.ts";
import type { Order, StoredEvent } from "./event.ts";
import type { Seen, Session, World } from "./world.ts";

/** A whole number, a number, or NaN for none. */
export type MetricValue = bigint | number;

/** The rows that one value is counted over. */
export interface Slice {
  readonly world: World;
  readonly events: readonly StoredEvent[];
  /** Items of the events of the question; not of `events` where items were filtered. */
  readonly items: readonly Seen[];
}

type Count = (slice: Slice) => MetricValue;

const count = (test: (event: StoredEvent, world: World) => boolean): Count => {
  return ({ events, world }) => BigInt(events.filter((event) => test(event, world)).length);
};
const distinct = (
  of: "visitor" | "session",
  test: (event: StoredEvent, world: World) => boolean = () => true,
): Count => {
  return ({ events, world }) =>
    BigInt(new Set(events.filter((event) => test(event, world)).map((event) => event[of])).size);
};
const money = (amount: (order: Order) => bigint | null): Count => {
  return ({ events }) => events.reduce((sum, { order }) => sum + ((order && amount(order)) || 0n), 0n);
};
const total = (value: (event: StoredEvent) => number | null): Count => {
  return ({ events }) => events.reduce((sum, event) => sum + (value(event) ?? 0), 0);
};
const ratio = (above: Count, below: Count, factor = 1): Count => {
  return (slice) => {
    const divisor = Number(below(slice));
    return divisor === 0 ? Number.NaN : (Number(above(slice)) / divisor) * factor;
  };
};
const complement = (of: Count): Count => {
  return (slice) => 1 - Number(of(slice));
};
const quantity = (signs: Readonly<Record<number, 1 | -1>>): Count => {
  return ({ items }) =>
    items.reduce((sum, { item }) => sum + (signs[item!.stage] ?? 0) * Number(item!.quantityMicros), 0) / 1e6;
};
const itemVisitors = (stage: number): Count => {
  return ({ items }) =>
    BigInt(new Set(items.filter(({ item }) => item!.stage === stage).map(({ event }) => event.visitor)).size);
};

const isOrder = ({ order }: StoredEvent) => order?.kind === 1;
const hasStage = (stage: number) => (event: StoredEvent) => event.stage === stage;
const isNew = (event: StoredEvent, world: World) => world.firstTime(event) >= world.span.start;
const ordered = (event: StoredEvent, world: World) => world.session(event).events.some(isOrder);

function isEngaged(event: StoredEvent, world: World): boolean {
  const session = world.session(event);
  const activeMs = session.events.reduce((sum, { activeMs }) => sum + (activeMs ?? 0), 0);
  return (
    activeMs >= 10_000 ||
    lengthMs(session) >= 10_000 ||
    session.pageViews.length >= 2 ||
    session.events.some(isOrder)
  );
}

function isBounce(event: StoredEvent, world: World): boolean {
  const { pageViews, events } = world.session(event);
  return pageViews.length <= 1 && events.filter(({ isPassive }) => !isPassive).length <= 1;
}

function lengthMs({ events }: Session): number {
  return events.at(-1)!.time - events[0]!.time;
}

function sessionSeconds({ events, world }: Slice): number {
  const firsts = new Map(events.map((event) => [event.session, event]));
  return [...firsts.values()].reduce((sum, event) => sum + lengthMs(world.session(event)), 0) / 1_000;
}

const pageViews = count(({ name }) => name === "page_view");
const visitors = distinct("visitor");
const sessions = distinct("session");
const orders = count(isOrder);
const revenue = money(({ revenueMicros }) => revenueMicros);
const gross = money(({ kind, revenueMicros }) => (kind === 1 ? revenueMicros : null));
const activeTime = total(({ activeMs }) => (activeMs === null ? null : activeMs / 1_000));
const isEntrance = (event: StoredEvent, world: World) => world.session(event).pageViews[0] === event;
const isExit = (event: StoredEvent, world: World) => world.session(event).pageViews.at(-1) === event;
const entrances = count(isEntrance);
const exits = count(isExit);

const METRICS: Readonly<Record<string, Count>> = {
  events: count(() => true),
  page_views: pageViews,
  visitors,
  new_visitors: distinct("visitor", isNew),
  returning_visitors: distinct("visitor", (event, world) => !isNew(event, world)),
  sessions,
  engaged_sessions: distinct("session", isEngaged),
  engagement_rate: ratio(distinct("session", isEngaged), sessions),
  bounces: distinct("session", isBounce),
  bounce_rate: ratio(distinct("session", isBounce), sessions),
  session_duration: ratio(sessionSeconds, sessions),
  views_per_session: ratio(pageViews, sessions),
  active_time: activeTime,
  time_on_page: ratio(activeTime, pageViews),
  scroll_depth: ratio(
    total(({ scrollPercent }) => scrollPercent),
    count(({ scrollPercent }) => scrollPercent !== null),
  ),
  entrances,
  exits,
  exit_rate: ratio(exits, pageViews),
  orders,
  purchasers: distinct("visitor", isOrder),
  purchaser_rate: ratio(distinct("visitor", isOrder), visitors),
  purchase_sessions: distinct("session", isOrder),
  conversion_rate: ratio(distinct("session", isOrder), sessions),
  revenue,
  gross_revenue: gross,
  refunds: count(({ order }) => order?.kind === 3),
  refund_amount: money(({ kind, revenueMicros }) => (kind === 3 ? -(revenueMicros ?? 0n) : null)),
  tax: money(({ kind, taxMicros }) => (kind === 1 ? taxMicros : null)),
  shipping: money(({ kind, shippingMicros }) => (kind === 1 ? shippingMicros : null)),
  discount: money(({ kind, discountMicros }) => (kind === 1 ? discountMicros : null)),
  average_order_value: ratio(gross, orders, 1e-6),
  revenue_per_visitor: ratio(revenue, visitors, 1e-6),
  revenue_per_session: ratio(revenue, sessions, 1e-6),
  add_to_carts: count(hasStage(3)),
  checkouts: count(hasStage(4)),
  cart_sessions: distinct("session", hasStage(3)),
  checkout_sessions: distinct("session", hasStage(4)),
  cart_abandonment: abandonment(3),
  checkout_abandonment: abandonment(4),
  unconverted_orders: count(
    ({ order }) => order !== null && [1, 3].includes(order.kind) && order.revenueMicros === null,
  ),
  items_viewed: quantity({ 2: 1 }),
  items_added: quantity({ 3: 1 }),
  items_bought: quantity({ 5: 1, 6: -1 }),
  item_revenue: ({ items }) => items.reduce((sum, { item }) => sum + (item!.revenueMicros ?? 0n), 0n),
  item_viewers: itemVisitors(2),
  item_adders: itemVisitors(3),
  item_buyers: itemVisitors(5),
  cart_to_view_rate: ratio(itemVisitors(3), itemVisitors(2)),
  buy_to_view_rate: ratio(itemVisitors(5), itemVisitors(2)),
};

function abandonment(stage: number): Count {
  const isSo = hasStage(stage);
  return complement(
    ratio(
      distinct("session", (event, world) => isSo(event) && ordered(event, world)),
      distinct("session", isSo),
    ),
  );
}

/** Whether a metric is counted over items. */
export function countsItems(name: string): boolean {
  return name.startsWith("item") || name === "cart_to_view_rate" || name === "buy_to_view_rate";
}

/** Whether an event makes a row of what is counted by a metric: of entrances and exits these page views alone do. */
export function makesRow(name: string, event: StoredEvent, world: World): boolean {
  if (name === "entrances") return isEntrance(event, world);
  if (name === "exits") return isExit(event, world);
  return !countsItems(name);
}

/** A metric over rows. */
export function metricOf(name: string, slice: Slice): MetricValue {
  const known = METRICS[name] ?? propertyMetric(name) ?? goalMetric(name);
  if (known === undefined) throw new TypeError(`metric ${name}`);
  return known(slice);
}

/** "goal:ID:conversions", ":visitors", ":conversion_rate" or ":value". */
function goalMetric(name: string): Count | undefined {
  const [, id, how] = /^goal:(\d+):(conversions|visitors|conversion_rate|value)$/.exec(name) ?? [];
  if (id === undefined) return undefined;
  return (slice) => {
    const goal = slice.world.goals.find(({ goalId }) => goalId === Number(id))!;
    const reached = slice.events.filter((event) => reaches(event, goal));
    const who = visitors({ ...slice, events: reached });
    if (how === "conversions") return BigInt(reached.length);
    if (how === "visitors") return who;
    if (how === "value")
      return sumOf(reached.map(({ order }) => goal.valueMicros ?? order?.revenueMicros ?? 0n));
    return ratio(() => who, visitors)(slice);
  };
}

function sumOf(values: readonly bigint[]): bigint {
  return values.reduce((sum, value) => sum + value, 0n);
}

/** "property:NAME:sum", ":average", ":count", ":min", ":max" or ":p90". */
function propertyMetric(name: string): Count | undefined {
  const parts = /^property:(.+):(sum|average|count|min|max|p\d+)$/.exec(name);
  if (parts === null) return undefined;
  const [, property, how] = parts as unknown as [string, string, string];
  return ({ events }) => {
    const values = events
      .map(({ properties }) => properties[property])
      .filter((value) => typeof value === "number")
      .sort((a, b) => a - b);
    const sum = values.reduce((all, value) => all + value, 0);
    switch (how) {
      case "sum":
        return sum;
      case "count":
        return BigInt(values.length);
      case "average":
        return values.length === 0 ? Number.NaN : sum / values.length;
      case "min":
      case "max":
        return values.at(how === "min" ? 0 : -1) ?? Number.NaN;
      default:
        return percentileCont(values, Number(how.slice(1)) / 100);
    }
  };
}

/** As SQL's percentile_cont. @param values in ascending order */
export function percentileCont(values: readonly number[], at: number): number {
  if (values.length === 0) return Number.NaN;
  const place = (values.length - 1) * at;
  const [low, high] = [values[Math.floor(place)]!, values[Math.ceil(place)]!];
  return low + (high - low) * (place - Math.floor(place));
}

import type { Goal } from "../../../store/goals.ts";
import type { Scoped, Span, Traffic } from "../../question/question.ts";
import type { Item, StoredEvent } from "./event.ts";

const DAY_MS = 86_400_000;

/** A session as a whole. */
export interface Session {
  /** In the order of time. */
  readonly events: readonly StoredEvent[];
  readonly pageViews: readonly StoredEvent[];
}

/** What is known where one span is looked at: all that may be looked up for an event in it. */
export interface World {
  readonly span: Span;
  readonly timeZone: string;
  /** The merchant's. */
  readonly goals: readonly Goal[];
  /** Events of the traffic in the span. */
  readonly events: readonly StoredEvent[];
  session(of: StoredEvent): Session;
  /** The visitor's events in the span. */
  visitor(of: StoredEvent): readonly StoredEvent[];
  /** When the visitor's first event of the traffic ever was. */
  firstTime(of: StoredEvent): number;
}

/** A row that is counted: an event, or an item of it. */
export interface Seen {
  readonly event: StoredEvent;
  readonly item: Item | undefined;
}

export function worldOf(
  all: readonly StoredEvent[],
  question: Scoped,
  span: Span,
  goals: readonly Goal[],
): World {
  const { merchant, traffic, timeZone, identity } = question;
  const ofMerchant = all.filter(({ merchantId }) => merchantId === merchant.merchantId);
  const own = identity === "visitor" ? ofMerchant : ofPersons(ofMerchant, traffic, span);
  const asked = own.filter((event) => isOf(traffic, event)).sort(byTime);
  const around = asked.filter(({ time }) => time >= span.start - DAY_MS && time < span.end + DAY_MS);
  const sessions = Map.groupBy(around, ({ session }) => session);
  const events = asked.filter(({ time }) => time >= span.start && time < span.end);
  const visitors = Map.groupBy(events, ({ visitor }) => visitor);
  const first = new Map<number, number>();
  for (const { visitor, time } of asked) first.set(visitor, Math.min(time, first.get(visitor) ?? time));
  return {
    span,
    timeZone,
    goals,
    events,
    session: (of) => sessionOf(sessions.get(of.session)!),
    visitor: (of) => visitors.get(of.visitor)!,
    firstTime: (of) => first.get(of.visitor)!,
  };
}

/** Events whose visitor is the only user that signed in as it in the span, if there is one. */
function ofPersons(own: readonly StoredEvent[], traffic: Traffic, { start, end }: Span): StoredEvent[] {
  const users = new Map<number, Set<number>>();
  for (const event of own) {
    if (!isOf(traffic, event) || event.time < start || event.time >= end || event.user === null) continue;
    users.set(event.visitor, (users.get(event.visitor) ?? new Set()).add(event.user));
  }
  return own.map((event) => {
    const [user, ...others] = users.get(event.visitor) ?? [];
    return user === undefined || others.length > 0 ? event : { ...event, visitor: user };
  });
}

function isOf(traffic: Traffic, { isBot }: StoredEvent): boolean {
  return traffic === "all" || isBot === (traffic === "bots");
}

function byTime(a: StoredEvent, b: StoredEvent): number {
  return a.time - b.time || (a.id < b.id ? -1 : 1);
}

const sessionsByEvents = new WeakMap<readonly StoredEvent[], Session>();

function sessionOf(events: readonly StoredEvent[]): Session {
  let session = sessionsByEvents.get(events);
  if (session === undefined) {
    session = { events, pageViews: events.filter(({ name }) => name === "page_view") };
    sessionsByEvents.set(events, session);
  }
  return session;
}

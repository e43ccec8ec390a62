import { DAY_MS } from "../day.ts";
import type { EventColumns } from "../event-columns.ts";
import { signed64 } from "../signed64.ts";
import { SESSION_GAP_MS } from "./join.ts";

/** Events of a batch, and which of them are not written. */
export interface Fresh {
  readonly columns: EventColumns;
  readonly duplicates: Uint8Array;
}

/** A new event, where it stands, and when it happened, ms since 1970-01-01 UTC. */
export interface VisitEvent {
  readonly columns: EventColumns;
  readonly row: number;
  readonly time: number;
  /** The visitor's 64-bit hash, signed. */
  readonly visitorId: bigint;
}

/**
 * Which sessions of a visitor may hold new events: all around them; or, of one of whom no event is new and whose day
 * is over for longer than a pause may take, those that go on past midnight.
 */
export type Reach = "all" | "past-midnight";

/** New events of one person: of one visitor, and of those that a person without an id is on other days. */
export interface Visit {
  readonly merchantId: number;
  /** One of whom an event is new. All sessions of this visitor may hold the events. */
  readonly visitorId: bigint;
  /** By time. */
  readonly events: VisitEvent[];
  /** Whose sessions may hold the events, too; undefined: those of nobody. */
  others: Map<bigint, Reach> | undefined;
}

/**
 * The visits of new rows without a session. Rows whose session an SDK named are among them only where their visitor
 * may have come over midnight, as one without an id does.
 */
export function visitsOf(fresh: readonly Fresh[]): Visit[] {
  const withId = new Map<string, Visit>();
  const cookieless = new Map<string, Visit>();
  for (const { columns, duplicates } of fresh) {
    const { sessionless, visitorsBefore } = columns;
    for (let row = 0; row < columns.rows; row++) {
      if (duplicates[row] === 1) continue;
      if (isSet(visitorsBefore, row)) addNeighbours(add(cookieless, columns, row), columns, row);
      else if (sessionless[row] === 1) add(withId, columns, row);
    }
  }
  const visits = [...withId.values(), ...joinDays(cookieless.values())];
  for (const { events } of visits) events.sort((a, b) => a.time - b.time);
  return visits;
}

function isSet(words: Uint32Array, row: number): boolean {
  return words[2 * row] !== 0 || words[2 * row + 1] !== 0;
}

/** Adds a row to the visit of its visitor. */
function add(visits: Map<string, Visit>, columns: EventColumns, row: number): Visit {
  const { merchantIds, visitors, time } = columns;
  const merchantId = merchantIds[row]!;
  const key = `${merchantId} ${visitors[2 * row]} ${visitors[2 * row + 1]}`;
  let visit = visits.get(key);
  if (visit === undefined) {
    visit = { merchantId, visitorId: visitorIn(visitors, row), events: [], others: undefined };
    visits.set(key, visit);
  }
  visit.events.push({ columns, row, time: time.get(row), visitorId: visit.visitorId });
  return visit;
}

/** Adds who the visitor of a row is on the neighbouring days. */
function addNeighbours(visit: Visit, columns: EventColumns, row: number): void {
  const { visitorsBefore, visitorsAfter, time } = columns;
  visit.others ??= new Map();
  const isEarly = time.get(row) % DAY_MS <= SESSION_GAP_MS;
  addOther(visit.others, visitorIn(visitorsBefore, row), isEarly ? "all" : "past-midnight");
  if (isSet(visitorsAfter, row)) addOther(visit.others, visitorIn(visitorsAfter, row), "all");
}

function addOther(others: Map<bigint, Reach>, visitorId: bigint, reach: Reach): void {
  if (reach === "all" || !others.has(visitorId)) others.set(visitorId, reach);
}

/** Makes one visit of those that have a visitor in common: one person's on several days. */
function joinDays(visits: Iterable<Visit>): Set<Visit> {
  const byVisitor = new Map<string, Visit>();
  for (let visit of visits) {
    for (const visitorId of [visit.visitorId, ...visit.others!.keys()]) {
      const key = `${visit.merchantId} ${visitorId}`;
      const other = byVisitor.get(key);
      if (other === undefined) byVisitor.set(key, visit);
      else if (other !== visit) visit = joined(other, visit, byVisitor);
    }
  }
  return new Set(byVisitor.values());
}

/** One visit of two: what moves is the smaller one. */
function joined(one: Visit, other: Visit, byVisitor: Map<string, Visit>): Visit {
  const [into, from] = one.events.length < other.events.length ? [other, one] : [one, other];
  for (const event of from.events) into.events.push(event);
  for (const [visitorId, reach] of [[from.visitorId, "all"] as const, ...from.others!]) {
    if (visitorId !== into.visitorId) addOther(into.others!, visitorId, reach);
    const key = `${from.merchantId} ${visitorId}`;
    if (byVisitor.get(key) === from) byVisitor.set(key, into);
  }
  return into;
}

function visitorIn(words: Uint32Array, row: number): bigint {
  return signed64(words[2 * row]!, words[2 * row + 1]!);
}

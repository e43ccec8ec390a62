import { DAY_MS } from "../day.ts";
import type { EventColumns } from "../event-columns.ts";
import type { Client } from "../pool.ts";
import { signed64 } from "../signed64.ts";
import { sqlFile } from "../sql-file.ts";
import type { KnownVisitors, VisitorTimes } from "./known-visitors.ts";

const WRITE = sqlFile("./write.sql", import.meta.url);

/** Events of a batch, and which of them are not written. */
interface Fresh {
  readonly columns: EventColumns;
  readonly duplicates: Uint8Array;
}

/** What a process knows of a partition's visitors. */
export interface PartitionKnowledge {
  readonly known: KnownVisitors;
  readonly generation: number;
}

/**
 * Notes in the table `visitors` when the visitors of new events were first seen, people's events and bots' apart, in the
 * events' transaction. Visitors without an id are left out: they are others on the next day, and so new ones on every day.
 *
 * The partition's row must be locked: it keeps other writers away from its visitors.
 *
 * @returns what is written, to be added to what is known after the commit.
 */
export async function noteVisitors(
  client: Client,
  fresh: readonly Fresh[],
  knowledge: PartitionKnowledge,
): Promise<readonly VisitorTimes[]> {
  const seen = new Seen(knowledge);
  for (const { columns, duplicates } of fresh) {
    for (let row = 0; row < columns.rows; row++) if (duplicates[row] === 0) seen.add(columns, row);
  }
  if (seen.visitors.size > 0) await client.query(WRITE, parametersOf([...seen.visitors.values()]));
  return seen.written();
}

/** A visitor with new events. */
interface Visitor {
  readonly merchantId: number;
  readonly low: number;
  readonly high: number;
  /** The earliest events of people and of bots, ms; null: there are none. */
  people: number | null;
  bots: number | null;
  month: number;
}

/** The visitors of new events, but for those of whom all is known. */
class Seen {
  readonly visitors = new Map<string, Visitor>();
  readonly #knowledge: PartitionKnowledge;
  /** Of the event that is looked at: an object for each would be the most that this costs. */
  readonly #event = { merchantId: 0, low: 0, high: 0, isBot: false, firstTime: 0, month: 0 };
  /** The month of the last event, [start, end). */
  #month = { start: 0, end: 0 };

  constructor(knowledge: PartitionKnowledge) {
    this.#knowledge = knowledge;
  }

  add({ merchantIds, visitors, visitorsBefore, isBot, time }: EventColumns, row: number): void {
    const at = 2 * row;
    if (visitorsBefore[at] !== 0 || visitorsBefore[at + 1] !== 0) return;
    const event = this.#event;
    event.merchantId = merchantIds[row]!;
    event.low = visitors[at]!;
    event.high = visitors[at + 1]!;
    event.isBot = isBot[row] === 1;
    event.firstTime = time.get(row);
    event.month = this.#monthOf(event.firstTime);
    const { known, generation } = this.#knowledge;
    if (!known.covers(generation, event)) this.#note(event);
  }

  #note({ merchantId, low, high, isBot, firstTime, month }: VisitorTimes): void {
    const key = `${merchantId} ${low} ${high}`;
    let visitor = this.visitors.get(key);
    if (visitor === undefined) {
      visitor = { merchantId, low, high, people: null, bots: null, month };
      this.visitors.set(key, visitor);
    }
    if (isBot) visitor.bots = Math.min(visitor.bots ?? firstTime, firstTime);
    else visitor.people = Math.min(visitor.people ?? firstTime, firstTime);
    visitor.month = Math.max(visitor.month, month);
  }

  /** The first of an event's month (UTC), days since 1970-01-01. */
  #monthOf(time: number): number {
    if (time < this.#month.start || time >= this.#month.end) {
      const date = new Date(time);
      const [year, month] = [date.getUTCFullYear(), date.getUTCMonth()];
      this.#month = { start: Date.UTC(year, month), end: Date.UTC(year, month + 1) };
    }
    return this.#month.start / DAY_MS;
  }

  written(): VisitorTimes[] {
    return [...this.visitors.values()].flatMap(({ people, bots, ...visitor }) => [
      ...(people === null ? [] : [{ ...visitor, isBot: false, firstTime: people }]),
      ...(bots === null ? [] : [{ ...visitor, isBot: true, firstTime: bots }]),
    ]);
  }
}

function parametersOf(visitors: readonly Visitor[]): unknown[] {
  return [
    visitors.map(({ merchantId }) => merchantId),
    visitors.map(({ low, high }) => signed64(low, high)),
    visitors.map(({ people }) => people),
    visitors.map(({ bots }) => bots),
    visitors.map(({ month }) => month),
  ];
}

import type { BatchView } from "../event/batch-view.ts";
import type { MicrosColumn } from "../event/columns.ts";
import {
  EVENT_FIELDS,
  type Fields,
  fieldList,
  ITEM_FIELDS,
  isWide,
  type NameOf,
  type Narrow,
  ORDER_FIELDS,
  type Wide,
} from "../event-schema/fields.ts";
import type {
  EventColumns,
  FieldValues,
  ItemEntries,
  OrderEntries,
  PropertyEntries,
} from "../store/event-columns.ts";
import { PROCESSOR_VERSION } from "./steps/process.ts";
import type { Derived } from "./steps/step.ts";

/** A batch and what was derived from it, as storage takes them: views, no copies. */
export function toColumns(
  batch: BatchView,
  derived: Derived,
  rollupStarts: ReadonlyMap<number, number>,
): EventColumns {
  return {
    rows: batch.rows,
    texts: batch.dictionary,
    merchantIds: batch.merchantIds,
    time: derived.time,
    receivedTime: batch.receivedTime,
    eventIds: batch.ids.bytes,
    keyTimes: batch.ids.keyTimes,
    visitors: derived.visitors,
    users: derived.users,
    stages: derived.stages,
    visitorsBefore: derived.visitorsBefore,
    visitorsAfter: derived.visitorsAfter,
    sessions: derived.sessions,
    sessionless: derived.sessionless,
    processorVersion: PROCESSOR_VERSION,
    isBot: derived.isBot,
    timeQuality: derived.timeQuality,
    inRollups: inRollups(batch, derived, rollupStarts),
    bot: derived.bot,
    device: derived.device,
    place: derived.place,
    source: derived.source,
    page: derived.page,
    fields: fieldsOf(EVENT_FIELDS, {
      text: (name) => batch.text(name),
      number: (name) => batch.number(name),
      micros: () => undefined,
    }),
    properties: properties(batch),
    orders: orders(batch, derived),
    items: items(batch, derived),
  };
}

/** 1 for a row that belongs into the rollups, as the column of events says; undefined: none does. */
function inRollups(
  { rows, merchantIds }: BatchView,
  { time }: Derived,
  starts: ReadonlyMap<number, number>,
): Uint8Array | undefined {
  if (starts.size === 0) return undefined;
  const marks = new Uint8Array(rows);
  for (let row = 0; row < rows; row++) {
    const start = starts.get(merchantIds[row]!);
    if (start !== undefined && time.get(row) >= start) marks[row] = 1;
  }
  return marks;
}

function properties(batch: BatchView): PropertyEntries | undefined {
  const row = batch.property("row");
  if (row === undefined) return undefined;
  const [kind, number] = [batch.property("kind"), batch.propertyNumber];
  return { row, key: batch.property("key")!, value: batch.property("value"), kind, number };
}

function orders(
  batch: BatchView,
  { orderKinds, isForeign, convertedRevenue, convertedParts, customers }: Derived,
): OrderEntries | undefined {
  const row = batch.order("row");
  if (row === undefined) return undefined;
  return {
    row,
    fields: fieldsOf(ORDER_FIELDS, {
      text: (name) => batch.order(name),
      number: (name) => batch.order(name),
      micros: (name) => batch.orderMicros(name),
    }),
    kind: orderKinds,
    isForeign,
    converted: convertedRevenue,
    parts: convertedParts,
    customers,
  };
}

function items(batch: BatchView, { itemRevenue }: Derived): ItemEntries | undefined {
  const row = batch.item("row");
  if (row === undefined) return undefined;
  return {
    row,
    fields: fieldsOf(ITEM_FIELDS, {
      text: (name) => batch.item(name),
      number: (name) => batch.item(name),
      micros: (name) => batch.itemMicros(name),
    }),
    revenue: itemRevenue,
  };
}

/** How a batch gives the columns of a table's fields. */
interface Source<F extends Fields> {
  readonly text: (name: NameOf<F, "text">) => Uint32Array | undefined;
  readonly number: (name: NameOf<F, Narrow>) => Uint16Array | Uint32Array | undefined;
  readonly micros: (name: NameOf<F, Wide>) => MicrosColumn | undefined;
}

function fieldsOf<F extends Fields>(fields: F, { text, number, micros }: Source<F>): FieldValues<F> {
  const columns = fieldList(fields).map(({ name, kind }) => {
    // The kind has told which of them the name belongs to.
    const read = kind === "text" ? text : isWide(kind) ? micros : number;
    return [name, (read as (of: string) => unknown)(name)];
  });
  return Object.fromEntries(columns) as FieldValues<F>;
}

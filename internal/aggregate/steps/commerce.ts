import { memo } from "../../cache/memo.ts";
import type { BatchView } from "../../event/batch-view.ts";
import { commerceMeaningOf, stageOfName } from "../../event/commerce-names.ts";
import { convertMicros } from "../../store/currency-rates.ts";
import { OrderKind, Stage, UNKNOWN_MICROS } from "../../store/event-columns.ts";
import { itemWorth } from "../../store/item-worth.ts";
import { hashWords, putWords, utcDay } from "./hashes.ts";
import type { Derived, Step, StepContext } from "./step.ts";
import { USER_KIND } from "./visitor.ts";

/** Event names whose meaning is remembered: a merchant has few. */
const NAMES = 10_000;

/** What the order of an event with a name is. Whether it is a repeat is found out where orders are stored. */
const orderKindOf = memo((name: string): number => {
  const meaning = commerceMeaningOf(name);
  if (meaning === "refund") return OrderKind.REFUND;
  return meaning === "order" ? OrderKind.ORDER : OrderKind.MENTIONED;
}, NAMES);

/**
 * Orders and refunds, and what they add to revenue in the merchant's currency: a refund takes away. An event that carries
 * a refund is one; else its name says what its order is. An amount in another currency is converted by the rates of the
 * event's UTC day; without them it is left open. Comes after `time`.
 */
export const commerce: Step = {
  name: "commerce",
  version: 3,
  run(batch, derived, context) {
    writeStages(batch, derived);
    const rows = batch.order("row");
    if (rows === undefined) return;
    const names = batch.text("name")!;
    const refunds = batch.order("isRefund");
    const amounts = batch.orderMicros("revenueMicros")!;
    for (let at = 0; at < rows.length; at++) {
      const name = batch.dictionary.text(names[rows[at]!]!)!;
      const kind = refunds?.[at] === 1 ? OrderKind.REFUND : orderKindOf(name);
      derived.orderKinds[at] = kind;
      const amount = amounts.get(at);
      const signed = kind === OrderKind.REFUND ? -amount : amount;
      const converted = convert(signed, batch, at, derived, context);
      derived.convertedRevenue[at] = kind === OrderKind.MENTIONED ? UNKNOWN_MICROS : converted;
      if (kind !== OrderKind.MENTIONED)
        derived.stages[rows[at]!] = kind === OrderKind.REFUND ? Stage.REFUND : Stage.ORDER;
      if (kind === OrderKind.ORDER) writeParts(batch, at, derived, context);
    }
    writeCustomers(batch, rows, derived);
    writeItemRevenue(batch, rows, derived, context);
  },
};

/** Whether a name is that of a stage is asked once for each of the batch's names. */
function writeStages(batch: BatchView, { stages }: Derived): void {
  const names = batch.text("name")!;
  const known = new Int8Array(batch.dictionary.size + 1).fill(-1);
  for (let row = 0; row < batch.rows; row++) {
    const name = names[row]!;
    if (known[name] === -1) known[name] = stageOf(batch.dictionary.text(name)!);
    stages[row] = known[name]!;
  }
}

const stageOf = memo((name: string): number => STAGES[stageOfName(name) ?? "other"], NAMES);
const STAGES = {
  other: Stage.OTHER,
  list: Stage.LIST,
  view: Stage.VIEW,
  cart: Stage.CART,
  checkout: Stage.CHECKOUT,
} as const;

const PART_COLUMNS = { tax: "taxMicros", shipping: "shippingMicros", discount: "discountMicros" } as const;

function writeParts(batch: BatchView, at: number, derived: Derived, context: StepContext): void {
  const parts = derived.convertedParts;
  for (const part of ["tax", "shipping", "discount"] as const) {
    parts[part][at] = convert(
      batch.orderMicros(PART_COLUMNS[part])?.get(at) ?? 0n,
      batch,
      at,
      derived,
      context,
    );
  }
  const cost = batch.orderMicros("costMicros")?.get(at) ?? 0n;
  if (cost !== 0n) parts.cost[at] = convert(cost - 1n, batch, at, derived, context);
}

function writeCustomers(batch: BatchView, rows: Uint32Array, derived: Derived): void {
  const ids = batch.order("customerId");
  if (ids === undefined) return;
  derived.customers = new Uint32Array(2 * rows.length);
  for (let at = 0; at < rows.length; at++) {
    if (ids[at] === 0) continue;
    const merchant = batch.merchantIds[rows[at]!]!;
    putWords(derived.customers, at, hashWords([USER_KIND, merchant, batch.dictionary.text(ids[at]!)]));
  }
}

/** Of the items of orders and refunds; both are ordered by row. */
function writeItemRevenue(batch: BatchView, rows: Uint32Array, derived: Derived, context: StepContext): void {
  const items = batch.item("row");
  if (items === undefined) return;
  let order = 0;
  for (let at = 0; at < items.length; at++) {
    while (order < rows.length && rows[order]! < items[at]!) order++;
    const kind = rows[order] === items[at] ? derived.orderKinds[order] : OrderKind.MENTIONED;
    if (kind === OrderKind.MENTIONED) continue;
    const worth = worthOf(batch, at);
    if (worth === undefined) continue;
    derived.itemRevenue[at] = convert(
      kind === OrderKind.REFUND ? -worth : worth,
      batch,
      order,
      derived,
      context,
    );
  }
}

function worthOf(batch: BatchView, at: number): bigint | undefined {
  return itemWorth({
    price: batch.itemMicros("priceMicros")!.get(at),
    discount: batch.itemMicros("discountMicros")?.get(at) ?? 0n,
    quantity: batch.itemMicros("quantityMicros")!.get(at),
  });
}

/** Micros of the merchant's currency; UNKNOWN_MICROS where they are not known. Notes which orders are in another one. */
function convert(
  micros: bigint,
  batch: BatchView,
  at: number,
  { time, isForeign }: Derived,
  { currencies, rate }: StepContext,
): bigint {
  const row = batch.order("row")![at]!;
  const own = currencies.get(batch.merchantIds[row]!);
  const given = batch.dictionary.text(batch.order("currency")?.[at] ?? 0);
  if (given === undefined || given === own) return micros;
  isForeign[at] = 1;
  if (own === undefined) return UNKNOWN_MICROS;
  const day = utcDay(time.get(row));
  return convertMicros(micros, rate(given, day), rate(own, day)) ?? UNKNOWN_MICROS;
}

/** A currency and a UTC day (days since 1970-01-01) whose rate the step needs. */
export interface RateNeed {
  readonly currency: string;
  readonly day: number;
}

import { memo } from "../../cache/memo.ts";
import type { BatchView } from "../../event/batch-view.ts";
import { commerceMeaningOf } from "../../event/commerce-names.ts";
import { convertMicros } from "../../store/currency-rates.ts";
import { OrderKind, UNKNOWN_MICROS } from "../../store/event-columns.ts";
import { utcDay } from "./hashes.ts";
import type { Derived, Step, StepContext } from "./step.ts";

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
  version: 2,
  run(batch, derived, context) {
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
    }
  },
};

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

import type { BatchBuilder } from "../event/batch-builder.ts";
import { Consent, MAX_ACTIVE_MS } from "../event-schema/fields.ts";
import { AdjustmentKind } from "./adjustments.ts";
import type { EventFields } from "./event-fields.ts";
import { at } from "./event-shape.ts";
import type { EventContext } from "./take-event.ts";

/** Writes how the page was looked at, whether anybody did, and what the visitor allowed, to the open row. */
export function takeEngagement(
  { values }: EventFields,
  { numbers, rows }: BatchBuilder,
  { adjustments }: EventContext,
): undefined {
  numbers.passive[rows] = values[at.passive] === 0 ? 0 : 1;
  const consent = values[at.consent]!;
  if (consent >= 0 && consent <= Consent.DENIED) numbers.consent[rows] = consent;
  else adjustments.add(AdjustmentKind.DROPPED, "consent", `${consent} is none of its values`);
  if (values[at.engagement] === 0) return;
  const active = values[at.activeMs]! >>> 0;
  if (active <= MAX_ACTIVE_MS) numbers.activeMs[rows] = active;
  else {
    const message = `${active} is outside of 0 to ${MAX_ACTIVE_MS}`;
    adjustments.add(AdjustmentKind.DROPPED, "engagement.active_ms", message);
  }
  const percent = values[at.scrollPercent]! >>> 0;
  numbers.scrollPercent[rows] = Math.min(percent, 100);
  if (percent > 100)
    adjustments.add(AdjustmentKind.REPLACED, "engagement.scroll_percent", `${percent} counts as 100`);
}

/** Whether the visitor allows no ids. */
export function isDenied(values: Int32Array): boolean {
  return values[at.consent] === Consent.DENIED;
}

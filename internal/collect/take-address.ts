import type { BatchBuilder } from "../event/batch-builder.ts";
import { ABSENT } from "../event/dictionary.ts";
import { AdjustmentKind } from "./adjustments.ts";
import { cutAddress } from "./cut-address.ts";
import type { EventFields } from "./event-fields.ts";
import { at } from "./event-shape.ts";
import { redact } from "./privacy/redact.ts";
import { shown } from "./refusal.ts";
import type { EventContext } from "./take-event.ts";
import { headOf, intern, isGood, Mark, takeText, tellCut, tellReplaced } from "./take-text.ts";

/** Longest address of a page and longest referrer, characters. */
const LIMIT = 8_192;

/** What is looked at of a longer one, characters. */
const READ_LIMIT = 32_768;

/** Writes the address of the event's page to the open row, if it is one of the web. */
export function takeUrl(event: EventFields, batch: BatchBuilder, context: EventContext): undefined {
  const size = batch.dictionary.size;
  const index = takeAddress(event, batch, context, "url");
  if (isGood(batch, index, Mark.WEB_ADDRESS, isWebAddress)) {
    batch.texts.url[batch.rows] = index;
    return;
  }
  const given = batch.dictionary.text(index);
  batch.dictionary.truncate(size);
  const meant = webAddress(given);
  if (meant === undefined) {
    context.adjustments.add(AdjustmentKind.DROPPED, "url", `not an http or https address: ${shown(given)}`);
    return;
  }
  context.adjustments.add(AdjustmentKind.REPLACED, "url", `${shown(given)} is taken as ${shown(meant)}`);
  batch.texts.url[batch.rows] = redacted(batch, intern(batch.dictionary, meant), size);
}

/** Writes the event's referrer to the open row. */
export function takeReferrer(event: EventFields, batch: BatchBuilder, context: EventContext): undefined {
  batch.texts.referrer[batch.rows] = takeAddress(event, batch, context, "referrer");
}

function takeAddress(
  { bytes, values }: EventFields,
  batch: BatchBuilder,
  context: EventContext,
  field: "url" | "referrer",
): number {
  const start = values[at[field]]!;
  const end = values[at[field] + 1]!;
  const size = batch.dictionary.size;
  const index = takeText(batch, bytes, start, end, LIMIT);
  if (index < 0) return mendAddress(batch, context, bytes, start, end, field);
  return redacted(batch, index, size);
}

/** The index of an address without personal data; what is taken out does not stay in the dictionary. */
function redacted(batch: BatchBuilder, index: number, sizeBefore: number): number {
  let clean = "";
  const isClean = (text: string) => {
    clean = redact(text);
    return clean === text;
  };
  if (isGood(batch, index, Mark.REDACTED, isClean)) return index;
  batch.dictionary.truncate(sizeBefore);
  // What stands in may be longer than what it stands for.
  const kept = intern(batch.dictionary, clean.length > LIMIT ? cutAddress(clean, LIMIT) : clean);
  batch.dictionary.mark(kept, Mark.REDACTED);
  return kept;
}

/** An address that is too long, or no text. */
function mendAddress(
  { dictionary }: BatchBuilder,
  { adjustments }: EventContext,
  source: Uint8Array,
  start: number,
  end: number,
  field: string,
): number {
  const { text, isPart, isClean } = headOf(source, start, end, READ_LIMIT);
  // Before it is cut: a part of what is personal would not be found. The last part of it may be such a part itself.
  const whole = redact(isPart ? text.replace(/[?#&;][^?#&;]*$/, "") : text);
  const kept = cutAddress(whole, LIMIT);
  if (kept !== whole) tellCut(adjustments, field, end - start, LIMIT, kept);
  if (!isClean) tellReplaced(adjustments, field, kept);
  const index = intern(dictionary, kept);
  if (index !== ABSENT) dictionary.mark(index, Mark.REDACTED);
  return index;
}

function isWebAddress(text: string): boolean {
  return /^https?:\/\//i.test(text) && URL.canParse(text);
}

/** The web's address that a text plainly means: spaces around it, or its scheme left to the page that links to it. */
function webAddress(text: string): string | undefined {
  const trimmed = text.trim();
  const whole = trimmed.startsWith("//") ? `https:${trimmed}` : trimmed;
  return isWebAddress(whole) ? whole : undefined;
}

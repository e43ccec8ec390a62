import { underscored } from "../../event-schema/fields.ts";
import { RejectReason } from "../../gen/footfall/collect/v1/collect_pb.js";
import { AdjustmentKind, type Adjustments } from "../adjustments.ts";
import { shown } from "../refusal.ts";
import { readDecimal } from "./decimal.ts";

/** JSON of an event that cannot be read as one: the message names the field. */
export class Unreadable extends Error {
  readonly reason: RejectReason;

  constructor(reason: RejectReason, message: string) {
    super(message);
    this.reason = reason;
  }
}

export type JsonObject = Readonly<Record<string, unknown>>;

/** An object, undefined for what is none; PHP writes an empty one as []. */
export function objectOf(value: unknown): JsonObject | undefined {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as JsonObject)
    : undefined;
}

/** Whether a value stands for an absent one. */
export function isAbsent(value: unknown): boolean {
  return value === undefined || value === null || value === "";
}

/** A field by its name in JSON, or by that in the .proto file. */
export function fieldOf(object: JsonObject, name: string): unknown {
  return object[name] ?? object[underscored(name)];
}

/** What a value is, for messages. */
export function kindOfValue(value: unknown): string {
  if (Array.isArray(value)) return "a list";
  if (value === null) return "null";
  return typeof value === "object" ? "an object" : `a ${typeof value}`;
}

/** A value as messages show it. */
export function shownJson(value: unknown): string {
  return typeof value === "string"
    ? shown(value)
    : `${kindOfValue(value)}${typeof value === "object" ? "" : ` ${value}`}`;
}

/** The text of an optional field; a number is its digits, and what is no text is left out. */
export function textOfValue(value: unknown, field: string, adjustments: Adjustments): string {
  const text = plainText(value);
  if (text === undefined) {
    adjustments.add(AdjustmentKind.DROPPED, field, `${kindOfValue(value)}, must be text`);
    return "";
  }
  return wellFormed(text, field, adjustments);
}

/** As textOf, for a field without which the event cannot be counted. */
export function neededText(
  value: unknown,
  field: string,
  adjustments: Adjustments,
  reason: RejectReason,
): string {
  const text = plainText(value);
  if (text === undefined) throw new Unreadable(reason, `${field}: ${kindOfValue(value)}, must be text`);
  return wellFormed(text, field, adjustments);
}

function plainText(value: unknown): string | undefined {
  if (typeof value === "string") return value;
  if (typeof value === "number") return String(value);
  return isAbsent(value) ? "" : undefined;
}

/** Half a surrogate pair, of a text that was cut within one, is no character. */
export function wellFormed(text: string, field: string, adjustments: Adjustments): string {
  if (text.isWellFormed()) return text;
  adjustments.add(AdjustmentKind.REPLACED, field, `half a surrogate pair: ${shown(text)}`);
  return text.toWellFormed();
}

const MAX_INT64 = 2n ** 63n - 1n;

/** Millionths as an amount has them, from a whole number of them. Undefined: it is none. */
export function microsOf(
  value: unknown,
  field: string,
  adjustments: Adjustments,
  scale = 0,
): bigint | undefined {
  if (isAbsent(value)) return 0n;
  const read = readDecimal(value, scale);
  if (read === undefined || read.value > MAX_INT64 || read.value < -MAX_INT64 - 1n) return undefined;
  if (!read.isExact)
    adjustments.add(AdjustmentKind.ROUNDED, field, `${shownJson(value)} is finer than a millionth`);
  return read.value;
}

/** A whole number of 32 bits of an optional field; what is finer is rounded, and 0 stands for what is none. */
export function wholeOf(value: unknown, field: string, adjustments: Adjustments): number {
  if (isAbsent(value)) return 0;
  const read = readDecimal(value);
  if (read === undefined || read.value < 0n || read.value > 0xffff_ffffn) {
    adjustments.add(AdjustmentKind.DROPPED, field, `${shownJson(value)} is no whole number of 0 or more`);
    return 0;
  }
  if (!read.isExact) adjustments.add(AdjustmentKind.ROUNDED, field, `${shownJson(value)} is no whole number`);
  return Number(read.value);
}

/** An amount without which an order cannot be counted. */
export function neededMicros(value: unknown, field: string, adjustments: Adjustments): bigint {
  const micros = microsOf(value, field, adjustments);
  if (micros === undefined)
    throw new Unreadable(RejectReason.INVALID_AMOUNT, `${field}: ${shownJson(value)} is no amount`);
  return micros;
}

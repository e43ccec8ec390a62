import { createHash } from "node:crypto";
import { raw } from "sql-template-tag";
import type { AnyQuestion } from "../question/any-question.ts";
import { TIME } from "../schema/dimensions.ts";
import type { RowContext } from "../schema/field.ts";

/**
 * Names a question: two that have one key are answered alike by the same data. Fields count with the SQL that they are,
 * so that a goal which was changed makes another key.
 */
export function questionKey(question: AnyQuestion): string {
  return digest(plain(question));
}

/** A short name for values, in base64url. */
export function digest(...values: unknown[]): string {
  return createHash("sha256")
    .update(JSON.stringify(values, tagged))
    .digest()
    .subarray(0, 18)
    .toString("base64url");
}

/** What JSON has no form of. */
function tagged(_: string, value: unknown): unknown {
  const isOdd = typeof value === "bigint" || (typeof value === "number" && !Number.isFinite(value));
  return isOdd ? { [typeof value]: String(value) } : value;
}

/** Stands for any row: fields are told apart by what they make of it. */
const ROW: RowContext = { time: raw("time"), timeZone: "zone", spanStart: raw("start") };

/** Digests of fields, most of which are the same objects in all questions. Time makes nothing of a row: spans have its edges. */
const ofFields = new WeakMap<object, string>([[TIME, TIME.name]]);

/** The value without functions: what they make of a row stands for them. */
function plain(value: unknown): unknown {
  if (typeof value === "function") return plain(value(ROW));
  if (Array.isArray(value)) return areNumbers(value) ? { numbers: value.join() } : value.map(plain);
  if (typeof value !== "object" || value === null) return value;
  if (!("title" in value)) return plainEntries(value);
  let known = ofFields.get(value);
  if (known === undefined) {
    known = digest(plainEntries(value));
    ofFields.set(value, known);
  }
  return known;
}

/** Edges of buckets are up to 10,000. */
function areNumbers(values: readonly unknown[]): boolean {
  return values.every((value) => typeof value === "number");
}

function plainEntries(value: object): object {
  return Object.fromEntries(Object.entries(value).map(([name, entry]) => [name, plain(entry)]));
}

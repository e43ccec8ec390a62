import { isIP } from "node:net";
import type { BatchBuilder } from "../event/batch-builder.ts";
import { AdjustmentKind } from "./adjustments.ts";
import { addressOfField } from "./client-address/parse-address.ts";
import type { EventFields } from "./event-fields.ts";
import { at } from "./event-shape.ts";
import { truncateIp } from "./privacy/truncate-ip.ts";
import { shown } from "./refusal.ts";
import { isDenied } from "./take-engagement.ts";
import type { EventContext } from "./take-event.ts";
import { isGood, Mark, takeText, textOf } from "./take-text.ts";

/** Longest address, and the longest text in which one is looked for, bytes. */
const LIMIT = 64;
const READ_LIMIT = 1_024;

/** Room for the text of a truncated address. */
const address = new Uint8Array(64);

/** Writes the visitor's address to the open row, truncated if that is the merchant's wish. */
export function takeIp(
  { bytes, values }: EventFields,
  batch: BatchBuilder,
  context: EventContext,
): undefined {
  const isGiven = values[at.ip] !== values[at.ip + 1];
  const source = isGiven ? bytes : context.defaults.ip;
  const start = isGiven ? values[at.ip]! : 0;
  const end = isGiven ? values[at.ip + 1]! : source.length;
  const isTruncated = context.truncateIp || isDenied(values);
  if (start === end || put(batch, isTruncated, source, start, end)) return;
  const given = textOf(source, start, Math.min(end, start + READ_LIMIT));
  const bare = addressOfField(given);
  if (bare === undefined) {
    context.adjustments.add(AdjustmentKind.DROPPED, "ip", `not an address: ${shown(given)}`);
    return;
  }
  context.adjustments.add(AdjustmentKind.REPLACED, "ip", `${shown(given)} is taken as ${bare}`);
  const bareBytes = Buffer.from(bare);
  put(batch, isTruncated, bareBytes, 0, bareBytes.length);
}

/** Puts an address into the open row. @returns whether the bytes are one. */
function put(
  batch: BatchBuilder,
  isTruncated: boolean,
  source: Uint8Array,
  start: number,
  end: number,
): boolean {
  const { dictionary } = batch;
  if (isTruncated) {
    // The whole address never enters the dictionary.
    const length = truncateIp(source, start, end, address);
    batch.texts.ip[batch.rows] = dictionary.intern(address, 0, length);
    return length > 0;
  }
  const size = dictionary.size;
  const index = takeText(batch, source, start, end, LIMIT);
  if (index >= 0 && isGood(batch, index, Mark.ADDRESS, isPlainAddress)) {
    batch.texts.ip[batch.rows] = index;
    return true;
  }
  dictionary.truncate(size);
  return false;
}

function isPlainAddress(text: string): boolean {
  return isIP(text) !== 0 && !text.includes("%");
}

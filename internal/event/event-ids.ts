import { asU32, copyOf } from "./columns.ts";
import { ID_BYTES, keyTime, writeDerivedId } from "./event-id.ts";

/** The ids of a batch's rows. */
export interface EventIds {
  /** Each row's id of 16 bytes, derived ones included. */
  readonly bytes: Uint8Array;
  /** What each id is looked up under (keyTime); NaN for a derived id, which needs no look-up. */
  readonly keyTimes: Float64Array;
}

const WORDS = ID_BYTES / 4;

/** @param given the batch's column of ids: empty, or 16 bytes a row with zeros where the id is to be derived. */
export function readEventIds(batchId: Uint8Array, given: Uint8Array, rows: number): EventIds {
  // A copy: the message's own bytes may be passed on.
  const bytes = given.length === 0 ? new Uint8Array(ID_BYTES * rows) : copyOf(given);
  const words = asU32(bytes);
  const keyTimes = new Float64Array(rows);
  for (let row = 0; row < rows; row++) {
    const at = row * WORDS;
    if ((words[at]! | words[at + 1]! | words[at + 2]! | words[at + 3]!) !== 0) {
      keyTimes[row] = keyTime(bytes, row * ID_BYTES);
    } else {
      keyTimes[row] = Number.NaN;
      writeDerivedId(batchId, row, bytes, row * ID_BYTES);
    }
  }
  return { bytes, keyTimes };
}

import { isUtf8 } from "node:buffer";
import { EVENT_FIELDS, fieldList } from "../event-schema/fields.ts";
import type { EventBatch, SealedBatch } from "../gen/footfall/event/v1/batch_pb.js";
import { BatchRejectReason as Reason } from "../gen/footfall/ingest/v1/ingest_pb.js";
import { BATCH_VERSION } from "./batch-builder.ts";
import { checkSides } from "./batch-check-sides.ts";
import {
  type Check,
  MAX_COLLECTOR_ID,
  MAX_ENTRIES,
  MAX_MERCHANT_ID,
  MAX_ROWS,
  MAX_TIME_MS,
  MIN_TIME_MS,
  problem,
} from "./batch-limits.ts";
import { asU32 } from "./columns.ts";
import { ABSENT } from "./dictionary.ts";
import { ID_BYTES } from "./event-id.ts";
import { partitionOf } from "./partition.ts";
import { outsideI64, outsideU32 } from "./scan.ts";
import type { BatchProblem } from "./seal.ts";

/**
 * Checks all that a reader of the batch relies on, so that no reader needs to check again: lengths, indexes,
 * UTF-8, ranges, partition. Reads each column once and makes no object per row.
 * @returns the first problem, or undefined for a good batch.
 */
export function checkBatch(
  sealed: SealedBatch,
  batch: EventBatch,
  partitions: number,
): BatchProblem | undefined {
  if (sealed.batchId.length !== ID_BYTES) {
    return problem(Reason.MALFORMED, `batch_id: ${sealed.batchId.length} bytes, must be ${ID_BYTES}`);
  }
  if (sealed.collectorId.length > MAX_COLLECTOR_ID || sealed.collectorId.includes("\0")) {
    return problem(Reason.MALFORMED, `collector_id: over ${MAX_COLLECTOR_ID} characters, or holds U+0000`);
  }
  if (batch.version !== BATCH_VERSION) {
    return problem(Reason.VERSION, `version: ${batch.version}, this program reads ${BATCH_VERSION}`);
  }
  if (batch.rows !== sealed.rows || batch.rows < 1 || batch.rows > MAX_ROWS) {
    const message = `rows: ${batch.rows} in the batch, ${sealed.rows} outside, must be equal and 1 to ${MAX_ROWS}`;
    return problem(Reason.COLUMN_LENGTH, message);
  }
  for (const check of CHECKS) {
    const found = check(batch);
    if (found !== undefined) return found;
  }
  return checkMerchants(batch, sealed.partition, partitions);
}

/** Bytes a value of each row column; those of EVENT_FIELDS come behind. */
const FIELDS = fieldList(EVENT_FIELDS);
const ROW_WIDTHS = [
  ...([
    ["merchantId", 4],
    ["receivedTime", 8],
    ["clientTime", 8],
    ["sentTime", 8],
    ["eventId", 16],
  ] as const),
  ...FIELDS.map(({ name, kind }) => [name, kind === "u16" ? 2 : 4] as const),
];
const REQUIRED = [
  ...(["merchantId", "receivedTime", "clientTime"] as const),
  ...FIELDS.filter(({ isRequired }) => isRequired).map(({ name }) => name),
];

const checkRowLengths: Check = (batch) => {
  for (const name of REQUIRED) {
    if (batch[name].length === 0) return problem(Reason.COLUMN_LENGTH, `${name}: is missing`);
  }
  for (const [name, width] of ROW_WIDTHS) {
    const { length } = batch[name];
    if (length !== 0 && length !== width * batch.rows) {
      return problem(Reason.COLUMN_LENGTH, `${name}: ${length} bytes for ${batch.rows} rows of ${width}`);
    }
  }
  return undefined;
};

const checkDictionary: Check = (batch) => {
  if (batch.dictionaryEnds.length % 4 !== 0) {
    return problem(
      Reason.DICTIONARY,
      `dictionary_ends: ${batch.dictionaryEnds.length} bytes, must be u32 values`,
    );
  }
  const ends = asU32(batch.dictionaryEnds);
  if (ends.length > MAX_ENTRIES) {
    return problem(Reason.DICTIONARY, `dictionary: ${ends.length} entries, at most ${MAX_ENTRIES}`);
  }
  const bytes = batch.dictionary;
  let start = 0;
  for (let i = 0; i < ends.length; i++) {
    const end = ends[i]!;
    // An entry that starts with a continuation byte would cut a character in two.
    if (end <= start || end > bytes.length || (bytes[start]! & 0xc0) === 0x80) {
      return problem(
        Reason.DICTIONARY,
        `dictionary: entry ${i + 1} from ${start} to ${end} is no text of 1 byte or more`,
      );
    }
    start = end;
  }
  if (start !== bytes.length)
    return problem(Reason.DICTIONARY, `dictionary: ${bytes.length} bytes, entries end at ${start}`);
  // PostgreSQL's text cannot hold U+0000. A Buffer looks for it with memchr, ten times as fast as `includes`.
  if (Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).indexOf(0) >= 0)
    return problem(Reason.DICTIONARY, "dictionary: holds U+0000");
  return isUtf8(bytes) ? undefined : problem(Reason.DICTIONARY, "dictionary: is not UTF-8");
};

const checkTexts: Check = (batch) => {
  const size = batch.dictionaryEnds.length >>> 2;
  for (const { name, kind, isRequired } of FIELDS) {
    if (kind !== "text") continue;
    const found = outsideU32(batch[name], isRequired ? 1 : ABSENT, size);
    if (found === undefined) continue;
    const message = `${name}: index ${found.value} in row ${found.at}, the dictionary has ${size} entries`;
    return problem(Reason.INDEX, found.value === ABSENT ? `${name}: absent in row ${found.at}` : message);
  }
  return undefined;
};

/** Of the fields with a range, which are u32. */
const checkNumbers: Check = (batch) => {
  for (const { name, kind, most } of FIELDS) {
    if (kind === "text" || most === undefined) continue;
    const found = outsideU32(batch[name], 0, most as number);
    if (found === undefined) continue;
    const message = `${name}: ${found.value} in row ${found.at} is outside of 0 to ${most}`;
    return problem(Reason.VALUE_RANGE, message);
  }
  return undefined;
};

const [MIN_TIME, MAX_TIME] = [BigInt(MIN_TIME_MS), BigInt(MAX_TIME_MS)];

const checkTimes: Check = (batch) => {
  for (const name of ["receivedTime", "clientTime", "sentTime"] as const) {
    const found = outsideI64(batch[name], MIN_TIME, MAX_TIME);
    if (found === undefined) continue;
    const message = `${name}: ${found.value} ms in row ${found.at} is outside of the years 1900 to 2200`;
    return problem(Reason.VALUE_RANGE, message);
  }
  return undefined;
};

const CHECKS: readonly Check[] = [
  checkRowLengths,
  checkDictionary,
  checkTexts,
  checkNumbers,
  checkTimes,
  checkSides,
];

function checkMerchants(batch: EventBatch, partition: number, partitions: number): BatchProblem | undefined {
  if (partition >= partitions)
    return problem(Reason.PARTITION, `partition: ${partition}, there are ${partitions}`);
  const merchants = asU32(batch.merchantId);
  let previous = 0;
  for (let i = 0; i < merchants.length; i++) {
    const merchant = merchants[i]!;
    // Rows of one merchant come in runs: most are checked by this comparison.
    if (merchant === previous) continue;
    if (merchant < 1 || merchant > MAX_MERCHANT_ID) {
      return problem(Reason.VALUE_RANGE, `merchant_id: ${merchant} in row ${i} is outside of 1 to 2^31 - 1`);
    }
    if (partitionOf(merchant, partitions) !== partition) {
      return problem(
        Reason.PARTITION,
        `merchant_id: ${merchant} in row ${i} is not of partition ${partition}`,
      );
    }
    previous = merchant;
  }
  return undefined;
}

import { readDecimal } from "./decimal.ts";

/** A time as protobuf has it: since 1970-01-01 UTC. */
export interface Time {
  readonly seconds: bigint;
  readonly nanos: number;
}

/** RFC 3339, and what is plain beside it: a space for the T, no seconds, an offset without colon or minutes, UTC. */
const DATE_TIME =
  /^(\d{4})-(\d\d)-(\d\d)(?:[Tt]| +)(\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,18}))?)? *(?:([Zz]|UTC|GMT)|([+-])(\d\d)(?::?(\d\d))?)$/;

/** Dates as HTTP, mail (RFC 5322) and JavaScript's own toString write them, with their zone. */
const WORDY = /^[A-Z][a-z]{2},? [\w ,:]{10,30} (?:GMT|UTC|(?:GMT)?[+-]\d{4})(?: \([^()]{1,40}\))?$/;

const NANOS = 1_000_000_000n;

/**
 * A time in JSON: text with a zone; or a number of, by its size, seconds (until the year 5138), milliseconds,
 * microseconds or nanoseconds since 1970, as a number or as text; or a message with seconds and nanos. Undefined: it
 * is none, or its zone is not known.
 */
export function readTime(value: unknown): Time | undefined {
  if (typeof value === "object" && value !== null) return ofMessage(value as Record<string, unknown>);
  return ofNumber(value) ?? (typeof value === "string" ? ofText(value.trim()) : undefined);
}

function ofMessage({ seconds, nanos = 0 }: Record<string, unknown>): Time | undefined {
  const [whole, rest] = [readDecimal(seconds), readDecimal(nanos)];
  if (whole?.isExact !== true || rest?.isExact !== true) return undefined;
  return ofNanos(whole.value * NANOS + rest.value);
}

function ofNumber(value: unknown): Time | undefined {
  const size = Math.abs(Number(value));
  const scale = size < 1e11 ? 9 : size < 1e14 ? 6 : size < 1e17 ? 3 : 0;
  const nanos = readDecimal(value, scale);
  return nanos === undefined ? undefined : ofNanos(nanos.value);
}

/** Undefined beyond the years that a timestamp may have, 1 to 9999. */
function ofNanos(nanos: bigint): Time | undefined {
  const rest = ((nanos % NANOS) + NANOS) % NANOS;
  const seconds = (nanos - rest) / NANOS;
  return seconds < -62_135_596_800n || seconds > 253_402_300_799n
    ? undefined
    : { seconds, nanos: Number(rest) };
}

function ofText(text: string): Time | undefined {
  const match = DATE_TIME.exec(text);
  if (match === null) return WORDY.test(text) ? ofMs(Date.parse(text), 0) : undefined;
  const [year, month, day, hour, minute] = match.slice(1, 6).map(Number) as [
    number,
    number,
    number,
    number,
    number,
  ];
  const [second, offsetHours, offsetMinutes] = [match[6], match[10], match[11]].map((part = "0") =>
    Number(part),
  ) as [number, number, number];
  // A leap second, 60, is the next minute's first.
  if (hour > 23 || minute > 59 || second > 60 || offsetHours > 23 || offsetMinutes > 59) return undefined;
  const date = Date.UTC(year, month - 1, day);
  const isReal = new Date(date).getUTCMonth() === month - 1 && new Date(date).getUTCDate() === day;
  if (!isReal) return undefined;
  const offset = (offsetHours * 60 + offsetMinutes) * (match[9] === "-" ? -1 : 1);
  const ms = date + ((hour * 60 + minute - offset) * 60 + second) * 1_000;
  return ofMs(ms, Number((match[7] ?? "").slice(0, 9).padEnd(9, "0")));
}

/** @param ms whole seconds. */
function ofMs(ms: number, nanos: number): Time | undefined {
  return Number.isNaN(ms) ? undefined : { seconds: BigInt(Math.floor(ms / 1_000)), nanos };
}

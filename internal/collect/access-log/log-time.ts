const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/** 17/May/2015:10:05:03 +0000, as Apache's %t and nginx's $time_local. */
const COMMON =
  /^\[?(\d\d)\/([A-Z][a-z]{2})\/(\d{4}):(\d\d):(\d\d):(\d\d)(?:[.,](\d{1,9}))? ([+-]\d\d:?\d\d)\]?$/;

/** RFC 3339 and its loose kin; without a zone it is UTC, as W3C's logs have it. */
const ISO =
  /^(\d{4})[-/](\d\d)[-/](\d\d)[T ](\d\d):(\d\d):(\d\d)(?:[.,](\d{1,9}))? ?(Z|UTC|[+-]\d\d:?\d\d)?$/;

const EPOCH = /^(\d{9,19})(\.\d+)?$/;

/** Longest text of a time, UTF-16 code units. */
const LONGEST = 48;

/**
 * Reads a time as web servers write it: common log format, ISO 8601, or a number since 1970, which is seconds,
 * milliseconds, microseconds or nanoseconds by its magnitude (seconds up to the year 5138).
 * @returns ms since 1970-01-01 UTC, or undefined when the text is not a moment of the calendar.
 */
export function parseTime(text: string): number | undefined {
  if (text.length > LONGEST) return undefined;
  const common = COMMON.exec(text);
  if (common !== null) {
    const [, day, month, year, hour, minute, second, fraction, zone] = common;
    return moment([year, MONTHS.indexOf(month!) + 1, day, hour, minute, second], fraction, zone);
  }
  const iso = ISO.exec(text);
  if (iso !== null) return moment(iso.slice(1, 7), iso[7], iso[8]);
  return EPOCH.test(text) ? fromEpoch(Number(text)) : undefined;
}

function fromEpoch(value: number): number {
  let ms = value < 1e11 ? value * 1_000 : value;
  while (ms >= 1e14) ms /= 1_000;
  return Math.floor(ms);
}

/** @param parts year to second. @param fraction digits of a second. @param zone absent or without a number: UTC. */
function moment(
  parts: readonly unknown[],
  fraction: string | undefined,
  zone: string | undefined,
): number | undefined {
  const [year, month, day, hour, minute, second] = parts.map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const offset = zoneMinutes(zone);
  // A leap second is written as :60; it counts as the second after.
  if (hour > 23 || minute > 59 || second > 60 || offset === undefined) return undefined;
  const midnight = new Date(0).setUTCFullYear(year, month - 1, day);
  const date = new Date(midnight);
  if (month < 1 || date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day) return undefined;
  const ms = Number((fraction ?? "").padEnd(3, "0").slice(0, 3));
  return midnight + ((hour * 60 + minute - offset) * 60 + second) * 1_000 + ms;
}

function zoneMinutes(zone: string | undefined): number | undefined {
  const parts = /^([+-])(\d\d):?(\d\d)$/.exec(zone ?? "");
  if (parts === null) return 0;
  const [hours, minutes] = [Number(parts[2]), Number(parts[3])];
  if (hours > 14 || minutes > 59) return undefined;
  return (parts[1] === "-" ? -1 : 1) * (hours * 60 + minutes);
}

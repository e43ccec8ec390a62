import { stripVTControlCharacters } from "node:util";
import type { Granularity } from "../../gen/footfall/query/v1/period_pb.js";
import { Unit } from "../../gen/footfall/query/v1/table_pb.js";
import type { Cell, MetricColumns, Report } from "../report.ts";
import { LocalTime } from "./local-time.ts";

/** What values are shown with. */
export interface Manner {
  /** ISO 4217 code. */
  readonly currency: string;
  readonly granularity: Granularity;
  readonly time: LocalTime;
}

export function mannerOf({ info, granularity }: Report): Manner {
  return { currency: info.currency, granularity, time: new LocalTime(info.timeZone) };
}

const NONE = "–";

/** A value as people read it. */
export function cellText(cell: Cell, unit: Unit, { currency, granularity, time }: Manner): string {
  switch (cell.kind) {
    case "none":
      return NONE;
    case "text":
      return printable(cell.text);
    case "time":
      return `${time.bucket(cell.startMs, granularity)}${cell.isPartial ? " *" : ""}`;
    case "integer":
      return cell.value.toLocaleString("en");
    case "money":
      return moneyText(cell.amount, currency);
    case "number":
      return unit === Unit.CURRENCY ? moneyText(String(cell.value), currency) : numberText(cell.value, unit);
  }
}

/** Digits go to the formatter as they are: no amount is too large. */
function moneyText(digits: string, currency: string): string {
  const format = new Intl.NumberFormat("en", { style: "currency", currency });
  return format.format(digits as Intl.StringNumericLiteral);
}

function numberText(value: number, unit: Unit): string {
  const rounded = (digits: number) => value.toLocaleString("en", { maximumFractionDigits: digits });
  switch (unit) {
    case Unit.RATIO:
      return `${(value * 100).toLocaleString("en", { minimumFractionDigits: 1, maximumFractionDigits: 1 })} %`;
    case Unit.PERCENT:
      return `${rounded(1)} %`;
    case Unit.SECONDS:
      return durationText(value);
    case Unit.COUNT:
    case Unit.UNSPECIFIED:
      return rounded(3);
    default:
      return rounded(2);
  }
}

/** 4.2 s, 3 m 07 s, 12 h 05 m. */
function durationText(seconds: number): string {
  if (Math.abs(seconds) < 59.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(Math.abs(seconds));
  const sign = seconds < 0 ? "-" : "";
  const two = (part: number) => String(Math.floor(part)).padStart(2, "0");
  if (whole < 3_600) return `${sign}${Math.floor(whole / 60)} m ${two(whole % 60)} s`;
  return `${sign}${Math.floor(whole / 3_600).toLocaleString("en")} h ${two((whole % 3_600) / 60)} m`;
}

/** A standard error relative to its value: ±0.8 %; "" for an exact value. */
export function errorText(error: number | undefined): string {
  return error === undefined || error === 0 ? "" : ` ±${(error * 100).toPrecision(2)} %`;
}

/** One digit of parts, and no more than four that say something. */
const PERCENT = new Intl.NumberFormat("en", {
  maximumFractionDigits: 1,
  maximumSignificantDigits: 4,
  roundingPriority: "lessPrecision",
});

/** How much more a value is than before, relative to that: +12.3 %. */
export function changeText({ now, before }: MetricColumns, row: number): string {
  const [one, other] = [now.cells[row], before?.cells[row]].map((cell) => numberOf(cell));
  if (one === undefined || other === undefined || other === 0) return NONE;
  const change = (one - other) / Math.abs(other);
  return `${change > 0 ? "+" : ""}${PERCENT.format(change * 100)} %`;
}

/** A value as a number, for charts and changes; undefined for what is none. */
export function numberOf(cell: Cell | undefined): number | undefined {
  switch (cell?.kind) {
    case "integer":
    case "number":
      return Number(cell.value);
    case "money":
      return Number(cell.amount);
    default:
      return undefined;
  }
}

/** Anybody may have sent a text: what a terminal would obey, or show elsewhere, is taken out. */
export function printable(text: string): string {
  return stripVTControlCharacters(text).replaceAll(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, "\ufffd");
}

const MOST = 60;

/** Cut to 60 characters. */
export function abbreviate(text: string): string {
  const characters = Array.from(text);
  return characters.length <= MOST ? text : `${characters.slice(0, MOST - 1).join("")}…`;
}

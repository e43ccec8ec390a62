import { isIP } from "node:net";
import { unescapeField } from "./unescape.ts";

/** One request that a web server has logged. */
export interface LoggedRequest {
  /** IPv4 or IPv6 address of the client. */
  readonly ip: string;
  /** When the request came, milliseconds since 1970, UTC; logs tell whole seconds. */
  readonly timeMs: number;
  readonly method: string;
  /** The request's target as the client wrote it: a path with its query, "*", or an absolute address. */
  readonly path: string;
  /** Such as "HTTP/1.1". */
  readonly protocol: string;
  /** 100 to 599. */
  readonly status: number;
  /** Bytes of the body; absent when the server wrote "-". */
  readonly bytes: number | undefined;
  /** Absent when the client sent none. */
  readonly referrer: string | undefined;
  /** Absent when the client sent none. */
  readonly userAgent: string | undefined;
}

export type ParsedLine =
  | { readonly ok: true; readonly request: LoggedRequest }
  | { readonly ok: false; readonly reason: string };

// No part can match the same text in two ways, and the time's length is bounded: a line that is made to be
// slow takes no longer than another of its length.
const QUOTED = String.raw`"((?:[^"\\]|\\.)*)"`;

/** Combined format: client, identity, user, time, request line, status, bytes, referrer, user agent. */
const COMBINED = new RegExp(
  String.raw`^(\S+) \S+ .*? \[([^\]"]{20,40})\] ${QUOTED} (\d{3}) (\d+|-) ${QUOTED} ${QUOTED}\r?\n?$`,
  "s",
);

const REQUEST_LINE = /^([A-Z][A-Z_-]*) (\S+) (HTTP\/\d(?:\.\d)?)$/;

/**
 * Parses one line of the combined log format as Apache and nginx write it, with or without its line end.
 * Escapes (\", \\, \n, \xHH) are undone where the bytes are printable UTF-8, and left as written elsewhere.
 * @returns the request, or why the line is refused, naming the field and its value. Never throws.
 */
export function parseLine(text: string): ParsedLine {
  const fields = COMBINED.exec(text);
  if (fields === null) return refuse("line is not in the combined log format", withoutClient(text));
  const [, ip, time, requestLine, status, bytes, referrer, userAgent] = fields as unknown as string[];
  if (isIP(ip!) === 0) return refuse("client is not an IP address", ip!);
  const timeMs = parseTime(time!);
  if (timeMs === undefined) return refuse("time is not like 17/May/2015:10:05:03 +0000", time!);
  const request = REQUEST_LINE.exec(requestLine!);
  if (request === null) return refuse("request is not a method, a target and a protocol", requestLine!);
  if (status! < "100" || status! > "599") return refuse("status is not within 100 to 599", status!);
  return {
    ok: true,
    request: {
      ip: ip!,
      timeMs,
      method: request[1]!,
      path: unescapeField(request[2]!),
      protocol: request[3]!,
      status: Number(status),
      bytes: bytes === "-" ? undefined : Number(bytes),
      referrer: present(referrer!),
      userAgent: present(userAgent!),
    },
  };
}

function present(field: string): string | undefined {
  return field === "-" || field === "" ? undefined : unescapeField(field);
}

/** A line as it may be shown: reasons are logged, and visitors' addresses never are. */
function withoutClient(text: string): string {
  return text.replace(/^\S+/, "…");
}

/** Longest piece of a line that a reason repeats, UTF-16 code units. */
const SHOWN = 120;

function refuse(what: string, value: string): ParsedLine {
  const shown = value.length > SHOWN ? `${value.slice(0, SHOWN)}…` : value;
  return { ok: false, reason: `${what}: ${JSON.stringify(shown)}` };
}

const TIME = /^(\d\d)\/([A-Z][a-z]{2})\/(\d{4}):(\d\d):(\d\d):(\d\d) ([+-])(\d\d)(\d\d)$/;
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/** Milliseconds since 1970, UTC; undefined when the text is not a moment of the calendar. */
function parseTime(text: string): number | undefined {
  const parts = TIME.exec(text);
  if (parts === null) return undefined;
  const month = MONTHS.indexOf(parts[2]!);
  const [day, year, hour, minute, second, zoneHours, zoneMinutes] = [1, 3, 4, 5, 6, 8, 9].map((part) =>
    Number(parts[part]),
  ) as [number, number, number, number, number, number, number];
  // A leap second is written as :60; it counts as the second after.
  if (hour > 23 || minute > 59 || second > 60 || zoneHours > 14 || zoneMinutes > 59) return undefined;
  const midnight = new Date(0).setUTCFullYear(year, month, day);
  if (month < 0 || new Date(midnight).getUTCDate() !== day) return undefined;
  const offset = (zoneHours * 60 + zoneMinutes) * (parts[7] === "-" ? -60_000 : 60_000);
  return midnight + (hour * 3_600 + minute * 60 + second) * 1_000 - offset;
}

import { unescapeField } from "./unescape.ts";

/**
 * What a format may tell of a request, as text and in the log's own words:
 * - `time`: a moment in any form of parseTime; or `date` and `clock` apart
 * - `request`: method, target and protocol in one; or each on its own, the target also as `path` and `query`
 * - `client`: the other end of the connection; `forwarded`: what X-Forwarded-For said
 * - `ident` and `user`: Apache's %l and %u, by which formats are told apart
 */
export type Field =
  | "client"
  | "forwarded"
  | "ident"
  | "user"
  | "time"
  | "date"
  | "clock"
  | "request"
  | "method"
  | "target"
  | "path"
  | "query"
  | "protocol"
  | "status"
  | "bytes"
  | "referrer"
  | "userAgent"
  | "host"
  | "port"
  | "scheme";

/** The fields that a line has; one that the server wrote as "-", or left empty, is absent. */
export type Fields = Partial<Record<Field, string>>;

/** A log's format. */
export interface Format {
  /** As it is told to people. */
  readonly name: string;
  /** @returns the line's fields, or undefined for a line that is not in this format. Linear in the line's length. */
  read(line: string): Fields | undefined;
  /** Told of a line that begins with "#": W3C's directives name the columns of what follows. */
  directive?(line: string): void;
}

const ESCAPED: ReadonlySet<Field> = new Set([
  "userAgent",
  "referrer",
  "target",
  "path",
  "query",
  "forwarded",
]);

/** Adds a field, unless it is absent or there already. */
export function put(fields: Fields, field: Field, value: string): void {
  if (value !== "" && value !== "-") fields[field] ??= value;
}

/** As put, with the escapes of a text format undone; those of a request line are undone when it is cut up. */
export function putEscaped(fields: Fields, field: Field, value: string): void {
  put(fields, field, ESCAPED.has(field) ? unescapeField(value) : value);
}

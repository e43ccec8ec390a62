import { createHash } from "node:crypto";
import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { valuesOf } from "../../event/property-value.ts";
import { type Event, EventSchema } from "../../gen/footfall/event/v1/event_pb.js";
import { isPage } from "./page.ts";
import type { LoggedRequest, ParsedLine } from "./request.ts";

/** Where a line stands. Together with its text it is the line's identity. */
export interface LinePosition {
  /** Identity of the file, from readLog. */
  readonly file: string;
  /** Byte offset of the line's first byte. */
  readonly offset: number;
  /** The line without its line end. */
  readonly text: string;
}

export interface SiteOptions {
  /** The merchant whose site it is, by the id that stays when its keys change. */
  readonly merchant: string;
  /** Scheme and host of the site, such as "https://shop.example", for lines that do not tell the host. */
  readonly site: string;
  /**
   * A name for the server that writes the log; needed only when several servers write logs of one merchant.
   * Default: none.
   */
  readonly server?: string;
}

/**
 * The event for a logged request: `page_view` for a successful (2xx or 304) GET of a page, `http_request` for
 * all else. Visitor and session are absent: a log does not tell them.
 *
 * Its event_id is made of the line alone, so that a log read twice counts once, whoever reads it. It is a
 * UUIDv7 in form: 48 bits are the line's time, and the other 74 come from SHA-256 of
 * - the merchant and the server's name,
 * - the file's identity, the hash of its first line: it is the same under another path, after a copy and after
 *   growth, and another one after rotation, since the new file begins with another request;
 * - the line's byte offset and its text: a request repeated within a second is two lines, and two events.
 * Two servers' logs would collide only where their first lines, and then a line at the same offset, are equal
 * to the byte: the same client, target and second. Behind a load balancer whose health checks reach all
 * servers at once that can happen, and for that there is `server`.
 */
export function loggedEvent(request: LoggedRequest, position: LinePosition, options: SiteOptions): Event {
  const { method, status, bytes, protocol } = request;
  const known = { http_method: method, http_status: status, http_bytes: bytes, http_protocol: protocol };
  const properties = Object.entries(known).filter(([, value]) => value !== undefined);
  const url = urlOf(request, options.site);
  return create(EventSchema, {
    eventId: idOf(request.timeMs, position, options),
    name: url !== "" && isPageView(request) ? "page_view" : "http_request",
    clientTime: timestampFromMs(request.timeMs),
    url,
    referrer: request.referrer ?? "",
    userAgent: request.userAgent ?? "",
    ip: request.ip ?? "",
    properties: valuesOf(Object.fromEntries(properties.map(([name, value]) => [name, String(value)]))),
  });
}

export type LineEvent =
  | { readonly ok: true; readonly event: Event }
  | { readonly ok: false; readonly reason: string };

/** The event of a line as it was read, or why there is none. */
export function lineToEvent(parsed: ParsedLine, position: LinePosition, options: SiteOptions): LineEvent {
  return parsed.ok ? { ok: true, event: loggedEvent(parsed.request, position, options) } : parsed;
}

function isPageView({ method, status = 0, target = "" }: LoggedRequest): boolean {
  return method === "GET" && ((status >= 200 && status < 300) || status === 304) && isPage(target);
}

/** "*" (of OPTIONS), the host and port of CONNECT and the like name no page: the address is then absent. */
function urlOf({ target = "", host, scheme }: LoggedRequest, site: string): string {
  if (/^https?:\/\//i.test(target)) return URL.canParse(target) ? target : "";
  if (!target.startsWith("/")) return "";
  if (host === undefined) return site.replace(/\/$/, "") + target;
  return `${scheme ?? site.split(":", 1)[0]}://${host}${target}`;
}

function idOf(timeMs: number, { file, offset, text }: LinePosition, { merchant, server = "" }: SiteOptions) {
  const identity = JSON.stringify([merchant, server, file, offset, text]);
  const bytes = createHash("sha256").update(identity).digest();
  bytes.copy(bytes, 6, 16, 26);
  bytes.writeUIntBE(timeMs, 0, 6);
  bytes[6] = (bytes[6]! & 0x0f) | 0x70;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  const hex = bytes.toString("hex", 0, 16);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

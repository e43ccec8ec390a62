import type { FindClient } from "../client-address/trusted-proxies.ts";
import { BEHIND_PRIVATE, clientAddress, isAddressList, isHostName } from "./client.ts";
import type { Fields } from "./fields.ts";
import { parseTime } from "./log-time.ts";
import { parseRequestLine, type RequestLine } from "./request-line.ts";

/** One request that a web server has logged. */
export interface LoggedRequest extends RequestLine {
  /** IPv4 or IPv6 address of the client; absent when the log has its host name, or nothing. */
  readonly ip: string | undefined;
  /** When the request came, ms since 1970-01-01 UTC. */
  readonly timeMs: number;
  /** 100 to 599; absent when there was no answer. */
  readonly status: number | undefined;
  /** Bytes of the answer. */
  readonly bytes: number | undefined;
  readonly referrer: string | undefined;
  readonly userAgent: string | undefined;
  /** Host that the request was for, with its port unless that is the scheme's own. */
  readonly host: string | undefined;
  readonly scheme: "http" | "https" | undefined;
}

export type ParsedLine =
  | { readonly ok: true; readonly request: LoggedRequest }
  | { readonly ok: false; readonly reason: string };

export interface RequestOptions {
  /** Which proxies are believed; those in private networks where absent. */
  readonly findClient?: FindClient | undefined;
  /** Stands in for a time that the line lacks, ms since 1970-01-01 UTC. */
  readonly fallbackTimeMs?: number | undefined;
}

/**
 * The request that a line's fields tell of, in whatever format they came.
 * @returns the request, or why the line is refused, naming the field and its value. Never throws.
 */
export function toRequest(fields: Fields, options: RequestOptions = {}): ParsedLine {
  const time = fields.time ?? (fields.date && fields.clock && `${fields.date} ${fields.clock}`);
  const timeMs = time === undefined || time === "" ? options.fallbackTimeMs : parseTime(time);
  if (timeMs === undefined) return refuseLine("time is none that a log has", time ?? "");
  const status = Number(fields.status ?? 0);
  // Servers write 0, 000 and "-" when the client was gone before the answer.
  if (status !== 0 && !(status >= 100 && status <= 599)) {
    return refuseLine("status is not within 100 to 599", fields.status!);
  }
  const line = requestLine(fields);
  if (line === undefined) return { ok: false, reason: "no request came: the client timed out or hung up" };
  const { client, forwarded, referrer, userAgent } = fields;
  if (client !== undefined && !isClient(client)) {
    return refuseLine("client is neither an address nor a host name", client);
  }
  const ip = clientAddress(client, forwarded, options.findClient ?? BEHIND_PRIVATE);
  const bytes = Number(fields.bytes);
  const request: LoggedRequest = {
    ip,
    timeMs,
    ...line,
    status: status === 0 ? undefined : status,
    bytes: Number.isSafeInteger(bytes) && bytes >= 0 ? bytes : undefined,
    referrer,
    userAgent,
    ...hostOf(fields),
  };
  return { ok: true, request };
}

/** "unix:" is nginx's word for a client on a local socket: a proxy of one's own. */
function isClient(text: string): boolean {
  return isAddressList(text) || isHostName(text) || text === "unix:";
}

function requestLine({ request, method, target, path, query, protocol }: Fields): RequestLine | undefined {
  if (request !== undefined) return parseRequestLine(request);
  const whole = target ?? (path !== undefined && query !== undefined ? withQuery(path, query) : path);
  if (method === undefined && whole === undefined) return undefined;
  return { method, target: whole, protocol };
}

function withQuery(path: string, query: string): string {
  return path + (query.startsWith("?") ? query : `?${query}`);
}

/** A host name or address, and its port. */
export const HOST = /^(\[[\da-f:.]{2,45}\]|[\p{L}\p{N}_.-]{1,255})(?::(\d{1,5}))?$/iu;

/** A host is often the client's word: one that cannot be one is passed over, as is nginx's "_", which means any. */
function hostOf({ host, port, scheme, ident }: Fields): Pick<LoggedRequest, "host" | "scheme"> {
  // lighttpd writes the host in the place of the ident.
  const told = host ?? (ident?.includes(".") ? ident : "");
  const [, name, ownPort = port] = HOST.exec(told) ?? [];
  const known = schemeOf(scheme) ?? (ownPort === "443" ? "https" : ownPort === "80" ? "http" : undefined);
  if (name === undefined || name === "_" || !/[\p{L}\p{N}]/u.test(name))
    return { host: undefined, scheme: known };
  const isUsual = ownPort === undefined || ownPort === "80" || ownPort === "443";
  return { host: isUsual ? name : `${name}:${ownPort}`, scheme: known };
}

function schemeOf(text: string | undefined): "http" | "https" | undefined {
  const scheme = text?.split(",", 1)[0]?.trim().toLowerCase();
  if (scheme === "https" || scheme === "on" || scheme === "wss") return "https";
  return scheme === "http" || scheme === "ws" ? "http" : undefined;
}

/** Longest piece of a line that a reason repeats, UTF-16 code units. */
const SHOWN = 120;

export function refuseLine(what: string, value: string): { readonly ok: false; readonly reason: string } {
  const shown = value.length > SHOWN ? `${value.slice(0, SHOWN)}…` : value;
  return { ok: false, reason: `${what}: ${JSON.stringify(shown)}` };
}

import type { Field, Format } from "./fields.ts";
import { type Part, type TextFormatOptions, textFormat } from "./text-format.ts";

/** nginx's variables (ngx_http_core_module, ngx_http_log_module and others) that an event needs. */
const NGINX: Readonly<Record<string, Field>> = {
  remote_addr: "client",
  http_x_forwarded_for: "forwarded",
  proxy_add_x_forwarded_for: "forwarded",
  http_x_real_ip: "forwarded",
  http_cf_connecting_ip: "forwarded",
  http_true_client_ip: "forwarded",
  time_local: "time",
  time_iso8601: "time",
  msec: "time",
  request: "request",
  request_method: "method",
  request_uri: "target",
  uri: "path",
  document_uri: "path",
  args: "query",
  query_string: "query",
  server_protocol: "protocol",
  status: "status",
  body_bytes_sent: "bytes",
  bytes_sent: "bytes",
  http_referer: "referrer",
  http_user_agent: "userAgent",
  host: "host",
  http_host: "host",
  server_name: "host",
  server_port: "port",
  scheme: "scheme",
  http_x_forwarded_proto: "scheme",
};

/** Apache's directives (mod_log_config) that an event needs. */
const APACHE: Readonly<Record<string, Field>> = {
  h: "client",
  a: "client",
  l: "ident",
  u: "user",
  t: "time",
  r: "request",
  m: "method",
  U: "path",
  q: "query",
  H: "protocol",
  s: "status",
  b: "bytes",
  B: "bytes",
  O: "bytes",
  v: "host",
  V: "host",
  p: "port",
};

/** Headers, as Apache's %{...}i names them. */
const HEADERS: Readonly<Record<string, Field>> = {
  referer: "referrer",
  "user-agent": "userAgent",
  "x-forwarded-for": "forwarded",
  "x-real-ip": "forwarded",
  "cf-connecting-ip": "forwarded",
  "true-client-ip": "forwarded",
  "x-forwarded-proto": "scheme",
  host: "host",
};

const NGINX_TOKEN = /\$(?:\{(\w+)\}|(\w+))/g;
const APACHE_TOKEN = /%(?:%|[!<>\d,]*(?:\{([^}]*)\})?(\^t[io]|[a-zA-Z]))/g;

/** Whether a text is a format string, of nginx or of Apache. */
export function isFormatString(text: string): boolean {
  return /\$\{?[a-z]/.test(text) || /%[!<>\d,{]*[a-zA-Z]/.test(text);
}

/**
 * The format that an nginx log_format or Apache LogFormat string describes; the whole directive may be given.
 * @throws Error when it names no time or no request.
 */
export function formatString(
  text: string,
  options: Partial<Pick<TextFormatOptions, "name" | "more" | "accepts">> = {},
): Format {
  const name = `${isNginx(text) ? "nginx" : "Apache"} format string`;
  const parsed = partsOf(bareFormat(text));
  const fields = new Set(parsed.parts.map(({ field }) => field));
  if (!fields.has("time") && !(fields.has("date") && fields.has("clock"))) throw new Error("names no time");
  const isRequest =
    fields.has("request") || (fields.has("method") && (fields.has("target") || fields.has("path")));
  if (!isRequest) throw new Error("names no request, or no method of one");
  return textFormat({ name, ...parsed, ...options });
}

const isNginx = (text: string) => /\$\{?[a-z]/.test(text);

/** The fields of a format string in their order. */
export function partsOf(text: string): Pick<TextFormatOptions, "parts" | "after"> {
  return isNginx(text) ? nginxParts(text) : apacheParts(text);
}

/** A format string without the directive that it stands in, and without the escapes of Apache's quotes. */
export function bareFormat(text: string): string {
  if (!isNginx(text)) return unquoted(text);
  if (!/^\s*log_format\s/.test(text)) return text;
  // log_format name escape=default 'a ' 'b';
  return [...text.matchAll(/'([^']*)'/g)].map(([, piece]) => piece!).join("");
}

/** Of `LogFormat "..." name` what stands in the quotes. */
function unquoted(text: string): string {
  const directive = /^\s*(?:LogFormat|CustomLog\s+\S+)\s+"((?:[^"\\]|\\.)*)"/s.exec(text);
  const escapes: Readonly<Record<string, string>> = { t: "\t", n: "\n" };
  return (directive?.[1] ?? text).replace(/\\(.)/g, (_, escaped: string) => escapes[escaped] ?? escaped);
}

function nginxParts(text: string) {
  return split(text, NGINX_TOKEN, ([, braced, plain]) => ({ field: NGINX[(braced ?? plain)!] }));
}

function apacheParts(text: string) {
  // A virtual host and its port are one field, as a client may send both in one header.
  const joined = text.replace(/%([vV]):%(?:\{\w+\})?p/g, "%$1");
  return split(joined, APACHE_TOKEN, ([token, argument, letter]) => {
    if (token === "%%") return { literal: "%" };
    if (letter === "t") return argument === undefined ? { field: "time", around: "[]" } : timeField(argument);
    if (letter === "i") return { field: HEADERS[argument!.toLowerCase()] };
    return { field: APACHE[letter!] };
  });
}

/** A date and a time of day may stand apart (strftime); what else stands in braces is a time, or adds to one. */
function timeField(argument: string): Token {
  if (/^(?:begin:|end:)?(?:%F|%Y-%m-%d)$/.test(argument)) return { field: "date" };
  return { field: /^(?:begin:|end:)?(?:%T|%H:%M:%S)$/.test(argument) ? "clock" : "time" };
}

interface Token {
  readonly field?: Field | undefined;
  readonly literal?: string;
  /** What the server writes before and behind the field. */
  readonly around?: string;
}

function split(text: string, pattern: RegExp, tokenOf: (match: RegExpExecArray) => Token) {
  const parts: Part[] = [];
  let before = "";
  let from = 0;
  for (const match of text.matchAll(pattern)) {
    const { field, literal, around = "" } = tokenOf(match);
    before += text.slice(from, match.index);
    from = match.index + match[0].length;
    if (literal !== undefined) before += literal;
    else {
      parts.push({ before: before + around.slice(0, 1), field });
      before = around.slice(1);
    }
  }
  return { parts, after: before + text.slice(from) };
}

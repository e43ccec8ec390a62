import { type Field, type Fields, type Format, put } from "./fields.ts";
import { bareFormat, partsOf } from "./format-string.ts";
import { parseTime } from "./log-time.ts";
import { textFormat } from "./text-format.ts";

/** A JSON object of a log. */
export type LogRecord = Readonly<Record<string, unknown>>;

/**
 * Names under which JSON logs have a field, the best first; nested names are joined, and letter case and
 * separators do not count: `requestheadersuseragent` is Caddy's request.headers["User-Agent"].
 * Sources: the log documents of Caddy, Traefik, nginx (variables), Elastic Common Schema, Google Cloud's HttpRequest,
 * and the keys of Fluent Bit's and fluentd's apache2 and nginx parsers.
 */
const NAMES: Readonly<Record<Exclude<Field, "ident" | "user" | "date" | "clock" | "port">, string>> = {
  client:
    "requestclientip requestremoteip requestremoteaddr remoteaddr remoteip clienthost clientip clientaddr clientaddress sourceip sourceaddress httprequestremoteip remotehost remote client ip cip",
  forwarded:
    "requestheadersxforwardedfor httpxforwardedfor requestxforwardedfor xforwardedfor forwardedfor xff httpxrealip xrealip",
  time: "startutc msec timeiso8601 timelocal timestamp ts time datetime eventtime date startlocal",
  request: "request requestline httprequest",
  method: "requestmethod httprequestrequestmethod httprequestmethod method verb httpmethod",
  target:
    "requesturi requestpath urloriginal httprequestrequesturl requesturl uri path url target urlpath urlfull",
  path: "documenturi",
  query: "args querystring urlquery query",
  protocol: "requestproto requestprotocol serverprotocol httprequestprotocol protocol proto",
  status:
    "status downstreamstatus originstatus statuscode httpresponsestatuscode responsestatus httprequeststatus responsecode code response",
  bytes:
    "size bodybytessent bytessent downstreamcontentsize httprequestresponsesize httpresponsebodybytes bytes responsesize",
  referrer:
    "requestheadersreferer httpreferer httpreferrer requestreferer httprequestreferer httprequestreferrer referer referrer",
  userAgent:
    "requestheadersuseragent httpuseragent requestuseragent httprequestuseragent useragentoriginal useragent agent ua",
  host: "requesthost httphost host vhost virtualhost servername urldomain domain",
  scheme:
    "requestheadersxforwardedproto requestscheme httpxforwardedproto scheme urlscheme requesttlsversion",
};

const RANKS = new Map<string, { readonly field: Field; readonly rank: number }>();
for (const [field, names] of Object.entries(NAMES)) {
  for (const [rank, name] of names.split(" ").entries()) RANKS.set(name, { field: field as Field, rank });
}

/** How deep objects are looked into. */
const DEPTH = 4;

/** The fields that a record's keys name; undefined when none of them tells of a request. */
export function recordFields(record: LogRecord): Fields | undefined {
  const fields: Fields = {};
  const ranks: Partial<Record<Field, number>> = {};
  walk(record, [], (path, value) => {
    const known = RANKS.get(
      path
        .join("")
        .toLowerCase()
        .replace(/[^a-z0-9]/g, ""),
    );
    if (known === undefined || known.rank >= (ranks[known.field] ?? Number.POSITIVE_INFINITY)) return;
    if (value === "" || value === "-") return;
    fields[known.field] = path.at(-2) === "tls" ? "https" : value;
    ranks[known.field] = known.rank;
  });
  // Fluent Bit's apache2 parser calls the client its host.
  if (fields.client === undefined && fields.host !== undefined && "code" in record) {
    fields.client = fields.host;
    delete fields.host;
  }
  // nginx's $uri with $args beside it; $request_uri has its query within.
  if (fields.query !== undefined && fields.target?.includes("?") === false) {
    fields.path = fields.target;
    delete fields.target;
  }
  // Matomo's JSON format of nginx leaves the method out.
  if (fields.client && fields.target && fields.status) fields.method ??= "GET";
  // A shipper's "path" is that of a file: a target counts with its method only.
  const isRequest = fields.request ?? (fields.method && (fields.target ?? fields.path));
  return isRequest === undefined ? undefined : fields;
}

/** When a shipper took a record up: ms since 1970-01-01 UTC. */
export function recordTimeMs(record: LogRecord): number | undefined {
  const time = record.date ?? record["@timestamp"] ?? record.timestamp ?? record.time ?? record.ts;
  return time === undefined ? undefined : parseTime(String(time));
}

/** The line of text that a record carries as a log shipper or Docker wraps it; undefined when it has none. */
export function carriedLine(record: LogRecord): string | undefined {
  const event = record.event as LogRecord | undefined;
  const candidates = [record.log, record.message, record.msg, record.MESSAGE, record.line, event?.original];
  return candidates.find((value): value is string => typeof value === "string")?.replace(/\r?\n$/, "");
}

export function parseRecord(text: string): LogRecord | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}

/** What server wrote a record, for people. */
export function recordKind(record: LogRecord): string {
  if (String(record.logger ?? "").startsWith("http.log.access")) return "Caddy JSON";
  return "RequestMethod" in record || "DownstreamStatus" in record ? "Traefik JSON" : "JSON";
}

/**
 * The format that a template of JSON describes: an nginx log_format with escape=json, or an Apache LogFormat,
 * that makes an object of each request. Its keys are read by what the template puts there.
 * @throws Error when the template is no JSON object.
 */
export function jsonTemplate(template: string): Format {
  // Numbers stand there without quotes: {"status":$status}.
  const bare = bareFormat(template);
  const quoted = bare.replace(
    /(:\s{0,8})([$%][^\s",{}]{0,64}(?:\{[^}]{0,64}\}[a-zA-Z]{1,8})?)(?=\s{0,8}[,}])/g,
    '$1"$2"',
  );
  const record = parseRecord(quoted);
  if (record === undefined) throw new Error("is no JSON object");
  const formats = new Map<string, Format>();
  walk(record, [], (path, value) => {
    formats.set(path.join("\0"), textFormat({ name: "", isWhole: true, ...partsOf(value) }));
  });
  return {
    name: "JSON format string",
    read(line) {
      const found = parseRecord(line);
      if (found === undefined) return undefined;
      const fields: Fields = {};
      walk(found, [], (path, value) => {
        const part = formats.get(path.join("\0"))?.read(value) ?? {};
        for (const [field, text] of Object.entries(part)) put(fields, field as Field, text);
      });
      return fields;
    },
  };
}

/** Visits the texts and numbers of an object; of a list the first counts. */
function walk(
  record: LogRecord,
  above: readonly string[],
  visit: (path: readonly string[], value: string) => void,
): void {
  for (const [key, entry] of Object.entries(record)) {
    const path = [...above, key];
    const value: unknown = Array.isArray(entry) ? entry[0] : entry;
    if (typeof value === "string") visit(path, value);
    else if (typeof value === "number") visit(path, String(value));
    else if (typeof value === "object" && value !== null && path.length < DEPTH)
      walk({ ...value }, path, visit);
  }
}

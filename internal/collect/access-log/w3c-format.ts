import { type Field, type Fields, type Format, put } from "./fields.ts";

/** Columns of the W3C extended log file format, as IIS and CloudFront name them. */
const COLUMNS: Readonly<Record<string, Field>> = {
  date: "date",
  time: "clock",
  "date-local": "date",
  "time-local": "clock",
  "c-ip": "client",
  "x-forwarded-for": "forwarded",
  "cs(x-forwarded-for)": "forwarded",
  "s-xff": "forwarded",
  "cs-method": "method",
  "cs-uri": "target",
  "cs-uri-stem": "path",
  "cs-uri-query": "query",
  "cs-version": "protocol",
  "cs-protocol-version": "protocol",
  "cs-protocol": "scheme",
  "sc-status": "status",
  "c-status": "status",
  "sc-bytes": "bytes",
  "cs(user-agent)": "userAgent",
  "cs(referer)": "referrer",
  "cs(referrer)": "referrer",
  "x-host-header": "host",
  "cs-host": "host",
  "cs(host)": "host",
  "s-port": "port",
};

/** IIS 7's usual columns have no referrer. */
const IIS_7 = wantedColumns(
  "date time s-ip cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip cs(User-Agent) sc-status sc-substatus sc-win32-status time-taken",
);

/** What IIS 8.5 and later writes unless told otherwise. */
const IIS = wantedColumns(
  "date time s-ip cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip cs(User-Agent) cs(Referer) sc-status sc-substatus sc-win32-status time-taken",
);

/** CloudFront's standard log, version 1.0; the columns from the thirteenth on were added over the years. */
const CLOUDFRONT = wantedColumns(
  "date time x-edge-location sc-bytes c-ip cs-method cs(Host) cs-uri-stem sc-status cs(Referer) cs(User-Agent) cs-uri-query cs(Cookie) x-edge-result-type x-edge-request-id x-host-header cs-protocol cs-bytes time-taken x-forwarded-for ssl-protocol ssl-cipher x-edge-response-result-type cs-protocol-version fle-status fle-encrypted-fields c-port time-to-first-byte x-edge-detailed-result-type sc-content-type sc-content-len sc-range-start sc-range-end",
  12,
);

/**
 * W3C extended logs. A "#Fields:" directive names the columns of the lines behind it; a log that begins without one
 * (a shipper sends lines from the middle of a file) has the usual columns of IIS, or with tabs those of CloudFront.
 * @param columns as a "#Fields:" directive has them, for a log of other columns without one.
 */
export function w3cFormat(columns?: string): Format {
  let told = columns === undefined ? undefined : wantedColumns(columns);
  let name = "W3C (IIS)";
  return {
    get name() {
      return name;
    },
    directive(line) {
      const fields = /^#Fields:(.*)$/i.exec(line)?.[1];
      if (fields !== undefined) told = wantedColumns(fields);
    },
    read(line) {
      const isTabbed = line.includes("\t");
      name = isTabbed ? "CloudFront" : "W3C (IIS)";
      const wanted = told ?? (isTabbed ? CLOUDFRONT : usualOfIis(line));
      const values = isTabbed ? line.split("\t") : blankParted(line, wanted.count);
      return fieldsOf(wanted, values, isTabbed ? decoded : plused);
    },
  };
}

interface Columns {
  readonly count: number;
  readonly wanted: readonly { readonly index: number; readonly field: Field }[];
}

/** @param least how many a line must have; all where absent. */
function wantedColumns(names: string, least?: number): Columns {
  const columns = names.trim().toLowerCase().split(/\s+/);
  // In the order of the table: the host that the visitor asked for comes before the distribution's own.
  const wanted = Object.entries(COLUMNS).map(([name, field]) => ({ index: columns.indexOf(name), field }));
  return { count: least ?? columns.length, wanted: wanted.filter(({ index }) => index >= 0) };
}

function fieldsOf(
  { count, wanted }: Columns,
  values: readonly string[],
  undo: (agent: string) => string,
): Fields | undefined {
  if (values.length < count) return undefined;
  const fields: Fields = {};
  for (const { index, field } of wanted) {
    put(fields, field, field === "userAgent" ? undo(values[index] ?? "") : (values[index] ?? ""));
  }
  return fields.date !== undefined && fields.clock !== undefined ? fields : undefined;
}

function usualOfIis(line: string): Columns {
  return line.split(" ").length === IIS_7.count ? IIS_7 : IIS;
}

/** Values parted by blanks; where they are too many, those in quotes hold some of them. */
function blankParted(line: string, count: number): string[] {
  const plain = line.split(" ");
  if (plain.length === count && !line.startsWith('"')) return plain;
  const values: string[] = [];
  for (let at = 0; at < line.length; ) {
    const isQuoted = line[at] === '"';
    const end = line.indexOf(isQuoted ? '" ' : " ", at + 1);
    const stop = end < 0 ? line.length : end + (isQuoted ? 1 : 0);
    values.push(isQuoted ? line.slice(at + 1, stop - 1) : line.slice(at, stop));
    at = stop + 1;
  }
  return values;
}

/** IIS writes a blank of an agent as "+". */
function plused(agent: string): string {
  return agent.replaceAll("+", " ");
}

/** CloudFront encodes an agent as in an address; once, or twice in old logs. */
function decoded(agent: string): string {
  try {
    const once = decodeURIComponent(agent);
    return /%20/.test(once) && !once.includes(" ") ? decodeURIComponent(once) : once;
  } catch {
    return agent;
  }
}

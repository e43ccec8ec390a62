import { isIP } from "node:net";
import type { FindClient } from "../client-address/trusted-proxies.ts";
import { AutoFormat } from "./auto-format.ts";
import type { Format } from "./fields.ts";
import { bareFormat, formatString, isFormatString } from "./format-string.ts";
import {
  carriedLine,
  jsonTemplate,
  type LogRecord,
  parseRecord,
  recordFields,
  recordKind,
  recordTimeMs,
} from "./json-format.ts";
import { PRESETS } from "./presets.ts";
import { type ParsedLine, refuseLine, toRequest } from "./request.ts";
import { w3cFormat } from "./w3c-format.ts";

/** Names that --log-format takes beside format strings. JSON's are one: its keys tell which it is. */
const FORMAT_NAMES = [
  "auto",
  ...Object.keys(PRESETS),
  "json",
  "caddy",
  "traefik",
  "w3c",
  "iis",
  "cloudfront",
];

/** Lines that a format is found from. */
const FIRST_LINES = 10;

export interface LineReaderOptions {
  /** One of FORMAT_NAMES, an nginx or Apache format string, or a "#Fields:" directive. */
  readonly format: string;
  /** Which proxies are believed; those in private networks where absent. */
  readonly findClient?: FindClient | undefined;
  /** Told in words which format was found, and of each other one that lines turn out to have. */
  readonly onFormat?: (message: string) => void;
}

/** Reads the lines of one log, in the format that it is told or that it finds. */
export class LineReader {
  readonly #format: Format | undefined;
  readonly #takesRecords: boolean;
  readonly #isTemplate: boolean;
  readonly #options: LineReaderOptions;
  readonly #found = new Set<string>();

  /** @throws Error when the format is unknown; the message names what is allowed. */
  constructor(options: LineReaderOptions) {
    this.#options = options;
    const { format, takesRecords, isTemplate } = formatOf(options.format.trim());
    this.#format = format;
    this.#takesRecords = takesRecords;
    this.#isTemplate = isTemplate;
  }

  /** Finds the format from a log's first lines, and says it; the lines are read by `read` all the same. */
  begin(lines: readonly string[]): void {
    if (this.#found.size > 0) return;
    const counts = new Map<string, number>();
    const first = lines.filter((line) => line.trim() !== "" && !line.startsWith("#")).slice(0, FIRST_LINES);
    for (const line of lines.slice(0, FIRST_LINES)) this.#directive(line);
    for (const line of first) {
      const name = this.#read(line)?.format;
      if (name !== undefined) counts.set(name, (counts.get(name) ?? 0) + 1);
    }
    const [best] = [...counts].toSorted(([, a], [, b]) => b - a);
    if (best === undefined) return;
    this.#found.add(best[0]);
    const from = first.length === 1 ? "the first line" : `the first ${first.length} lines`;
    this.#options.onFormat?.(`access log: format ${best[0]}, found from ${from}`);
  }

  /** @returns the request, or why the line is refused; undefined for a blank line and a directive. Never throws. */
  read(text: string): ParsedLine | undefined {
    const line = bare(text);
    if (line === "" || this.#directive(line)) return undefined;
    return this.#said(this.#read(line)) ?? this.#refuse(line);
  }

  /** As read, for a JSON record: it carries a line, or is itself what a server logged. */
  readRecord(record: LogRecord): ParsedLine {
    return (
      this.#said(this.#readRecord(record)) ?? this.#refuse(carriedLine(record) ?? JSON.stringify(record))
    );
  }

  /** The formats that lines had, for people. */
  get formats(): readonly string[] {
    return [...this.#found];
  }

  #read(line: string, fallbackTimeMs?: number): Read | undefined {
    if (line.startsWith("{") && !this.#isTemplate) {
      const record = parseRecord(line);
      return record && this.#readRecord(record);
    }
    const fields = this.#format?.read(line);
    if (fields === undefined) return undefined;
    const { findClient } = this.#options;
    return { format: this.#format!.name, parsed: toRequest(fields, { findClient, fallbackTimeMs }) };
  }

  #readRecord(record: LogRecord): Read | undefined {
    const line = carriedLine(record);
    const fallbackTimeMs = recordTimeMs(record);
    const carried = line === undefined ? undefined : this.#read(bare(line), fallbackTimeMs);
    if (carried !== undefined || !this.#takesRecords) return carried;
    const fields = recordFields(record);
    if (fields === undefined) return undefined;
    const { findClient } = this.#options;
    return { format: recordKind(record), parsed: toRequest(fields, { findClient, fallbackTimeMs }) };
  }

  #directive(line: string): boolean {
    if (!line.startsWith("#")) return false;
    this.#format?.directive?.(line);
    return true;
  }

  #said(read: Read | undefined): ParsedLine | undefined {
    if (read !== undefined && !this.#found.has(read.format)) {
      this.#found.add(read.format);
      this.#options.onFormat?.(`access log: lines in the format ${read.format}`);
    }
    return read?.parsed;
  }

  #refuse(line: string): ParsedLine {
    const { format } = this.#options;
    const what = format === "auto" ? "line is in no known format" : `line is not in the format ${format}`;
    return refuseLine(what, withoutAddresses(line));
  }
}

interface Read {
  readonly format: string;
  readonly parsed: ParsedLine;
}

/** A line without the byte order mark, and the bytes of zero that a truncated log begins with. */
function bare(text: string): string {
  const first = text.charCodeAt(0);
  return (first === 0xfeff || first === 0 ? text.replace(/^[\ufeff\0]+/, "") : text).trimEnd();
}

/** A line as it may be shown: reasons are logged, and visitors' addresses never are. */
function withoutAddresses(line: string): string {
  return line
    .slice(0, 500)
    .replace(/^[^\s{]\S*/, "…")
    .replace(/[\da-f.:]{3,45}/gi, (text) =>
      isIP(text.replace(/:\d+$/, "")) === 0 && isIP(text) === 0 ? text : "…",
    );
}

interface Chosen {
  readonly format: Format | undefined;
  /** Whether a JSON record may itself be what a server logged. */
  readonly takesRecords: boolean;
  /** Whether the format is one of JSON. */
  readonly isTemplate: boolean;
}

/** Longest format string: whoever has a key may send one. */
const LONGEST_FORMAT = 2_000;

function formatOf(text: string): Chosen {
  if (text.length > LONGEST_FORMAT) throw new Error(`is longer than ${LONGEST_FORMAT} characters`);
  const json = ["json", "caddy", "traefik"].includes(text);
  if (json || text === "auto") {
    return { format: json ? undefined : new AutoFormat(), takesRecords: true, isTemplate: false };
  }
  const isTemplate = isFormatString(text) && /^\s*\{\s*"/.test(bareFormat(text));
  const format = isTemplate ? jsonTemplate(text) : textFormatOf(text);
  return { format, takesRecords: false, isTemplate };
}

function textFormatOf(text: string): Format {
  if (["w3c", "iis", "cloudfront"].includes(text)) return w3cFormat();
  if (Object.hasOwn(PRESETS, text)) return PRESETS[text]!;
  const columns = /^#Fields:(.*)$/i.exec(text)?.[1];
  if (columns !== undefined) return w3cFormat(columns);
  if (isFormatString(text)) return formatString(text);
  throw new Error(`is none of ${FORMAT_NAMES.join(", ")}, and no format string of nginx or Apache`);
}

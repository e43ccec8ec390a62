import { type Field, type Fields, type Format, put, putEscaped } from "./fields.ts";

/** A piece of a format: text that stands before a field. */
export interface Part {
  readonly before: string;
  /** Absent: the field tells nothing that an event needs. */
  readonly field: Field | undefined;
}

export interface TextFormatOptions {
  readonly name: string;
  readonly parts: readonly Part[];
  /** Text behind the last field. */
  readonly after: string;
  /** Whether more may stand behind the format's end, parted by a blank. Default true. */
  readonly more?: boolean;
  /** Whether the text is a value of JSON: a last field without text behind it goes on to the end, and no escapes are left. */
  readonly isWhole?: boolean;
  /** Whether a line that has the format's shape is in the format. */
  readonly accepts?: (fields: Fields) => boolean;
}

/**
 * A format of fields with fixed text between them. A field ends where the text behind it begins; one in quotes at
 * the quote that no backslash escapes. A line is gone through once, without going back.
 */
export function textFormat(options: TextFormatOptions): Format {
  const { name, parts, after, more = true, isWhole = false, accepts } = options;
  const steps = parts.map((part, index) => {
    const next = parts[index + 1];
    const behind = next === undefined ? after : next.before;
    const end =
      behind === "" && next === undefined ? (isWhole ? lineEnd : blankEnd) : endOf(part, behind, next);
    return { ...part, behind, end };
  });
  const set = isWhole ? put : putEscaped;
  return {
    name,
    read(line) {
      const fields: Fields = {};
      let at = 0;
      for (const { before, field, behind, end } of steps) {
        if (!line.startsWith(before, at)) return undefined;
        at += before.length;
        const stop = end(line, at, behind);
        if (stop < 0) return undefined;
        if (field !== undefined) set(fields, field, line.slice(at, stop));
        at = stop;
      }
      if (!line.startsWith(after, at)) return undefined;
      at += after.length;
      if (at < line.length && !(more && isBlank(line, at))) return undefined;
      return accepts === undefined || accepts(fields) ? fields : undefined;
    },
  };
}

type FindEnd = (line: string, from: number, behind: string) => number;

function endOf({ before, field }: Part, behind: string, next: Part | undefined): FindEnd {
  if (before.endsWith('"') && behind.startsWith('"')) return quotedEnd(next?.field === "status");
  // Two fields without text between them: a path and its query, a host and its path.
  if (behind === "") return until(next?.field === "query" ? "?" : "/");
  return field === "client" || field === "forwarded" ? listEnd : textEnd;
}

const textEnd: FindEnd = (line, from, behind) => line.indexOf(behind, from);

/** The blanks of a list of addresses ("203.0.113.9, 10.0.0.1") do not end it. */
const listEnd: FindEnd = (line, from, behind) => {
  let end = line.indexOf(behind, from);
  while (end > from && line[end - 1] === ",") end = line.indexOf(behind, end + 1);
  return end;
};

/**
 * A quote that does not have the format's next text behind it is one that a server failed to escape; where a status is
 * next, so is one without a status.
 */
function quotedEnd(hasStatus: boolean): FindEnd {
  return (line, from, behind) => {
    const isLast = behind.length === 1;
    for (let at = line.indexOf('"', from); at >= 0; at = line.indexOf('"', at + 1)) {
      if (isEscaped(line, from, at) || !line.startsWith(behind, at)) continue;
      if (hasStatus && !STATUS_START.test(line.charAt(at + behind.length))) continue;
      if (!isLast || at + 1 === line.length || isBlank(line, at + 1)) return at;
    }
    return -1;
  };
}

const STATUS_START = /^[\d-]$/;

/** Whether an odd number of backslashes stands before a character. */
function isEscaped(line: string, from: number, at: number): boolean {
  let before = at;
  while (before > from && line.charCodeAt(before - 1) === 0x5c) before--;
  return (at - before) % 2 === 1;
}

const blankEnd: FindEnd = (line, from) => {
  let at = from;
  while (at < line.length && !isBlank(line, at)) at++;
  return at;
};

const lineEnd: FindEnd = (line) => line.length;

function until(mark: string): FindEnd {
  return (line, from) => {
    let at = from;
    while (at < line.length && line[at] !== mark && !isBlank(line, at)) at++;
    return at;
  };
}

function isBlank(line: string, at: number): boolean {
  const code = line.charCodeAt(at);
  return code === 0x20 || code === 0x09;
}

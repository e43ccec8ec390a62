import { Failure } from "../../failure/failure.ts";
import { LineSplitter } from "../access-log/line-splitter.ts";

/** An entry of a body: a line of text, or the text of a JSON object. */
export interface BodyEntry {
  readonly text: string;
  readonly isRecord: boolean;
  /** Whether it is too long: the text is not whole then. */
  readonly cut: boolean;
}

/** Longest record, bytes: a line of 64 KiB, escaped, with what shippers put beside it. */
const MAX_RECORD_BYTES = 192 * 1024;

const PIECE_BYTES = 64 * 1024;

const CODE = {
  quote: 0x22,
  backslash: 0x5c,
  open: 0x7b,
  close: 0x7d,
  openList: 0x5b,
  closeList: 0x5d,
  comma: 0x2c,
};

/**
 * Whether a body holds JSON records; where its type does not tell, its first character does.
 * @param type value of Content-Type.
 * @throws Failure invalid for MessagePack, which Fluent Bit sends unless told otherwise.
 */
export function isJsonBody(type: string, body: Buffer): boolean {
  if (/msgpack/i.test(type)) throw new Failure("invalid", `content-type: ${type}, must be JSON or text`);
  if (/\bjson\b/i.test(type)) return true;
  if (/^text\//i.test(type)) return false;
  const first = body.subarray(0, 1_024).toString("latin1").trimStart()[0];
  return first === "{" || first === "[";
}

/** The lines of a text. */
export function* linesOf(body: Buffer): Generator<BodyEntry> {
  const splitter = new LineSplitter("", 0, 1);
  for (let at = 0; at < body.length; at += PIECE_BYTES) {
    for (const { text, cut } of splitter.push(body.subarray(at, at + PIECE_BYTES))) {
      yield { text, isRecord: false, cut };
    }
  }
  for (const { text, cut } of splitter.flush()) yield { text, isRecord: false, cut };
}

/**
 * The objects and texts of a JSON body, whether they are a list, stand on lines of their own, or follow one another
 * without anything between them, as log shippers write them. What each holds is not looked at.
 * @throws Failure invalid for what is neither, when it is reached.
 */
export function* recordsOf(body: Buffer): Generator<BodyEntry> {
  let at = 0;
  while (at < body.length) {
    const code = body[at]!;
    if (code === CODE.open || code === CODE.quote) {
      const end = code === CODE.open ? objectEnd(body, at) : stringEnd(body, at);
      yield entryOf(body.subarray(at, end), code === CODE.open);
      at = end;
    } else if (code <= 0x20 || code === CODE.openList || code === CODE.closeList || code === CODE.comma) at++;
    else throw new Failure("invalid", `body: no JSON object at byte ${at}`);
  }
}

function entryOf(bytes: Buffer, isRecord: boolean): BodyEntry {
  if (bytes.length > MAX_RECORD_BYTES) return { text: "", isRecord, cut: true };
  const text = bytes.toString();
  if (isRecord) return { text, isRecord, cut: false };
  try {
    return { text: String(JSON.parse(text)), isRecord, cut: false };
  } catch {
    return { text, isRecord, cut: false };
  }
}

function objectEnd(body: Buffer, start: number): number {
  let depth = 0;
  for (let at = start; at < body.length; at++) {
    const code = body[at];
    if (code === CODE.quote) at = stringEnd(body, at) - 1;
    else if (code === CODE.open || code === CODE.openList) depth++;
    else if ((code === CODE.close || code === CODE.closeList) && --depth === 0) return at + 1;
  }
  throw unfinished();
}

function stringEnd(body: Buffer, start: number): number {
  for (let at = body.indexOf(CODE.quote, start + 1); at >= 0; at = body.indexOf(CODE.quote, at + 1)) {
    let before = at;
    while (body[before - 1] === CODE.backslash) before--;
    if ((at - before) % 2 === 0) return at + 1;
  }
  throw unfinished();
}

function unfinished(): Failure {
  return new Failure("invalid", "body: its JSON ends in the middle of a record");
}

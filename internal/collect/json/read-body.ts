import { Failure } from "../../failure/failure.ts";
import { RejectReason } from "../../gen/footfall/collect/v1/collect_pb.js";
import { MAX_FIELDS } from "../event-fields.ts";
import { MAX_EVENTS } from "../max-events.ts";
import type { ReadEvent } from "../read-event.ts";
import { refuse } from "../refusal.ts";
import type { CountedRequest } from "../request.ts";
import { readDecimal } from "./decimal.ts";
import { parseJson } from "./parse.ts";
import { readJsonEvent } from "./read-event.ts";
import { Code, END, NotJson, Scanner, type Span } from "./scanner.ts";
import { readTime } from "./time.ts";

/** The parts of a body that are looked at. */
interface Body {
  readonly members: ReadonlyMap<string, Span>;
  /** Where its events stand; undefined where `events` is null or absent. */
  readonly events: readonly Span[] | undefined;
}

/** Names of members, escapes and all; longer ones are none of them. */
const KNOWN = new Set(["events", "sentTime", "sent_time", "sequence", "key"]);
const MAX_NAME_BYTES = 64;

/** Longest text of one event, bytes: 200 items and 64 properties of all that is kept take half of it. */
const MAX_TEXT_BYTES = 4 << 20;

/** Most members of a body, and longest value of one that is no event, bytes. */
const MAX_MEMBERS = 1_000;
const MAX_VALUE_BYTES = 1_024;

/**
 * A SendRequest or StreamRequest in JSON. Its events are counted here, up to the first that is too many, and parsed one by
 * one, so that what is wrong with one costs none of the others. A sending time that is none is as good as absent.
 * @param isStream whether the sequence is needed, which may stand behind events that are too many.
 * @throws Failure invalid when the text is no JSON object, or its events are no list.
 */
export async function readJsonBody(bytes: Uint8Array, isStream: boolean): Promise<CountedRequest> {
  const { members, events = [] } = await scan(bytes, { most: MAX_EVENTS + 1, isWhole: isStream });
  const member = (name: string) => valueAt(bytes, members.get(name));
  let text = bytes;
  return {
    sentTime: readTime(member("sentTime") ?? member("sent_time")),
    sequence: BigInt.asUintN(64, readDecimal(member("sequence"))?.value ?? 0n),
    count: events.length,
    read: (index) => readEventAt(text, events[index]!),
    forget: () => {
      text = new Uint8Array();
    },
  };
}

/** The write key in a request's JSON, for a page that can set no header; undefined where there is none. */
export async function writeKeyOf(bytes: Uint8Array): Promise<string | undefined> {
  try {
    const { members } = await scan(bytes, { most: 0, isWhole: true });
    const key = valueAt(bytes, members.get("key"));
    return typeof key === "string" ? key : undefined;
  } catch {
    return undefined;
  }
}

function readEventAt(bytes: Uint8Array, span: Span): ReadEvent {
  if (span.values > MAX_FIELDS) {
    return refuse(RejectReason.MALFORMED, `event: more than ${MAX_FIELDS} values`);
  }
  if (sizeOf(span) > MAX_TEXT_BYTES) {
    return refuse(RejectReason.MALFORMED, `event: more than ${MAX_TEXT_BYTES} bytes of JSON`);
  }
  try {
    return readJsonEvent(parseJson(textAt(bytes, span)));
  } catch (error) {
    if (error instanceof Failure) return refuse(RejectReason.MALFORMED, `event: ${error.message}`);
    throw error;
  }
}

/** Bytes of a stretch without what is over in it. */
function sizeOf({ start, end, over }: Span): number {
  let size = end - start;
  for (let at = 0; at < over.length; at += 2) size -= over[at + 1]! - over[at]!;
  return size;
}

/** A small value; what is large or no JSON is as good as absent. */
function valueAt(bytes: Uint8Array, span: Span | undefined): unknown {
  if (span === undefined || span.end - span.start > MAX_VALUE_BYTES) return undefined;
  try {
    return parseJson(textAt(bytes, span));
  } catch {
    return undefined;
  }
}

/** The text of a stretch, without what is over in it. */
function textAt(
  { buffer, byteOffset }: Uint8Array,
  { start, end, over = [] }: Partial<Span> & Stretch,
): string {
  const parts: string[] = [];
  let from = start;
  for (let at = 0; at <= over.length; at += 2) {
    const until = over[at] ?? end;
    parts.push(Buffer.from(buffer, byteOffset + from, until - from).toString());
    from = over[at + 1] ?? end;
  }
  return parts.join("");
}

type Stretch = Pick<Span, "start" | "end">;

interface Extent {
  /** Events that are looked for; 0: none. */
  readonly most: number;
  /** Whether the rest is looked at when there are so many. */
  readonly isWhole: boolean;
}

/** @throws Failure invalid when it is no object, or its events are no list. */
async function scan(bytes: Uint8Array, extent: Extent): Promise<Body> {
  try {
    return await scanObject(bytes, extent);
  } catch (error) {
    if (error instanceof NotJson) throw new Failure("invalid", `body: is no JSON: ${error.message}`);
    throw error;
  }
}

async function scanObject(bytes: Uint8Array, { most, isWhole }: Extent): Promise<Body> {
  const scanner = new Scanner(bytes);
  const members = new Map<string, Span>();
  let events: Span[] | undefined;
  if (scanner.peek() !== Code.open) {
    throw new Failure("invalid", `body: ${kindAt(bytes, await scanner.value())}, must be an object`);
  }
  scanner.expect(Code.open);
  for (let count = 0; !scanner.passes(Code.close); count++) {
    if (count > 0) scanner.expect(Code.comma);
    if (count === MAX_MEMBERS) throw new Failure("invalid", `body: more than ${MAX_MEMBERS} members`);
    const name = await nameOf(scanner, bytes);
    scanner.expect(Code.colon);
    if (most > 0 && name === "events" && scanner.peek() === Code.openList) {
      events = await scanList(scanner, most);
      if (events.length < most) continue;
      if (!isWhole) return { members, events };
      await scanner.restOfList();
    } else {
      const span = await scanner.value();
      if (most > 0 && name === "events") events = noList(bytes, span);
      else if (KNOWN.has(name)) members.set(name, span);
    }
  }
  if (scanner.peek() !== END) throw scanner.problem();
  return { members, events };
}

/** @returns "" for a name that nobody asks for. @throws NotJson when it is no text. */
async function nameOf(scanner: Scanner, bytes: Uint8Array): Promise<string> {
  if (scanner.peek() !== Code.quote) throw scanner.problem();
  const span = await scanner.value();
  if (span.end - span.start > MAX_NAME_BYTES) return "";
  return String(valueAt(bytes, span) ?? "");
}

async function scanList(scanner: Scanner, most: number): Promise<Span[]> {
  const spans: Span[] = [];
  scanner.expect(Code.openList);
  while (!scanner.passes(Code.closeList)) {
    if (spans.length > 0) scanner.expect(Code.comma);
    spans.push(await scanner.value());
    // The list may go on.
    if (spans.length === most) return spans;
  }
  return spans;
}

/** @throws Failure invalid unless it is null. */
function noList(bytes: Uint8Array, span: Span): undefined {
  const kind = kindAt(bytes, span);
  if (kind !== "null") throw new Failure("invalid", `events: ${kind}, must be a list`);
}

/** What a value is, for messages. */
function kindAt(bytes: Uint8Array, span: Span): string {
  const first = bytes[span.start];
  if (first === Code.openList) return "a list";
  if (first === Code.open) return "an object";
  if (first === Code.quote) return "a string";
  return textAt(bytes, { start: span.start, end: Math.min(span.end, span.start + 40) });
}

import { type ContextValues, createContextKey } from "@connectrpc/connect";
import type { UniversalServerRequest } from "@connectrpc/connect/protocol";
import { Failure } from "../failure/failure.ts";
import { isTurnOver, nextTurn } from "../lifecycle/turns.ts";
import { isJsonType } from "./content-type.ts";
import { toConnectError } from "./errors.ts";
import { type InflateOptions, inflate, tooLarge } from "./inflate.ts";
import { Pieces } from "./pieces.ts";

/** A message of a request as it came: whole and inflated, not decoded. */
export interface RequestMessage {
  bytes: Uint8Array;
  readonly isJson: boolean;
}

/** Is told of what a call's messages take in memory, and may refuse it by throwing. */
export interface MemoryUse {
  take(bytes: number): void;
  give(bytes: number): void;
}

/** The messages of a call that have come and that nobody has taken yet, the oldest first. */
export const messagesKey = createContextKey<RequestMessage[] | undefined>(undefined, {
  description: "messages of the request, not decoded",
});

/** The next message of a call, of which connect has just handed on the empty one in its place. */
export function takeMessage(values: ContextValues): RequestMessage {
  const message = values.get(messagesKey)?.shift();
  if (message === undefined) throw new Error("a message of the request is missing");
  return message;
}

/** The codings that connect is told to accept; what it does not accept it refuses by itself. */
const ACCEPTED: ReadonlySet<string> = new Set(["gzip", "br"]);

const NOTHING = new Uint8Array();
const NO_FIELDS = Buffer.from("{}");

/**
 * Keeps a call's messages out of connect, which would inflate them unseen and decode them before anyone could count
 * what is in them: it gets an empty message in the place of each, and whoever handles the call takes the bytes
 * (`takeMessage`). A message that is taken is still counted as memory: who has done with it gives its bytes back.
 * @param most largest message after it is inflated, bytes.
 */
export async function divertMessages(
  call: UniversalServerRequest,
  most: number,
  memory: MemoryUse,
): Promise<void> {
  const messages: RequestMessage[] = [];
  call.contextValues!.set(messagesKey, messages);
  const type = call.header.get("content-type") ?? "";
  const keep = (bytes: Uint8Array, isJson: boolean) => messages.push({ bytes, isJson });
  const work = { keep, memory, most };
  if (call.method === "GET") await divertQuery(call, work);
  else if (/^application\/(grpc|connect\+)/.test(type))
    call.body = mapped(envelopes(call, isJsonType(type), work));
  else if (/^application\/(proto|json)(;|$)/.test(type))
    call.body = mapped(whole(call, isJsonType(type), work));
}

interface Work {
  readonly keep: (bytes: Uint8Array, isJson: boolean) => void;
  readonly memory: MemoryUse;
  readonly most: number;
}

/** The body of a unary call of Connect's protocol: one message. Its headers must not tell connect of what it was. */
function whole(call: UniversalServerRequest, isJson: boolean, work: Work): AsyncIterable<Uint8Array> {
  const { header } = call;
  const coding = header.get("content-encoding") ?? "";
  const length = Number(header.get("content-length"));
  header.delete("content-length");
  if (ACCEPTED.has(coding)) header.delete("content-encoding");
  const body = call.body as AsyncIterable<Uint8Array>;
  return wholeBody(body, { coding, length, isJson }, work);
}

interface Whole {
  readonly coding: string;
  /** As it was told, bytes; 0 where it was not. */
  readonly length: number;
  readonly isJson: boolean;
}

async function* wholeBody(
  body: AsyncIterable<Uint8Array>,
  { coding, length, isJson }: Whole,
  { keep, memory, most }: Work,
): AsyncGenerator<Uint8Array> {
  if (length > most) throw tooLarge(most);
  if (ACCEPTED.has(coding)) {
    keep(await inflate(body, coding, inflating({ memory, most })), isJson);
  } else {
    const pieces = new Pieces();
    for await (const piece of body) {
      if (pieces.length + piece.length > most) throw tooLarge(most);
      pieces.add(piece);
    }
    keep(pieces.take(pieces.length), isJson);
  }
  yield isJson ? NO_FIELDS : NOTHING;
}

/** Inflated bytes take memory as they appear, packed ones none when they are used up. */
function inflating({ memory, most }: Pick<Work, "memory" | "most">): InflateOptions {
  return { most, onBytes: (bytes) => memory.take(bytes), onUsed: (bytes) => memory.give(bytes) };
}

const HEAD_BYTES = 5;
const COMPRESSED = 1;

/** The messages of a call in envelopes: flags, length (big-endian), bytes. */
function envelopes(call: UniversalServerRequest, isJson: boolean, work: Work): AsyncIterable<Uint8Array> {
  const coding = call.header.get("grpc-encoding") ?? call.header.get("connect-content-encoding") ?? "";
  return eachEnvelope(call.body as AsyncIterable<Uint8Array>, { coding, isJson }, work);
}

async function* eachEnvelope(
  body: AsyncIterable<Uint8Array>,
  { coding, isJson }: { readonly coding: string; readonly isJson: boolean },
  work: Work,
): AsyncGenerator<Uint8Array> {
  const { keep, memory, most } = work;
  const pieces = new Pieces();
  const empty = emptyEnvelope(isJson);
  for await (const piece of body) {
    pieces.add(piece);
    while (pieces.length >= HEAD_BYTES) {
      const { flags, size } = headOf(pieces.peek(HEAD_BYTES));
      if (size > most) throw tooLarge(most);
      if (pieces.length < HEAD_BYTES + size) break;
      pieces.take(HEAD_BYTES);
      memory.give(HEAD_BYTES);
      keep(await opened(pieces.take(size), flags, coding, work), isJson);
      yield empty;
      // Messages that hold nearly nothing come by the thousand in one piece.
      if (isTurnOver()) await nextTurn();
    }
  }
  if (pieces.length > 0) throw new Failure("invalid", "envelope: ends in the middle");
}

/** The message in an envelope. */
async function opened(bytes: Uint8Array, flags: number, coding: string, work: Work) {
  if (flags === 0) return bytes;
  // Other flags are of the end of a stream, in Connect's protocol or gRPC-Web's, which only an answer may have.
  if (flags !== COMPRESSED) throw new Failure("invalid", `envelope: flags ${flags}, must be 0 or 1`);
  if (!ACCEPTED.has(coding)) throw new Failure("invalid", "envelope: is compressed, but no header says how");
  return inflate([bytes], coding, inflating(work));
}

function headOf(head: Uint8Array): { flags: number; size: number } {
  const size = ((head[1]! << 24) | (head[2]! << 16) | (head[3]! << 8) | head[4]!) >>> 0;
  return { flags: head[0]!, size };
}

/** The envelope of an empty message. */
function emptyEnvelope(isJson: boolean): Uint8Array {
  return isJson ? Buffer.from([0, 0, 0, 0, NO_FIELDS.length, ...NO_FIELDS]) : new Uint8Array(HEAD_BYTES);
}

/** The message of a call by GET stands in its address (Connect's protocol, "Unary-Get-Request"). */
async function divertQuery(call: UniversalServerRequest, { keep, memory, most }: Work): Promise<void> {
  const url = new URL(call.url);
  const query = url.searchParams;
  const coding = query.get("compression") ?? "";
  const isJson = query.get("encoding") === "json";
  if (coding !== "" && coding !== "identity" && !ACCEPTED.has(coding)) return;
  const text = query.get("message") ?? "";
  const bytes = Buffer.from(text, query.get("base64") === "1" ? "base64url" : "utf8");
  const onBytes = (bytes: number) => memory.take(bytes);
  keep(ACCEPTED.has(coding) ? await inflate([bytes], coding, { most, onBytes }) : bytes, isJson);
  query.delete("compression");
  query.delete("base64");
  query.set("message", isJson ? "{}" : "");
  call.url = url.href;
}

/** Errors of a body are RPC errors: no interceptor sees them. */
async function* mapped(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield* body;
  } catch (error) {
    throw toConnectError(error);
  }
}

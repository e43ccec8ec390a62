import { setImmediate as nextTurn, setTimeout as sleep } from "node:timers/promises";
import { Failure } from "../../failure/failure.ts";
import { EventStatus, RejectReason } from "../../gen/footfall/collect/v1/collect_pb.js";
import { parseRecord } from "../access-log/json-format.ts";
import type { LineReader } from "../access-log/line-reader.ts";
import { lineToEvent } from "../access-log/to-event.ts";
import { type Answers, RETRY_AFTER_MS } from "../answers.ts";
import type { Limits } from "../limits/limits.ts";
import { OverLimit } from "../limits/over-limit.ts";
import { encodeEvent, type ReadEvent } from "../read-event.ts";
import { refuse } from "../refusal.ts";
import { weightOf } from "../request.ts";
import { type SendDeps, type Sender, submit } from "../send.ts";
import { NO_DEFAULTS } from "../take-event.ts";
import type { BodyEntry } from "./split-body.ts";

export interface TakeOptions {
  readonly sender: Sender;
  readonly reader: LineReader;
  /** Address of the site, for lines that do not tell the host. */
  readonly site: string;
  /** Of the body: the same body sent again has the same events. */
  readonly digest: string;
  /** Of the body, inflated. */
  readonly bytes: number;
  readonly signal: AbortSignal;
}

/** What became of a body's lines. Blank lines are none. */
export interface LinesAnswer {
  accepted: number;
  duplicates: number;
  rejected: number;
  /** The formats that the lines had. */
  formats: readonly string[];
  /** The first lines that were refused; the index is that among the body's entries, from 0. */
  readonly rejections: { readonly index: number; readonly reason: string; readonly message: string }[];
}

/** Refused lines that an answer tells of. */
const MAX_REJECTIONS = 10;

/** Most lines that are worked on in one turn of the event loop, and how long, ms. */
const SLICE_LINES = 200;
const SLICE_MS = 4;

/** How long a body's lines may wait, while the merchant is over its limits, before it is to be sent again, ms. */
const PATIENCE_MS = 30_000;

/**
 * Takes the lines of a body and waits until their events are safe.
 * @throws OverLimit, or Failure unavailable, when some were not taken: the whole body is to be sent again, and what was
 * taken of it is a duplicate then.
 */
export async function takeLines(
  deps: SendDeps & { readonly limits: Limits },
  entries: Iterable<BodyEntry>,
  options: TakeOptions,
): Promise<LinesAnswer> {
  const { sender, reader, signal } = options;
  const deadline = Date.now() + PATIENCE_MS;
  const pending: Promise<readonly [Slice, Answers]>[] = [];
  let counted = 0;
  try {
    for (const slice of slicesOf(entries, options)) {
      await admit(deps, sender.merchantId, slice.events.length, deadline, signal);
      const { events } = slice;
      counted += events.length;
      const read = (index: number) => events[index]!;
      const submission = {
        sender,
        count: events.length,
        read,
        receivedTime: Date.now(),
        sentTime: 0,
        defaults: NO_DEFAULTS,
      };
      const answered = submit(deps, submission).then((answers) => [slice, answers] as const);
      // Looked at when all are sent; until then nobody waits for it.
      answered.catch(() => {});
      pending.push(answered);
      await nextTurn();
    }
  } finally {
    // Blank lines, and a body that is none, were work as well.
    const rest = weightOf(options.bytes) - counted;
    if (rest > 0) await deps.limits.takeEvents(sender.merchantId, rest).catch(() => {});
    await Promise.allSettled(pending);
  }
  const answer: LinesAnswer = { accepted: 0, duplicates: 0, rejected: 0, formats: [], rejections: [] };
  for (const [slice, answers] of await Promise.all(pending)) add(answer, slice, answers);
  answer.formats = reader.formats;
  return answer;
}

interface Slice {
  readonly events: ReadEvent[];
  /** Of each event its entry's index in the body. */
  readonly indexes: number[];
}

function* slicesOf(entries: Iterable<BodyEntry>, options: TakeOptions): Generator<Slice> {
  let slice: Slice = { events: [], indexes: [] };
  let began = performance.now();
  let index = 0;
  for (const entry of entries) {
    const event = readEntry(entry, index, options);
    if (event !== undefined) {
      slice.events.push(event);
      slice.indexes.push(index);
    }
    index++;
    if (slice.events.length < SLICE_LINES && performance.now() - began < SLICE_MS) continue;
    yield slice;
    slice = { events: [], indexes: [] };
    began = performance.now();
  }
  if (slice.events.length > 0) yield slice;
}

/** @returns undefined for a blank line or a directive. */
function readEntry(
  { text, isRecord, cut }: BodyEntry,
  index: number,
  { sender, reader, site, digest }: TakeOptions,
): ReadEvent | undefined {
  if (cut) return refuse(RejectReason.MALFORMED_LINE, "line is too long");
  const record = isRecord ? parseRecord(text) : undefined;
  if (isRecord && record === undefined)
    return refuse(RejectReason.MALFORMED_LINE, "record is no JSON object");
  const parsed = record === undefined ? reader.read(text) : reader.readRecord(record);
  if (parsed === undefined) return undefined;
  // The body's digest and the place in it stand for the text: two equal lines are two requests.
  const position = { file: digest, offset: index, text: "" };
  const made = lineToEvent(parsed, position, { merchant: String(sender.merchantId), site });
  return made.ok ? encodeEvent(made.event) : refuse(RejectReason.MALFORMED_LINE, made.reason);
}

/** Waits for room: a body that is let in by halves would begin anew each time. */
async function admit(
  { batcher, limits }: SendDeps & { readonly limits: Limits },
  merchantId: number,
  count: number,
  deadline: number,
  signal: AbortSignal,
): Promise<void> {
  for (;;) {
    try {
      batcher.checkRoom(merchantId);
      await limits.takeEvents(merchantId, count);
      return;
    } catch (error) {
      const wait =
        error instanceof OverLimit ? (error.retryAfterMs ?? RETRY_AFTER_MS) : Number.POSITIVE_INFINITY;
      if (Date.now() + wait > deadline || signal.aborted) throw error;
      await sleep(wait, undefined, { signal }).catch(() => {});
    }
  }
}

function add(answer: LinesAnswer, { indexes }: Slice, answers: Answers): void {
  if (answers.statuses.includes(EventStatus.UNAVAILABLE)) {
    throw new Failure("unavailable", "lines: not all were stored, send them again", {
      retryAfterMs: RETRY_AFTER_MS,
    });
  }
  answer.accepted += answers.accepted;
  answer.duplicates += answers.duplicates;
  answer.rejected += answers.rejected;
  for (const { index, reason, message } of answers.rejections) {
    if (answer.rejections.length >= MAX_REJECTIONS) return;
    answer.rejections.push({ index: indexes[index]!, reason: RejectReason[reason], message });
  }
}

import { setTimeout as sleep } from "node:timers/promises";
import { Failure } from "../failure/failure.ts";
import { EventStatus, RejectReason } from "../gen/footfall/collect/v1/collect_pb.js";
import { type Line, readLog } from "./access-log/read-log.ts";
import { lineToEvent } from "./access-log/to-event.ts";
import type { WriteKeys } from "./keys.ts";
import { MAX_EVENTS } from "./max-events.ts";
import { encodeEvent, type ReadEvent } from "./read-event.ts";
import { refuse } from "./refusal.ts";
import { type SendDeps, type Sender, submit } from "./send.ts";
import { NO_DEFAULTS } from "./take-event.ts";

export interface ImportOptions {
  readonly file: string;
  /** Write key of the merchant whose log it is. */
  readonly key: string;
  /** Address of the site, which paths are appended to. */
  readonly site: string;
  /** Go on as the log grows, until the signal is aborted. */
  readonly follow: boolean;
  readonly signal: AbortSignal;
  /** Told of each line that was refused. @param number from 1. */
  readonly onRefused: (number: number, reason: string) => void;
  /** Told of each group of lines whose events are all answered. Times are ms since 1970-01-01 UTC. */
  readonly onChunk?: (chunk: {
    readonly events: number;
    readonly sentMs: number;
    readonly ackedMs: number;
  }) => void;
}

/** What became of a log's lines. lines = accepted + duplicates + rejected. */
export interface ImportSummary {
  lines: number;
  accepted: number;
  duplicates: number;
  rejected: number;
}

/** Pause before events that could not be stored are sent again, ms. */
const RETRY_MS = 500;

/**
 * Sends a log's lines as events, one for each well-formed line, and waits for the answers of all. While ingest
 * is away it waits and tries again: a log can be read as slowly as need be. Blank lines are no lines.
 * @throws when the file cannot be read, or the key is unknown.
 */
export async function importLog(
  deps: SendDeps,
  keys: WriteKeys,
  options: ImportOptions,
): Promise<ImportSummary> {
  const { file, follow, signal } = options;
  const summary: ImportSummary = { lines: 0, accepted: 0, duplicates: 0, rejected: 0 };
  const sender = await untilAvailable(() => keys.sender(options.key), signal);
  for await (const lines of readLog(file, { follow, signal })) {
    for (let at = 0; at < lines.length; at += MAX_EVENTS) {
      await sendLines(deps, sender, lines.slice(at, at + MAX_EVENTS), options, summary);
    }
  }
  return summary;
}

async function sendLines(
  deps: SendDeps,
  sender: Sender,
  all: readonly Line[],
  options: ImportOptions,
  summary: ImportSummary,
): Promise<void> {
  let lines = all.filter(({ text }) => text !== "");
  const sent = { events: lines.length, sentMs: Date.now() };
  summary.lines += lines.length;
  while (lines.length > 0) {
    const events = lines.map((line) => readLine(line, sender, options.site));
    const submission = { sender, events, receivedTime: Date.now(), sentTime: 0, defaults: NO_DEFAULTS };
    const { statuses, rejections } = await untilAvailable(() => submit(deps, submission), options.signal);
    for (const { index, message } of rejections) options.onRefused(lines[index]!.number, message);
    lines = lines.filter((_, index) => !count(statuses[index]!, summary));
    if (lines.length > 0) await sleep(RETRY_MS, undefined, { signal: options.signal });
  }
  options.onChunk?.({ ...sent, ackedMs: Date.now() });
}

function readLine(line: Line, { merchantId }: Sender, site: string): ReadEvent {
  const read = lineToEvent(line, { merchant: String(merchantId), site });
  return read.ok ? encodeEvent(read.event) : refuse(RejectReason.MALFORMED_LINE, read.reason);
}

/** Counts a line's answer. @returns false when the line must be sent again. */
function count(status: EventStatus, summary: ImportSummary): boolean {
  if (status === EventStatus.UNAVAILABLE) return false;
  if (status === EventStatus.ACCEPTED) summary.accepted++;
  else if (status === EventStatus.DUPLICATE) summary.duplicates++;
  else summary.rejected++;
  return true;
}

async function untilAvailable<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T> {
  for (;;) {
    try {
      return await work();
    } catch (error) {
      const passing =
        error instanceof Failure && (error.kind === "unavailable" || error.kind === "exhausted");
      if (!passing) throw error;
      await sleep(error.retryAfterMs ?? RETRY_MS, undefined, { signal });
    }
  }
}

import { setTimeout as sleep } from "node:timers/promises";
import { Failure } from "../failure/failure.ts";
import { EventStatus, RejectReason } from "../gen/footfall/collect/v1/collect_pb.js";
import { LineReader } from "./access-log/line-reader.ts";
import { type Line, readLog } from "./access-log/read-log.ts";
import { lineToEvent } from "./access-log/to-event.ts";
import type { FindClient } from "./client-address/trusted-proxies.ts";
import type { WriteKeys } from "./keys.ts";
import { MAX_EVENTS } from "./max-events.ts";
import { encodeEvent, type ReadEvent } from "./read-event.ts";
import { refuse } from "./refusal.ts";
import { type SendDeps, type Sender, submit } from "./send.ts";
import { NO_DEFAULTS } from "./take-event.ts";

export interface ImportOptions {
  /** "-" for standard input; a gzip file is read as what it holds. */
  readonly file: string;
  /** See LineReader. Default "auto": found from the log's first lines. */
  readonly format?: string;
  /** Which proxies are believed about clients; those in private networks where absent. */
  readonly findClient?: FindClient;
  /** Write key of the merchant whose log it is. */
  readonly key: string;
  /** Address of the site, which paths are appended to where a line does not tell the host. */
  readonly site: string;
  /** Go on as the log grows, until the signal is aborted. */
  readonly follow: boolean;
  readonly signal: AbortSignal;
  /** Told which format the log has, as often as it turns out to have another. */
  readonly onFormat?: (message: string) => void;
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
 * is away it waits and tries again: a log can be read as slowly as need be. Blank lines and directives are no lines.
 * @throws when the file cannot be read, the format or the key is unknown.
 */
export async function importLog(
  deps: SendDeps,
  keys: WriteKeys,
  options: ImportOptions,
): Promise<ImportSummary> {
  const { file, follow, signal } = options;
  const summary: ImportSummary = { lines: 0, accepted: 0, duplicates: 0, rejected: 0 };
  const sender = await untilAvailable(() => keys.sender(options.key), signal);
  let reader: LineReader | undefined;
  let log = "";
  for await (const lines of readLog(file, { follow, signal })) {
    // What a rotated log begins with may have another format.
    if (reader === undefined || lines[0]!.file !== log) {
      reader = new LineReader({ ...options, format: options.format ?? "auto" });
      log = lines[0]!.file;
    }
    reader.begin(lines.map(({ text }) => text));
    for (let at = 0; at < lines.length; at += MAX_EVENTS) {
      await sendLines(
        deps,
        sender,
        readLines(lines.slice(at, at + MAX_EVENTS), reader, sender, options),
        options,
        summary,
      );
    }
  }
  return summary;
}

/** A line, and its event or why there is none. */
interface ReadLine {
  readonly number: number;
  readonly event: ReadEvent;
}

function readLines(
  lines: readonly Line[],
  reader: LineReader,
  { merchantId }: Sender,
  { site }: ImportOptions,
): ReadLine[] {
  const read: ReadLine[] = [];
  for (const line of lines) {
    const parsed = line.cut ? TOO_LONG : reader.read(line.text);
    if (parsed === undefined) continue;
    const made = lineToEvent(parsed, line, { merchant: String(merchantId), site });
    const event = made.ok ? encodeEvent(made.event) : refuse(RejectReason.MALFORMED_LINE, made.reason);
    read.push({ number: line.number, event });
  }
  return read;
}

const TOO_LONG = { ok: false, reason: "line is longer than 64 KiB" } as const;

async function sendLines(
  deps: SendDeps,
  sender: Sender,
  all: readonly ReadLine[],
  options: ImportOptions,
  summary: ImportSummary,
): Promise<void> {
  let lines = all;
  const sent = { events: lines.length, sentMs: Date.now() };
  summary.lines += lines.length;
  while (lines.length > 0) {
    const now = lines;
    const read = (index: number) => now[index]!.event;
    const times = { receivedTime: Date.now(), sentTime: 0 };
    const submission = { sender, count: now.length, read, ...times, defaults: NO_DEFAULTS };
    const { statuses, rejections } = await untilAvailable(() => submit(deps, submission), options.signal);
    for (const { index, message } of rejections) options.onRefused(lines[index]!.number, message);
    lines = lines.filter((_, index) => !count(statuses[index]!, summary));
    if (lines.length > 0) await sleep(RETRY_MS, undefined, { signal: options.signal });
  }
  options.onChunk?.({ ...sent, ackedMs: Date.now() });
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

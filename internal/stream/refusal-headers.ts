import { headers, type MsgHdrs } from "@nats-io/transport-node";

/** Where a refused batch stood, and what the code said about it. */
export interface RefusalOrigin {
  /** Its partition's stream, and its sequence there. */
  readonly stream: string;
  readonly sequence: number;
  /** As a UUID is written, where the envelope could be read. */
  readonly batchId?: string | undefined;
  /** Where the code stood when it failed on the batch. */
  readonly stack?: string | undefined;
}

/** Headers of a refused batch. */
export const REASON_HEADER = "Footfall-Reason";
export const MESSAGE_HEADER = "Footfall-Message";
/** Lines are parted by " | ". */
export const STACK_HEADER = "Footfall-Stack";
export const STREAM_HEADER = "Footfall-Stream";
export const SEQUENCE_HEADER = "Footfall-Sequence";
export const BATCH_ID_HEADER = "Footfall-Batch-Id";

const MAX_NAME = 64;
const MAX_MESSAGE = 1_024;
const MAX_STACK = 4_096;

/** More than all headers of a message take together; they count towards NATS's max_payload. */
export const MAX_HEADER_BYTES = 8 << 10;

export function refusalHeaders(reason: string, message: string, origin?: RefusalOrigin): MsgHdrs {
  const head = headers();
  head.set(REASON_HEADER, line(reason, MAX_NAME));
  head.set(MESSAGE_HEADER, line(message, MAX_MESSAGE));
  if (origin === undefined) return head;
  head.set(STREAM_HEADER, line(origin.stream, MAX_NAME));
  head.set(SEQUENCE_HEADER, String(origin.sequence));
  const { batchId, stack } = origin;
  if (batchId !== undefined) head.set(BATCH_ID_HEADER, line(batchId, MAX_NAME));
  if (stack !== undefined)
    head.set(STACK_HEADER, line(stack.trim().replaceAll(/\s*\n\s*/g, " | "), MAX_STACK));
  return head;
}

/** A header ends at a line break. */
function line(text: string, length: number): string {
  return text.replaceAll(/[^\x20-\x7e]/g, "?").slice(0, length);
}

import { Msg, type TransactionStatus } from "./messages.ts";

/** What the database answered to one message, sorted by what the server does with it. */
export interface Reply {
  /** Bytes for the client, in order, as slices of the answer (nothing is copied). */
  readonly forward: Buffer[];
  /** NotificationResponse messages: they belong to whoever listens, not to whoever asked. */
  readonly notifications: Buffer[];
  /** Status of the last ReadyForQuery; null when there was none, as inside a pipeline. */
  readonly status: TransactionStatus | null;
  /** The body of the first ErrorResponse, or null. */
  readonly error: Buffer | null;
}

/** PGlite's build reports every aborted transaction with this leftover of its authors' debugging. */
const DEBUG_NOTICE = Buffer.from("\0M# 1743: aborting transaction");

/** Calls visit for every backend message with its type byte and where its body starts and ends. */
export function eachMessage(
  bytes: Buffer,
  visit: (type: number, bodyStart: number, bodyEnd: number) => void,
): void {
  for (let at = 0; at < bytes.length; ) {
    const end = at + 1 + bytes.readInt32BE(at + 1);
    visit(bytes[at]!, at + 5, end);
    at = end;
  }
}

/** Sorts the database's raw answer. CopyInResponse is dropped: the server has sent its own before. */
export function sortReply(bytes: Buffer): Reply {
  const forward: Buffer[] = [];
  const notifications: Buffer[] = [];
  let status: TransactionStatus | null = null;
  let error: Buffer | null = null;
  let kept = 0;
  const leaveOut = (start: number, end: number) => {
    if (start > kept) forward.push(bytes.subarray(kept, start));
    kept = end;
  };
  eachMessage(bytes, (type, start, end) => {
    if (type === Msg.ReadyForQuery) status = String.fromCharCode(bytes[start]!) as TransactionStatus;
    else if (type === Msg.ErrorResponse) error ??= bytes.subarray(start, end);
    else if (type === Msg.CopyInResponse) leaveOut(start - 5, end);
    else if (type === Msg.NotificationResponse) {
      notifications.push(bytes.subarray(start - 5, end));
      leaveOut(start - 5, end);
    } else if (type === Msg.NoticeResponse && bytes.subarray(start, end).includes(DEBUG_NOTICE)) {
      leaveOut(start - 5, end);
    }
  });
  leaveOut(bytes.length, bytes.length);
  return { forward, notifications, status, error };
}

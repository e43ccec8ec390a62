export type ProblemKind =
  /** Acked and not stored. */
  | "lost"
  /** Stored more than once. */
  | "duplicated"
  /** Stored otherwise than it was sent, or never sent to that merchant at all. */
  | "wrong"
  /** A report does not say what was acked. */
  | "report"
  /** Answered as if sending it again would not help. */
  | "refused"
  /** Answered as if the program had failed. */
  | "failed"
  /** A process ended by a signal that nobody here has sent: it ran out of memory, say. */
  | "crashed"
  /** Not acked, however often it was sent. */
  | "unanswered"
  /** A part did not come back to work, or does not get on with it. */
  | "stuck"
  /** The aggregator found sequences missing in a stream. */
  | "gap";

/** Something that must never be. */
export interface Problem {
  readonly kind: ProblemKind;
  readonly merchantId?: number;
  readonly eventId?: string;
  /** What was found where, for a person to read. */
  readonly message: string;
}

/** A problem on one line. */
export function describeProblem({ kind, merchantId, eventId, message }: Problem): string {
  const of = [merchantId === undefined ? [] : `merchant ${merchantId}`, eventId ?? []].flat();
  return `${kind}${of.length > 0 ? ` (${of.join(", ")})` : ""}: ${message}`;
}

import { Failure } from "../../failure/failure.ts";
import { withRetry } from "../../lifecycle/retry.ts";
import { refusalOf } from "../../store/refusal.ts";
import type { ReadLimits } from "../../store/snapshot.ts";

/** Within what bounds a question is answered. */
export interface AnswerLimits extends ReadLimits {
  /** From so many events on a balanced answer may be estimated. Default: never. */
  readonly sampleFromEvents?: number | undefined;
}

export interface RetryLimits extends AnswerLimits {
  /** How long to wait for a database that is away, ms. Default: not at all. */
  readonly databaseWaitMs?: number;
}

/** Pause between two tries while the database is away, ms. */
const PAUSE_MS = 250;

/**
 * Reads, and while the database is away, as when it restarts, tries again: reading twice does no harm.
 *
 * @throws the reason of the limits' signal; Failure "unavailable" when the database stays away, "precondition" when a
 * statement took longer than it may; everything else as it came.
 */
export function readWithRetry<T>(limits: RetryLimits, read: () => Promise<T>): Promise<T> {
  const { signal, databaseWaitMs = 0 } = limits;
  const reading = async () => {
    try {
      return await read();
    } catch (cause) {
      signal?.throwIfAborted();
      throw failureOf(cause, limits) ?? cause;
    }
  };
  return withRetry(reading, {
    firstMs: PAUSE_MS,
    longestMs: PAUSE_MS,
    withinMs: databaseWaitMs,
    signal,
    isRetryable: (error) => error instanceof Failure && error.kind === "unavailable",
  });
}

/** What to ask instead of what takes too long. */
const CHEAPER =
  "a shorter period, fewer metrics or dimensions, a filter without behavior, or ACCURACY_FAST instead of ACCURACY_EXACT";

/** What a caller is told while the database is away. */
export function databaseAway(cause: unknown): Failure {
  return new Failure("unavailable", "the database is away", { cause, retryAfterMs: 1_000 });
}

/** What the database's refusal means to the caller; undefined for what is no refusal. */
export function failureOf(cause: unknown, { statementTimeoutMs }: ReadLimits): Failure | undefined {
  switch (refusalOf(cause)) {
    case "away":
      return databaseAway(cause);
    case "too_slow": {
      const message = `the question is too expensive: a statement took longer than ${statementTimeoutMs} ms; ask for ${CHEAPER}`;
      return new Failure("precondition", message, { allowed: CHEAPER, cause });
    }
    case undefined:
      return undefined;
  }
}

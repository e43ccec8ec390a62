import { setTimeout as sleep } from "node:timers/promises";
import { Failure } from "../failure/failure.ts";
import { refusalOf } from "../store/report/refusal.ts";
import type { ReadLimits } from "../store/report/snapshot.ts";

export interface Patience extends ReadLimits {
  /** How long to wait for a database that is away, milliseconds. Default: not at all. */
  readonly databaseWaitMs?: number;
}

/** Pause between two tries while the database is away, ms. */
const AWAY_RETRY_MS = 250;

/**
 * Reads, and while the database is away, as when it restarts, tries again: reading twice does no harm.
 *
 * @throws the reason of the patience's signal; Failure "unavailable" when the database stays away, "precondition" when a statement took
 * longer than it may; everything else as it came.
 */
export async function readPatiently<T>(patience: Patience, read: () => Promise<T>): Promise<T> {
  const deadline = performance.now() + (patience.databaseWaitMs ?? 0);
  for (;;) {
    try {
      return await read();
    } catch (cause) {
      patience.signal?.throwIfAborted();
      const failure = toFailure(cause, patience);
      if (failure.kind !== "unavailable" || performance.now() + AWAY_RETRY_MS > deadline) throw failure;
      await sleep(AWAY_RETRY_MS, undefined, { signal: patience.signal });
    }
  }
}

/** What the database's refusal means to the caller. @throws everything that is no refusal, as it came. */
function toFailure(cause: unknown, { statementTimeoutMs }: Patience): Failure {
  switch (refusalOf(cause)) {
    case "away":
      return new Failure("unavailable", "the database is away", { cause, retryAfterMs: 1_000 });
    case "too_slow": {
      const limit = `a statement of the report took longer than ${statementTimeoutMs} ms`;
      const allowed = "ask for a shorter range or fewer metrics";
      return new Failure("precondition", `${limit}: ${allowed}`, { allowed, cause });
    }
    case undefined:
      throw cause;
  }
}

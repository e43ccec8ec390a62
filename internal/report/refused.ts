import { Failure } from "../failure/failure.ts";
import { refusalOf } from "../store/report/refusal.ts";

/**
 * Gives what the database refuses a meaning for the caller.
 *
 * @throws Failure "unavailable" when the database is away, "exhausted" when a statement took longer than it may;
 * everything else as it came.
 */
export async function orRefused<T>(reading: Promise<T>, statementTimeoutMs: number): Promise<T> {
  try {
    return await reading;
  } catch (cause) {
    switch (refusalOf(cause)) {
      case "away":
        throw new Failure("unavailable", "the database is away", { cause });
      case "too_slow": {
        const limit = `a statement of the report took longer than ${statementTimeoutMs} ms`;
        throw new Failure("exhausted", `${limit}: ask for a shorter range or fewer metrics`, { cause });
      }
      case undefined:
        throw cause;
    }
  }
}

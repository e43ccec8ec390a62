/**
 * Why an operation was refused or could not be done; each kind has one RPC code (internal/rpc/errors.ts).
 *
 * - invalid: the caller's input is wrong; the same input will never work
 * - unauthenticated: no key, or an unknown one
 * - denied: a known caller asks for what is not its own
 * - not_found: the thing asked for does not exist
 * - exhausted: over a limit; try again after retryAfterMs
 * - unavailable: a part that is needed is away; try again
 * - deadline: the caller's deadline passed first
 * - cancelled: the caller does not wait any more
 */
export type FailureKind =
  | "invalid"
  | "unauthenticated"
  | "denied"
  | "not_found"
  | "exhausted"
  | "unavailable"
  | "deadline"
  | "cancelled";

/** An expected failure, with a message for the caller that names the field and the value. */
export class Failure extends Error {
  override readonly name = "Failure";
  readonly kind: FailureKind;
  /** For exhausted and unavailable: how long to wait before trying again, milliseconds. */
  readonly retryAfterMs: number | undefined;

  constructor(kind: FailureKind, message: string, options: ErrorOptions & { retryAfterMs?: number } = {}) {
    super(message, options);
    this.kind = kind;
    this.retryAfterMs = options.retryAfterMs;
  }
}

/**
 * The kinds of failures, each with the reasons that callers' programs may tell apart: a closed list, of which the enum
 * footfall.query.v1.Reason tells more. Each kind has one RPC code (internal/rpc/errors.ts).
 *
 * - invalid: the caller's input is wrong; the same input will never work
 * - unauthenticated: no API key, or an unknown one
 * - denied: a known caller asks for what is not its own
 * - not_found: the thing asked for does not exist
 * - already_exists: another has what must be unique
 * - precondition: right in itself, but not with the data or the time as they are; waiting alone mends nothing
 * - exhausted: over a limit; try again after retryAfterMs, where that is given
 * - unavailable: a part that is needed is away; try again
 * - deadline: the caller's deadline passed first
 * - cancelled: the caller does not wait any more
 */
export const REASONS = {
  invalid: [
    "REQUEST_INVALID",
    "FIELD_INVALID",
    "FIELD_MISSING",
    "FIELD_UNKNOWN",
    "NOT_COMPATIBLE",
    "PAGE_TOKEN_INVALID",
  ],
  unauthenticated: ["UNAUTHENTICATED"],
  denied: ["PERMISSION_DENIED"],
  not_found: ["NOT_FOUND"],
  already_exists: ["ALREADY_EXISTS"],
  precondition: ["QUERY_TOO_EXPENSIVE", "PAGE_TOKEN_EXPIRED"],
  exhausted: ["RATE_LIMITED", "LIMIT_REACHED", "REQUEST_TOO_LARGE", "BUDGET_SPENT"],
  unavailable: ["UNAVAILABLE"],
  deadline: ["DEADLINE_EXCEEDED"],
  cancelled: ["CANCELLED"],
} as const;

export type FailureKind = keyof typeof REASONS;
export type Reason<K extends FailureKind = FailureKind> = (typeof REASONS)[K][number];

export interface FailureOptions<K extends FailureKind = FailureKind> extends ErrorOptions {
  /** Default: FIELD_INVALID with a field, LIMIT_REACHED over a limit that no waiting mends, else the kind's first. */
  readonly reason?: Reason<K>;
  /** Path of the field at fault as the wire names it, such as "periods[1].start_date". */
  readonly field?: string;
  /** What was given there: never a secret, as it is sent back. */
  readonly value?: unknown;
  /** What is allowed, or what to ask for instead. */
  readonly allowed?: string;
  /** For exhausted and unavailable: how long to wait before trying again, milliseconds. */
  readonly retryAfterMs?: number;
}

/** A kind with one of its own reasons. */
type FailureArguments = {
  [K in FailureKind]: [kind: K, message: string, options?: FailureOptions<K>];
}[FailureKind];

/** Most characters of a field, value or hint that are told. */
const MOST_TOLD = 200;

/** An expected failure, with a message for the caller that names the field and the value. */
export class Failure extends Error {
  override readonly name = "Failure";
  readonly kind: FailureKind;
  readonly reason: Reason;
  readonly field: string | undefined;
  /** What was given, as text, cut to 200 characters. */
  readonly value: string | undefined;
  readonly allowed: string | undefined;
  readonly retryAfterMs: number | undefined;

  constructor(...[kind, message, options = {}]: FailureArguments) {
    super(message, options);
    this.kind = kind;
    this.reason = options.reason ?? defaultReason(kind, options);
    this.field = told(options.field);
    this.value = told(options.value);
    this.allowed = told(options.allowed);
    this.retryAfterMs = options.retryAfterMs;
  }
}

function defaultReason(kind: FailureKind, { field, retryAfterMs }: FailureOptions): Reason {
  if (kind === "invalid" && field !== undefined) return "FIELD_INVALID";
  if (kind === "exhausted" && retryAfterMs === undefined) return "LIMIT_REACHED";
  return REASONS[kind][0];
}

function told(value: unknown): string | undefined {
  if (value === undefined) return undefined;
  const text = String(value);
  // Not between the halves of a surrogate pair.
  return text.length <= MOST_TOLD
    ? text
    : text
        .slice(0, MOST_TOLD - 1)
        .replace(/[\ud800-\udbff]$/, "")
        .concat("…");
}

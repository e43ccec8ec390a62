import { Code, ConnectError, type Interceptor } from "@connectrpc/connect";
import { Failure, type FailureKind } from "../failure/failure.ts";
import type { Logger } from "../telemetry/logger.ts";
import { detailsOfCode, detailsOfFailure } from "./error-details.ts";

const CODES: Record<FailureKind, Code> = {
  invalid: Code.InvalidArgument,
  unauthenticated: Code.Unauthenticated,
  denied: Code.PermissionDenied,
  not_found: Code.NotFound,
  already_exists: Code.AlreadyExists,
  // Of a query that is too expensive: HTTP 400 in Connect. RESOURCE_EXHAUSTED is 429, and asks for the same again.
  precondition: Code.FailedPrecondition,
  exhausted: Code.ResourceExhausted,
  unavailable: Code.Unavailable,
  deadline: Code.DeadlineExceeded,
  cancelled: Code.Canceled,
};

/** The gRPC code of a failure; the numbers of Connect and gRPC are the same. */
export function codeOf(kind: FailureKind): Code {
  return CODES[kind];
}

const KINDS = new Map(Object.entries(CODES).map(([kind, code]) => [code, kind as FailureKind]));

/** What a client is told by a code; undefined: what no service of ours answers. */
export function failureKindOf(code: Code): FailureKind | undefined {
  return KINDS.get(code);
}

/**
 * The one mapper from errors to RPC errors. A Failure keeps its message, with its reason, field and time to wait as
 * details; an unexpected error becomes INTERNAL without its message, which may hold what is not the caller's to see.
 */
export function toConnectError(error: unknown): ConnectError {
  if (error instanceof Failure) {
    const details = detailsOfFailure(error);
    return new ConnectError(error.message, CODES[error.kind], waitHeaders(error), details, error);
  }
  const mapped =
    error instanceof ConnectError
      ? error
      : new ConnectError("internal error", Code.Internal, undefined, undefined, error);
  // Of Connect's own there are none: deadlines, messages that are too large.
  if (mapped.details.length === 0) mapped.details.push(...detailsOfCode(mapped.code));
  return mapped;
}

/**
 * The time to wait in three forms: ours in ms; gRPC's (A6, "Pushback"), which gRPC clients with a retry policy
 * obey by themselves; HTTP's in whole seconds (RFC 9110 section 10.2.3).
 */
export function waitHeaders({ retryAfterMs }: Failure): Record<string, string> | undefined {
  if (retryAfterMs === undefined) return undefined;
  const wait = String(Math.ceil(retryAfterMs));
  return {
    "retry-after-ms": wait,
    "grpc-retry-pushback-ms": wait,
    "retry-after": String(Math.ceil(retryAfterMs / 1_000)),
  };
}

/** Applies the mapper to every RPC of a server, and logs what was not expected. */
export function errorInterceptor(log: Logger): Interceptor {
  return (next) => async (request) => {
    try {
      const response = await next(request);
      if (!response.stream) return response;
      return { ...response, message: mapStream(response.message, log, request.method.name) };
    } catch (error) {
      throw reported(error, log, request.method.name);
    }
  };
}

async function* mapStream<T>(messages: AsyncIterable<T>, log: Logger, rpc: string): AsyncIterable<T> {
  try {
    yield* messages;
  } catch (error) {
    throw reported(error, log, rpc);
  }
}

function reported(error: unknown, log: Logger, rpc: string): ConnectError {
  const mapped = toConnectError(error);
  if (mapped.code === Code.Internal) log.error({ err: error, rpc }, "unexpected error in an RPC");
  return mapped;
}

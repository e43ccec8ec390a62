import { Code, ConnectError, type Interceptor } from "@connectrpc/connect";
import { Failure, type FailureKind } from "../failure/failure.ts";
import type { Logger } from "../telemetry/logger.ts";

const CODES: Record<FailureKind, Code> = {
  invalid: Code.InvalidArgument,
  unauthenticated: Code.Unauthenticated,
  denied: Code.PermissionDenied,
  not_found: Code.NotFound,
  exhausted: Code.ResourceExhausted,
  unavailable: Code.Unavailable,
  deadline: Code.DeadlineExceeded,
  cancelled: Code.Canceled,
};

/** The gRPC code of a failure; the numbers of Connect and gRPC are the same. */
export function codeOf(kind: FailureKind): Code {
  return CODES[kind];
}

/**
 * The one mapper from errors to RPC errors. A Failure keeps its message; an unexpected error becomes
 * INTERNAL without its message, which may hold what is not the caller's to see.
 */
export function toConnectError(error: unknown): ConnectError {
  if (error instanceof ConnectError) return error;
  if (error instanceof Failure) {
    return new ConnectError(error.message, CODES[error.kind], waitHeaders(error), undefined, error);
  }
  return new ConnectError("internal error", Code.Internal, undefined, undefined, error);
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

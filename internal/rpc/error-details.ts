import { durationFromMs } from "@bufbuild/protobuf/wkt";
import { Code, type ConnectError } from "@connectrpc/connect";
import type { Failure, Reason } from "../failure/failure.ts";
import { BadRequestSchema, ErrorInfoSchema, RetryInfoSchema } from "../gen/google/rpc/error_details_pb.js";

/** What of errors clients' programs read: https://google.aip.dev/193. */
type Details = Extract<ConnectError["details"][number], { desc: unknown }>[];

/** Whose reasons they are. */
const DOMAIN = "footfall";

/** The details of a failure; its message stays the message. */
export function detailsOfFailure(failure: Failure): Details {
  const { reason, field, value, allowed, retryAfterMs, message } = failure;
  const told = Object.entries({ field, value, allowed }).filter(
    (entry): entry is [string, string] => !!entry[1],
  );
  const details: Details = [errorInfo(reason, Object.fromEntries(told))];
  if (field !== undefined) {
    const fieldViolations = [{ field, description: message, reason }];
    details.push({ desc: BadRequestSchema, value: { fieldViolations } });
  }
  if (retryAfterMs !== undefined) {
    details.push({ desc: RetryInfoSchema, value: { retryDelay: durationFromMs(Math.ceil(retryAfterMs)) } });
  }
  return details;
}

/** What the library's own errors mean here, and those that are nobody's failure. */
const OF_CODES: Readonly<Partial<Record<Code, Reason | "INTERNAL">>> = {
  [Code.InvalidArgument]: "REQUEST_INVALID",
  [Code.ResourceExhausted]: "REQUEST_TOO_LARGE",
  [Code.DeadlineExceeded]: "DEADLINE_EXCEEDED",
  [Code.Canceled]: "CANCELLED",
  [Code.Unavailable]: "UNAVAILABLE",
  [Code.Internal]: "INTERNAL",
};

/** The details of an error that is no failure; none where the code says it all, as UNIMPLEMENTED does. */
export function detailsOfCode(code: Code): Details {
  const reason = OF_CODES[code];
  return reason === undefined ? [] : [errorInfo(reason, {})];
}

function errorInfo(reason: Reason | "INTERNAL", metadata: Record<string, string>): Details[number] {
  return { desc: ErrorInfoSchema, value: { reason, domain: DOMAIN, metadata } };
}

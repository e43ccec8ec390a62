import type { MessageInitShape } from "@bufbuild/protobuf";
import { durationFromMs } from "@bufbuild/protobuf/wkt";
import type { Failure } from "../../failure/failure.ts";
import { type QueryErrorSchema, Reason } from "../../gen/footfall/query/v1/error_pb.js";
import { codeOf } from "../../rpc/errors.ts";

/** A failure as a part of an answer that has other parts beside it. */
export function errorToWire(failure: Failure): MessageInitShape<typeof QueryErrorSchema> {
  const { kind, reason, message, field = "", value = "", allowed = "", retryAfterMs } = failure;
  return {
    ...{ code: codeOf(kind), reason: Reason[reason], message, field, value, allowed },
    ...(retryAfterMs !== undefined && { retryDelay: durationFromMs(Math.ceil(retryAfterMs)) }),
  };
}

import { create } from "@bufbuild/protobuf";
import {
  type GetMetadataRequest,
  type GetMetadataResponse,
  GetMetadataResponseSchema,
} from "../../gen/footfall/query/v1/metadata_pb.js";
import { readOwnFields } from "../run/own-fields.ts";
import { readWithRetry } from "../run/read-with-retry.ts";
import { schemaOf } from "../schema/schema.ts";
import { answer, checkMerchant } from "./answer.ts";
import type { Method, ReportDeps } from "./answer-reports.ts";
import { tagContent } from "./etag.ts";
import { fieldToWire } from "./field-to-wire.ts";
import { readDimensions, readMetrics } from "./read-fields.ts";

/** GetMetadata. @throws Failure as answer and readWithRetry, "invalid" on the names of the request. */
export function getMetadata(deps: ReportDeps): Method<GetMetadataRequest, GetMetadataResponse> {
  return (request, context) =>
    answer(deps, { rpc: "GetMetadata", context }, async (limits, { merchantId }) => {
      checkMerchant(request.merchantId, { merchantId }, "merchant_id");
      const schema = schemaOf(
        await readWithRetry(limits, () => readOwnFields(deps.pool, merchantId, Date.now(), limits)),
      );
      const asked = {
        metrics: readMetrics(request.metrics, schema),
        dimensions: readDimensions(request.dimensions, schema),
      };
      const answer = create(GetMetadataResponseSchema, {
        metrics: schema.metrics.map((field) => fieldToWire(field, asked)),
        dimensions: schema.dimensions.map((field) => fieldToWire(field, asked)),
      });
      tagContent(context, GetMetadataResponseSchema, answer);
      return answer;
    });
}

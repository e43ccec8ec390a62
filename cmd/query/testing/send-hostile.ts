import { type DescMessage, fromBinary, fromJsonString, toBinary, toJson } from "@bufbuild/protobuf";
import * as funnels from "../../../internal/gen/footfall/query/v1/funnel_pb.js";
import * as goals from "../../../internal/gen/footfall/query/v1/goals_pb.js";
import * as metadata from "../../../internal/gen/footfall/query/v1/metadata_pb.js";
import * as reports from "../../../internal/gen/footfall/query/v1/report_pb.js";
import type { HostileRequest } from "./hostile-requests.ts";

/** Schemas of the request and the answer. */
const SCHEMAS: Readonly<Record<HostileRequest["rpc"], readonly [DescMessage, DescMessage]>> = {
  RunReport: [reports.RunReportRequestSchema, reports.RunReportResponseSchema],
  BatchRunReports: [reports.BatchRunReportsRequestSchema, reports.BatchRunReportsResponseSchema],
  RunFunnel: [funnels.RunFunnelRequestSchema, funnels.RunFunnelResponseSchema],
  GetMetadata: [metadata.GetMetadataRequestSchema, metadata.GetMetadataResponseSchema],
  ListGoals: [goals.ListGoalsRequestSchema, goals.ListGoalsResponseSchema],
};

/** Longest URL that is sent, characters: Node.js refuses headers of over 16 KiB. */
const LONGEST_URL = 12_000;

/** An answer that was not read yet, so that reading it takes none of the time that the answering is given. */
export interface RawAnswer {
  readonly status: number;
  readonly type: string;
  readonly bytes: Uint8Array;
}

/** A request as fetch takes it. */
export function encode({
  rpc,
  path,
  form,
  flips,
  message,
}: HostileRequest): [path: string, init: RequestInit] {
  const json = JSON.stringify(message);
  const url = `${path}?connect=v1&encoding=json&message=${encodeURIComponent(json)}`;
  if (form === "get" && url.length < LONGEST_URL) return [url, {}];
  const binary = form === "binary" ? binaryOf(SCHEMAS[rpc][0], json) : undefined;
  // As bytes: what it takes to make them of 8 MB of text is not the service's.
  if (binary === undefined) return [path, post("application/json", new TextEncoder().encode(json))];
  for (const { at, byte } of flips) if (binary.length > 0) binary[at % binary.length] = byte;
  return [path, post("application/proto", binary)];
}

const post = (type: string, body: Uint8Array<ArrayBuffer>): RequestInit => ({
  method: "POST",
  headers: { "content-type": type },
  body,
});

/** Undefined where the JSON is no message. */
function binaryOf(schema: DescMessage, json: string): Uint8Array<ArrayBuffer> | undefined {
  try {
    return toBinary(schema, fromJsonString(schema, json));
  } catch {
    return undefined;
  }
}

/** An answer as JSON, whichever form it came in. Errors of Connect are JSON in any. */
export function decode(rpc: HostileRequest["rpc"], { type, bytes }: RawAnswer): unknown {
  if (type === "application/proto") return toJson(SCHEMAS[rpc][1], fromBinary(SCHEMAS[rpc][1], bytes));
  return JSON.parse(Buffer.from(bytes).toString());
}

import { type Client, Code, ConnectError, createClient, type Interceptor } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-node";
import type { RunFunnelRequest } from "../../gen/footfall/query/v1/funnel_pb.js";
import type { GetMetadataResponse } from "../../gen/footfall/query/v1/metadata_pb.js";
import { QueryService } from "../../gen/footfall/query/v1/query_pb.js";
import type { RunReportRequest } from "../../gen/footfall/query/v1/report_pb.js";
import { withRetry } from "../../lifecycle/retry.ts";
import { funnelOf } from "../funnel.ts";
import { type Report, reportOf } from "../report.ts";
import { serviceFailure } from "./service-failure.ts";

/** Rows that are asked for at a time: the most that a page may have, and most buckets of `time`. */
const PAGE = 10_000;

export interface Access {
  /** Address of the query service. */
  readonly url: string;
  /** The merchant's read key. */
  readonly readKey: string;
  /** For each answer, ms. */
  readonly timeoutMs: number;
}

/** Asks again while the service, or its database, is away for a moment: questions change nothing. */
const whenUnavailable: Interceptor = (next) => (request) =>
  withRetry(() => next(request), {
    firstMs: 250,
    longestMs: 2_000,
    tries: 4,
    signal: request.signal,
    isRetryable: (error) => ConnectError.from(error).code === Code.Unavailable,
    askedMs: (error) => Number(ConnectError.from(error).metadata.get("retry-after-ms") ?? 0),
  });

/** Calls QueryService with a merchant's read key. Calls that find it unavailable are tried four times, within their time. */
export function queryClient({ url, readKey, timeoutMs }: Access): Client<typeof QueryService> {
  const withKey: Interceptor = (next) => (request) => {
    request.header.set("authorization", `Bearer ${readKey}`);
    return next(request);
  };
  return createClient(
    QueryService,
    createConnectTransport({
      baseUrl: url,
      httpVersion: "1.1",
      interceptors: [whenUnavailable, withKey],
      defaultTimeoutMs: timeoutMs,
    }),
  );
}

/**
 * The answer to a question, of as many pages as it takes.
 * @param limit most rows; undefined: all buckets of `time` alone, else as many as the service answers without being told.
 * @throws Failure for every error of the service.
 */
export async function askReport(
  client: Pick<Client<typeof QueryService>, "runReport">,
  question: RunReportRequest,
  limit: number | undefined,
): Promise<Report> {
  const pages = [];
  const isSeries = question.dimensions.length === 1 && question.dimensions[0] === "time";
  let missing = limit ?? (isSeries ? PAGE : 0);
  let pageToken = "";
  try {
    do {
      // All pages are of one size: the token is for the same question.
      const pageSize = Math.min(limit ?? 0, PAGE);
      const page = await client.runReport({ ...question, pageSize, pageToken });
      pages.push(page);
      missing -= page.table?.rowCount ?? 0;
      pageToken = page.nextPageToken;
    } while (missing > 0 && pageToken !== "");
  } catch (error) {
    throw serviceFailure(error);
  }
  return reportOf(question, pages, limit);
}

/** The answer to a funnel. @throws Failure for every error of the service. */
export async function askFunnel(
  client: Pick<Client<typeof QueryService>, "runFunnel">,
  question: RunFunnelRequest,
): Promise<Report> {
  try {
    return funnelOf(question, await client.runFunnel(question));
  } catch (error) {
    throw serviceFailure(error);
  }
}

/** Every metric and dimension, and whether it goes with those of a question. @throws Failure for every error of the service. */
export async function askFields(
  client: Pick<Client<typeof QueryService>, "getMetadata">,
  metrics: readonly string[],
  dimensions: readonly string[],
): Promise<GetMetadataResponse> {
  try {
    return await client.getMetadata({ metrics: [...metrics], dimensions: [...dimensions] });
  } catch (error) {
    throw serviceFailure(error);
  }
}

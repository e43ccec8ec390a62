import type { IncomingMessage, ServerResponse } from "node:http";
import { Code, createContextValues } from "@connectrpc/connect";
import { codeToHttpStatus, errorToJson } from "@connectrpc/connect/protocol-connect";
import { failpoint } from "../../failpoint/failpoint.ts";
import { Failure } from "../../failure/failure.ts";
import { toConnectError } from "../../rpc/errors.ts";
import type { Admission, Gate } from "../../rpc/gate.ts";
import type { Handler } from "../../rpc/one-port.ts";
import { peerKey } from "../../rpc/peer.ts";
import type { Logger } from "../../telemetry/logger.ts";
import { LineReader } from "../access-log/line-reader.ts";
import type { FindClient } from "../client-address/trusted-proxies.ts";
import { counting, LOG_LINES_PATH, senderKey } from "../limits/gate.ts";
import type { Limits } from "../limits/limits.ts";
import type { SendDeps } from "../send.ts";
import { readBody } from "./read-body.ts";
import { isJsonBody, linesOf, recordsOf } from "./split-body.ts";
import { type LinesAnswer, takeLines } from "./take-lines.ts";

export interface LogLinesOptions extends SendDeps {
  readonly limits: Limits;
  readonly gate: Gate;
  /** Address of the site, where a request does not tell it. */
  readonly site: string;
  /** Which proxies in a log are believed. */
  readonly findClient: FindClient;
  readonly log: Logger;
  readonly shutdown: AbortSignal;
}

type Request = Parameters<Handler>[0];
type Response = Parameters<Handler>[1];

/** Whether a request is for the lines of access logs. */
export function isLogLines(request: Request): boolean {
  return request.url?.split("?", 1)[0] === LOG_LINES_PATH;
}

/**
 * POST /v1/logs: lines of access logs, as text or as the JSON of log shippers. It is answered when their events are
 * safe: 200 with what became of them, 408, 429 or 503 where the body is to be sent again, 400, 401 or 413 where not.
 */
export function logLinesHandler(options: LogLinesOptions): Handler {
  return (request, response) => {
    answer(options, request, response).then(
      (lines) => send(response, 200, lines),
      (error: unknown) => sendError(options.log, response, error),
    );
  };
}

async function answer(options: LogLinesOptions, request: Request, response: Response): Promise<LinesAnswer> {
  const { gate, metrics } = options;
  if (request.method !== "POST") throw new Failure("invalid", `method: ${request.method}, must be POST`);
  const contextValues = createContextValues().set(peerKey, request.socket?.remoteAddress ?? "");
  const admission = await gate.enter({
    path: LOG_LINES_PATH,
    header: headersOf(request),
    contextValues,
  });
  follow(admission, response);
  const { reader, site } = readQuery(request, options);
  const done = metrics.latency.startTimer();
  try {
    const coding = request.headers["content-encoding"] || "identity";
    const body = await readBody(request as IncomingMessage, coding, admission);
    const sender = contextValues.get(senderKey)!;
    const type = request.headers["content-type"] ?? "";
    const entries = isJsonBody(type, body) ? recordsOf(body) : linesOf(body);
    const digest = Buffer.from(await crypto.subtle.digest("SHA-256", body)).toString("hex");
    const work = () =>
      takeLines(options, entries, {
        sender,
        reader,
        site,
        digest,
        bytes: body.length,
        signal: options.shutdown,
      });
    const lines = await counting(metrics, work);
    failpoint("client-ack.before");
    return lines;
  } finally {
    done();
  }
}

/** Those that a gate looks at. */
function headersOf({ headers }: Request): Headers {
  const given = Object.entries(headers).filter(
    ([name, value]) => !name.startsWith(":") && value !== undefined,
  );
  return new Headers(given.map(([name, value]) => [name, String(value)]));
}

/** Gives the call's place back when it is over, also when its client has gone meanwhile. */
function follow(admission: Admission | undefined, response: Response): void {
  if (response.closed) admission?.close();
  else response.once("close", () => admission?.close());
}

/** @throws Failure invalid for a format or site that is none. */
function readQuery(request: Request, { site: defaultSite, findClient }: LogLinesOptions) {
  const query = new URL(request.url ?? "/", "http://localhost").searchParams;
  const site = query.get("site") ?? defaultSite;
  if (!/^https?:\/\//i.test(site) || !URL.canParse(site)) {
    throw new Failure("invalid", `site: ${JSON.stringify(site)} is not an http or https address`);
  }
  const format = query.get("format") ?? "auto";
  try {
    return { reader: new LineReader({ format, findClient }), site };
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : "is none";
    throw new Failure("invalid", `format: ${JSON.stringify(format)} ${why}`, { cause });
  }
}

function sendError(log: Logger, response: Response, error: unknown): void {
  const mapped = toConnectError(error);
  if (mapped.code === Code.Internal) log.error({ err: error }, "unexpected error of log lines");
  for (const [name, value] of mapped.metadata) response.setHeader(name, value);
  // What is too large stays so; shippers send again what is answered with 429.
  const isTooLarge = mapped.code === Code.ResourceExhausted && !mapped.metadata.has("retry-after");
  const status = isTooLarge ? 413 : codeToHttpStatus(mapped.code);
  send(response, status, errorToJson(mapped, undefined));
}

function send(response: Response, status: number, body: unknown): void {
  response.statusCode = status;
  response.setHeader("content-type", "application/json");
  (response as ServerResponse).end(`${JSON.stringify(body)}\n`);
}

import type { HandlerContext } from "@connectrpc/connect";
import type { TrustedProxies } from "../config/trusted-proxies.ts";
import { failpointAtClose } from "../failpoint/failpoint.ts";
import { CollectService } from "../gen/footfall/collect/v1/collect_pb.js";
import { connectHandler } from "../rpc/connect-server.ts";
import { withCors } from "../rpc/cors.ts";
import { type HealthState, routeHealthCheck } from "../rpc/health.ts";
import { type Handler, listenOnePort, type OnePortServer } from "../rpc/one-port.ts";
import { peerKey } from "../rpc/peer.ts";
import type { PortLimits } from "../rpc/port-limits.ts";
import type { ServerTls } from "../rpc/secure-socket.ts";
import type { Logger } from "../telemetry/logger.ts";
import { clientFinder } from "./client-address/trusted-proxies.ts";
import { cutText } from "./cut-text.ts";
import { type CollectDeps, routeCollect } from "./handler.ts";
import { type ClientOf, collectGate } from "./limits/gate.ts";
import { isLogLines, logLinesHandler } from "./log-lines/handler.ts";
import { type EventContext, NO_DEFAULTS } from "./take-event.ts";

export interface ServeOptions extends Omit<CollectDeps, "defaults" | "addressOf" | "maxStreamWindow"> {
  readonly host: string;
  readonly port: number;
  /** Header in which proxies put the client's address, in lower case. */
  readonly clientIpHeader: string | undefined;
  /** Which of them are believed. */
  readonly trustedProxies: TrustedProxies;
  /** Whether every connection begins with a PROXY protocol header. */
  readonly proxyProtocol: boolean;
  readonly portLimits: PortLimits;
  readonly tls?: ServerTls | undefined;
  readonly maxConnectionAgeMs?: number;
  /** Address of the site that log lines are of, where a request does not tell it. */
  readonly logSite: string;
  /** Which proxies in log lines are believed. */
  readonly logTrustedProxies: TrustedProxies;
  /** Origins whose pages may send from a browser. */
  readonly allowedOrigins: readonly string[];
  readonly log: Logger;
  readonly health: HealthState;
  readonly shutdown: AbortSignal;
}

/** Largest request, bytes. */
const MAX_REQUEST_BYTES = 8 << 20;

/** Longest user agent that an event may have, characters. */
const MAX_USER_AGENT = 4_096;

/** Longest deadline that a client may ask for, ms; a stream without one may stay open. */
const MAX_TIMEOUT_MS = 300_000;

/** Requests of one stream that may wait for their answers. */
const STREAM_WINDOW = 64;

/** Serves CollectService over gRPC, gRPC-Web and Connect, and takes log lines, on one port. */
export function serveCollect(options: ServeOptions): Promise<OnePortServer> {
  const findClient = clientFinder(options.clientIpHeader, options.trustedProxies);
  const clientOf: ClientOf = (header, peer) => {
    const forwarded = options.clientIpHeader === undefined ? null : header.get(options.clientIpHeader);
    return findClient(forwarded, peer) ?? "";
  };
  const addressOf = ({ requestHeader, values }: HandlerContext) =>
    clientOf(requestHeader, values.get(peerKey));
  const deps: CollectDeps = {
    ...options,
    maxStreamWindow: STREAM_WINDOW,
    addressOf,
    defaults: (context) => requestDefaults(context, addressOf),
  };
  const gate = collectGate(options.keys, options.limits, options.metrics, clientOf);
  const rpcs = connectHandler({
    ...options,
    gate,
    readMaxBytes: MAX_REQUEST_BYTES,
    maxTimeoutMs: MAX_TIMEOUT_MS,
    undecoded: [CollectService],
    routes(router) {
      routeCollect(router, deps);
      routeHealthCheck(router, options.health);
    },
  });
  const findLogged = clientFinder("x-forwarded-for", options.logTrustedProxies);
  const lines = logLinesHandler({ ...options, gate, site: options.logSite, findClient: findLogged });
  const handler: Handler = (request, response) => {
    failpointAtClose("client-ack.after", response);
    if (isLogLines(request)) {
      lines(request, response);
      return;
    }
    const isOurs = request.url?.startsWith(`/${CollectService.typeName}/`);
    // A beacon's body is JSON that a page may send to other origins without being asked (Fetch, "CORS-safelisted").
    if (isOurs && /^text\/plain(;|$)/.test(request.headers["content-type"] ?? "")) {
      request.headers["content-type"] = "application/json";
    }
    rpcs(request, response);
  };
  const { host, port, proxyProtocol, portLimits: limits } = options;
  return listenOnePort(host, port, withCors(handler, options.allowedOrigins), {
    proxyProtocol,
    limits,
    tls: options.tls,
    maxConnectionAgeMs: options.maxConnectionAgeMs ?? 0,
    log: options.log,
  });
}

/** A browser's request tells its own address and user agent; a gRPC request's are those of a server. */
function requestDefaults(
  context: HandlerContext,
  addressOf: CollectDeps["addressOf"],
): EventContext["defaults"] {
  if (context.protocolName === "grpc") return NO_DEFAULTS;
  return {
    ip: Buffer.from(addressOf(context)),
    // Cut here: the events themselves have nothing that would have to be told of.
    userAgent: Buffer.from(cutText(context.requestHeader.get("user-agent") ?? "", MAX_USER_AGENT)),
  };
}

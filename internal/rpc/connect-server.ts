import type { DescService } from "@bufbuild/protobuf";
import type { ConnectRouter } from "@connectrpc/connect";
import type { Registry } from "prom-client";
import { Health } from "../gen/health_pb.js";
import type { Logger } from "../telemetry/logger.ts";
import { decodeInterceptor } from "./decode.ts";
import { errorInterceptor } from "./errors.ts";
import type { Gate } from "./gate.ts";
import { type HealthState, routeHealth } from "./health.ts";
import { type AdapterOptions, nodeAdapter } from "./node-adapter.ts";
import { type Handler, listenOnePort, type OnePortServer } from "./one-port.ts";
import { OPERATORS_LIMITS } from "./port-limits.ts";
import { routeReflection } from "./reflection.ts";
import type { ServerTls } from "./secure-socket.ts";

export interface ConnectHandlerOptions {
  readonly routes: (router: ConnectRouter) => void;
  readonly log: Logger;
  /** Largest request message, bytes. */
  readonly readMaxBytes: number;
  /** Longest time that a caller may give an RPC, milliseconds; longer wishes are refused. */
  readonly maxTimeoutMs: number;
  /** Aborted when the server shuts down, so that endless streams end. */
  readonly shutdown: AbortSignal;
  readonly health: HealthState;
  /** Answers every path that is no RPC; /livez and /readyz where absent. */
  readonly fallback?: Handler;
  /** Decides about calls before their bodies are read. */
  readonly gate?: Gate;
  /** Services whose handlers take their messages undecoded, with `takeMessage`. */
  readonly undecoded?: readonly DescService[];
}

/** A handler of Connect, gRPC and gRPC-Web requests, with the one error mapper around every RPC. */
export function connectHandler(options: ConnectHandlerOptions): Handler {
  const { routes, log, readMaxBytes, maxTimeoutMs, shutdown, fallback } = options;
  return nodeAdapter({
    routes,
    readMaxBytes,
    maxTimeoutMs,
    shutdownSignal: shutdown,
    interceptors: [errorInterceptor(log), decodeInterceptor(options.undecoded)],
    gate: options.gate,
    draining: () => options.health.draining,
    report: (error) => log.error({ err: error }, "a call's answer"),
    fallback: (fallback ?? operations(options.health)) as AdapterOptions["fallback"],
  });
}

/**
 * Answers /livez (200: the event loop works), /readyz (200 or 503) and, with a registry, /metrics. Where there are
 * metrics operators ask: only there /readyz says what the problem is, and the notes, as texts name inner addresses.
 */
export function operations(health: HealthState, registry?: Registry): Handler {
  return (request, response) => {
    const send = (status: number, body: string, type = "text/plain; charset=utf-8") => {
      response.statusCode = status;
      response.setHeader("content-type", type);
      // The two response types share this call, but not as a type.
      (response as { end(body: string): void }).end(body);
    };
    const path = request.url?.split("?")[0];
    if (path === "/livez") send(200, "ok\n");
    else if (path === "/readyz") {
      const isReady = health.problem === undefined;
      const lines = registry === undefined ? [] : [health.problem ?? "ok", ...health.notes];
      send(
        isReady ? 200 : 503,
        lines.length > 0 ? `${lines.join("\n")}\n` : isReady ? "ok\n" : "not ready\n",
      );
    } else if (path === "/metrics" && registry !== undefined) {
      registry.metrics().then(
        (text) => send(200, text, registry.contentType),
        (error: unknown) => send(500, `${String(error)}\n`),
      );
    } else send(404, `${path}: not found\n`);
  };
}

export interface OperationsServerOptions {
  readonly host: string;
  readonly port: number;
  /** Those of the program's own port, for reflection. */
  readonly services: readonly DescService[];
  readonly health: HealthState;
  readonly registry: Registry;
  readonly log: Logger;
  readonly shutdown: AbortSignal;
  readonly tls?: ServerTls | undefined;
}

/** The port for operators: /livez, /readyz, /metrics, gRPC health and reflection; the last two hold streams open. */
export function serveOperations(options: OperationsServerOptions): Promise<OnePortServer> {
  const { host, port, services, health, registry, log, shutdown } = options;
  const handler = connectHandler({
    routes(router) {
      routeHealth(router, health);
      routeReflection(router, [...services, Health]);
    },
    log,
    readMaxBytes: 64 << 10,
    maxTimeoutMs: 24 * 3_600_000,
    shutdown,
    health,
    fallback: operations(health, registry),
  });
  return listenOnePort(host, port, handler, { limits: OPERATORS_LIMITS, tls: options.tls, log });
}

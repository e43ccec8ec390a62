import {
  createServer as createHttp1,
  type ServerOptions as Http1Options,
  type IncomingMessage,
  type ServerResponse,
} from "node:http";
import {
  createServer as createHttp2,
  type ServerOptions as Http2ServerOptions,
  type Http2ServerRequest,
  type Http2ServerResponse,
  type ServerHttp2Session,
} from "node:http2";
import { createServer, type Socket } from "node:net";
import { listen } from "../lifecycle/listen.ts";
import type { Logger } from "../telemetry/logger.ts";
import { ConnectionAge } from "./connection-age.ts";
import { Connections, sweepMs } from "./connections.ts";
import { normalContentType } from "./content-type.ts";
import { discardUnreadBody, resetSoon } from "./early-answer.ts";
import { routeByPreface, takeProxyHeader } from "./first-bytes.ts";
import { DEFAULT_LIMITS, type PortLimits } from "./port-limits.ts";
import { type ServerTls, secure } from "./secure-socket.ts";

export type Handler = (
  request: IncomingMessage | Http2ServerRequest,
  response: ServerResponse | Http2ServerResponse,
) => void;

export interface OnePortServer {
  readonly port: number;
  /** Stops accepting, lets open requests finish, and resolves when the last connection is gone. */
  close(): Promise<void>;
}

export interface OnePortOptions {
  /** Whether every connection begins with a PROXY protocol header; one without it is closed. */
  readonly proxyProtocol?: boolean;
  /** What clients may hold; DEFAULT_LIMITS where absent. */
  readonly limits?: PortLimits;
  /** Speaks TLS alone, where given. */
  readonly tls?: ServerTls | undefined;
  /** How long a connection is used before the client is told to make another, ms; 0, or absent: for ever. */
  readonly maxConnectionAgeMs?: number;
  /** Told of connections that could not be accepted; standard error where absent. */
  readonly log?: Logger;
}

/** Most bytes of a request's headers: what Node lets HTTP/1.1 have. */
const MOST_HEADER_BYTES = 16 << 10;

/**
 * Serves HTTP/1.1 (Connect, gRPC-Web, curl) and HTTP/2 (gRPC) on one port, with TLS or without, told apart by the
 * connection's first bytes. Bytes that are neither get a 400 from the HTTP/1.1 parser and the connection is
 * closed; no other connection notices.
 */
export async function listenOnePort(
  host: string,
  port: number,
  handler: Handler,
  { proxyProtocol = false, limits = DEFAULT_LIMITS, tls, maxConnectionAgeMs = 0, log }: OnePortOptions = {},
): Promise<OnePortServer> {
  const age = new ConnectionAge(maxConnectionAgeMs);
  const connections = new Connections(limits);
  const serve: Handler = (request, response) => {
    discardUnreadBody(request, response);
    if (!("stream" in request) && age.isOver(request.socket)) response.setHeader("connection", "close");
    if (!connections.begin(request, response)) {
      refuse(request, response, 429, { "retry-after": "1", "retry-after-ms": "1000" });
      return;
    }
    // HTTP/1.1's parser looks itself; an HTTP/2 client is held to a limit only once it acked the settings.
    if ("stream" in request && headerBytes(request) > MOST_HEADER_BYTES) {
      refuse(request, response, 431);
      return;
    }
    const type = request.headers["content-type"];
    if (type !== undefined) request.headers["content-type"] = normalContentType(type);
    handler(request, response);
  };
  const http1 = createHttp1(http1Options(limits), serve);
  const http2 = createHttp2(HTTP2_OPTIONS, serve);
  const sessions = new Set<ServerHttp2Session>();
  let closing = false;
  http2.on("session", (session) => {
    sessions.add(session);
    connections.began(session);
    age.limit(session);
    // A connection that was accepted at the last moment: its calls are refused, which gRPC clients repeat elsewhere.
    if (closing) session.close();
    session.setLocalWindowSize(16 << 20);
    session.on("close", () => sessions.delete(session));
    session.on("error", () => session.destroy());
  });
  http2.on("sessionError", () => {});
  // Without a socket of its own the HTTP/1.1 server must be told to keep track of its connections: for its
  // header and request timeouts, and to know which are idle.
  http1.emit("listening");
  const server = createServer({ noDelay: true }, (socket) => {
    // A connection that breaks is that client's affair: its requests are aborted by their own streams.
    socket.on("error", () => socket.destroy());
    if (!connections.accept(socket)) return;
    const serveOn = (connection: Socket) =>
      routeByPreface(connection, limits.headerTimeoutMs, (isHttp2) => {
        if (!isHttp2) age.begin(connection);
        (isHttp2 ? http2 : http1).emit("connection", connection);
      });
    const route = () => {
      if (!connections.admit(socket)) return;
      if (tls === undefined) serveOn(socket);
      else {
        secure(socket, tls, limits.headerTimeoutMs, (secured) => {
          connections.secured(socket, secured);
          serveOn(secured);
        });
      }
    };
    if (proxyProtocol) takeProxyHeader(socket, route);
    else route();
  });
  const onError = log && ((err: Error) => log.warn({ err }, "a connection could not be accepted"));
  const taken = await listen(server, { host, port }, onError);
  return {
    port: taken,
    async close() {
      closing = true;
      const gone = new Promise<void>((resolve) => server.close(() => resolve()));
      // GOAWAY: what is under way is answered, what comes later is refused unseen (RFC 9113 section 6.8).
      for (const session of sessions) session.close();
      http1.close();
      // Keep-alive connections become idle one by one as their last answer goes out.
      const sweep = setInterval(() => {
        http1.closeIdleConnections();
        // Silent connections, and those on which all was said and only the peer has not hung up.
        for (const socket of connections.sockets()) {
          if (socket.bytesRead === 0 || socket.writableFinished) socket.destroy();
        }
      }, 50);
      await gone;
      clearInterval(sweep);
      connections.close();
    },
  };
}

const HTTP2_OPTIONS: Http2ServerOptions = {
  settings: { initialWindowSize: 4 << 20, maxConcurrentStreams: 1_000, maxHeaderListSize: MOST_HEADER_BYTES },
};

function http1Options(limits: PortLimits): Http1Options {
  const { headerTimeoutMs, bodyTimeoutMs, idleTimeoutMs } = limits;
  return {
    maxHeaderSize: MOST_HEADER_BYTES,
    headersTimeout: headerTimeoutMs,
    requestTimeout: headerTimeoutMs + bodyTimeoutMs,
    keepAliveTimeout: idleTimeoutMs,
    connectionsCheckingInterval: sweepMs(limits),
  };
}

/** Refuses a request of any protocol: those of gRPC take 429 for UNAVAILABLE. */
function refuse(
  request: Parameters<Handler>[0],
  response: Parameters<Handler>[1],
  status: number,
  headers: Readonly<Record<string, string>> = {},
): void {
  response.statusCode = status;
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
  (response as { end(): void }).end();
  if ("stream" in request) resetSoon(request.stream);
}

function headerBytes({ rawHeaders }: Http2ServerRequest): number {
  return rawHeaders.reduce((sum, text) => sum + text.length, 0);
}

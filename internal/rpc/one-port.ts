import { createServer as createHttp1, type IncomingMessage, type ServerResponse } from "node:http";
import {
  createServer as createHttp2,
  type Http2ServerRequest,
  type Http2ServerResponse,
  type ServerHttp2Session,
} from "node:http2";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { normalContentType } from "./content-type.ts";
import { letGoWhenAnswered } from "./early-answer.ts";
import { routeByPreface, takeProxyHeader } from "./first-bytes.ts";

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
}

/**
 * Serves HTTP/1.1 (Connect, gRPC-Web, curl) and HTTP/2 without TLS (gRPC) on one port, told apart by the
 * connection's first bytes. Bytes that are neither get a 400 from the HTTP/1.1 parser and the connection is
 * closed; no other connection notices.
 */
export async function listenOnePort(
  host: string,
  port: number,
  handler: Handler,
  { proxyProtocol = false }: OnePortOptions = {},
): Promise<OnePortServer> {
  const serve: Handler = (request, response) => {
    letGoWhenAnswered(request, response);
    const type = request.headers["content-type"];
    if (type !== undefined) request.headers["content-type"] = normalContentType(type);
    handler(request, response);
  };
  const http1 = createHttp1({ keepAliveTimeout: 60_000 }, serve);
  const http2 = createHttp2({ settings: { initialWindowSize: 4 << 20, maxConcurrentStreams: 1_000 } }, serve);
  const sessions = new Set<ServerHttp2Session>();
  const sockets = new Set<Socket>();
  let closing = false;
  http2.on("session", (session) => {
    sessions.add(session);
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
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    // A connection that breaks is that client's affair: its requests are aborted by their own streams.
    socket.on("error", () => socket.destroy());
    const route = () =>
      routeByPreface(socket, (isHttp2) => (isHttp2 ? http2 : http1).emit("connection", socket));
    if (proxyProtocol) takeProxyHeader(socket, route);
    else route();
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
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
        for (const socket of sockets) {
          if (socket.bytesRead === 0 || socket.writableFinished) socket.destroy();
        }
      }, 50);
      await gone;
      clearInterval(sweep);
    },
  };
}

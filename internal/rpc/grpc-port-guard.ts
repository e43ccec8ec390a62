import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { constants, type IncomingHttpHeaders, type ServerHttp2Stream } from "node:http2";
import type { Socket } from "node:net";
import { Connections } from "./connections.ts";
import type { PortLimits } from "./port-limits.ts";

const SOCKETS = "net.server.socket";
const STREAMS = "http2.server.stream.created";

/**
 * Holds the clients of a grpc-js server to a port's limits, which it has no options for: its connections, and the
 * time for a request's message. Node's diagnostics channels are the public way to its sockets and streams.
 * @param endless paths of methods to which a client sends a stream.
 * @returns how to end it.
 */
export function guardGrpcPort(port: number, limits: PortLimits, endless: ReadonlySet<string>): () => void {
  const connections = new Connections(limits, { seesCalls: false });
  const idle = new IdleSockets(limits.idleTimeoutMs);
  const onSocket = (message: unknown) => {
    const { socket } = message as { socket: Socket };
    if (socket.localPort !== port || !connections.accept(socket)) return;
    if (connections.admit(socket)) idle.add(socket);
  };
  const onStream = (message: unknown) => {
    const { stream, headers } = message as { stream: ServerHttp2Stream; headers: IncomingHttpHeaders };
    if (stream.session?.socket.localPort !== port) return;
    const done = idle.busy(stream.session.socket as Socket);
    stream.once("close", done);
    if (endless.has(String(headers[":path"]))) return;
    const deadline = setTimeout(() => {
      if (!stream.readableEnded) stream.close(constants.NGHTTP2_CANCEL);
    }, limits.bodyTimeoutMs);
    stream.once("close", () => clearTimeout(deadline));
  };
  subscribe(SOCKETS, onSocket);
  subscribe(STREAMS, onStream);
  return () => {
    unsubscribe(SOCKETS, onSocket);
    unsubscribe(STREAMS, onStream);
    connections.close();
    idle.close();
  };
}

interface Idle {
  readonly socket: Socket;
  streams: number;
  /** Since when it has no stream, ms of performance.now(). */
  since: number;
}

/** Closes connections that have no stream for long; grpc-js passes over those that never had one. */
class IdleSockets {
  /** By the other end: HTTP/2 shows a socket through a proxy only. */
  readonly #sockets = new Map<string, Idle>();
  readonly #sweeping: NodeJS.Timeout;

  constructor(mostMs: number) {
    this.#sweeping = setInterval(() => this.#sweep(mostMs), Math.min(5_000, mostMs / 4)).unref();
  }

  add(socket: Socket): void {
    const name = nameOf(socket);
    this.#sockets.set(name, { socket, streams: 0, since: performance.now() });
    socket.once("close", () => this.#sockets.delete(name));
  }

  /** Counts a stream. @returns how to tell that it is over. */
  busy(socket: Socket): () => void {
    const idle = this.#sockets.get(nameOf(socket));
    if (idle === undefined) return () => {};
    idle.streams += 1;
    return () => {
      idle.streams -= 1;
      idle.since = performance.now();
    };
  }

  close(): void {
    clearInterval(this.#sweeping);
  }

  #sweep(mostMs: number): void {
    const now = performance.now();
    for (const { socket, streams, since } of this.#sockets.values()) {
      // A little later than grpc-js, which tells the client that it should go.
      if (streams === 0 && now - since > 1.25 * mostMs) socket.destroy();
    }
  }
}

function nameOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}

import type { IncomingMessage, ServerResponse } from "node:http";
import {
  constants,
  type Http2ServerRequest,
  type Http2ServerResponse,
  type ServerHttp2Session,
} from "node:http2";
import type { Socket } from "node:net";
import { Counts } from "./by-address/counts.ts";
import { networkOfAddress } from "./by-address/network.ts";
import type { PortLimits } from "./port-limits.ts";

type Request = IncomingMessage | Http2ServerRequest;
type Response = ServerResponse | Http2ServerResponse;

/** A client's connection. */
interface Connection {
  socket: Socket;
  session?: ServerHttp2Session;
  /** Whom it is counted for; undefined while that is not known, or for one that is not limited. */
  network?: string;
  readonly calls: Set<Call>;
  /** Since when it has had no call, ms of performance.now(). */
  idleSince: number;
}

/** A request until its answer is out. */
interface Call {
  readonly connection: Connection;
  readonly request: Request;
  readonly response: Response;
  readonly since: number;
  /** When its answer was first seen to be complete, but not taken by the client. */
  answeredSince?: number;
}

/** Under which a socket has its connection: HTTP/2 shows a request its session's socket through a proxy only. */
const CONNECTION = Symbol("connection");
type Marked = { [CONNECTION]?: Connection };

/** Requests whose bodies end when their clients like. */
const endless = new WeakSet<Request>();

/** Lets a request's body, a stream of messages, take as long as its client likes. */
export function letBodyTakeLong(request: Request): void {
  endless.add(request);
}

/**
 * The connections of a port, and the requests on them: how many there may be, in all and by client address, and how
 * long they may take. Nothing is kept of a connection or a request that is over.
 */
export class Connections {
  readonly #limits: PortLimits;
  readonly #seesCalls: boolean;
  readonly #all = new Set<Connection>();
  /** Those without a call, in the order in which they became so. */
  readonly #idle = new Set<Connection>();
  readonly #calls = new Set<Call>();
  readonly #ofAddress: Counts;
  readonly #callsOfAddress: Counts;
  readonly #sweeping: NodeJS.Timeout;

  /** @param seesCalls whether requests are told of; without it no connection is known to be idle. */
  constructor(limits: PortLimits, { seesCalls }: { readonly seesCalls: boolean } = { seesCalls: true }) {
    this.#limits = limits;
    this.#seesCalls = seesCalls;
    this.#ofAddress = new Counts(limits.connectionsPerAddress);
    this.#callsOfAddress = new Counts(limits.requestsPerAddress);
    this.#sweeping = setInterval(() => this.#sweep(), sweepMs(limits)).unref();
  }

  /** Takes in a connection, whoever's it is. @returns false when there is no room: it is reset. */
  accept(socket: Socket): boolean {
    if (this.#all.size >= this.#limits.maxConnections && !this.#makeRoom()) {
      socket.resetAndDestroy();
      return false;
    }
    const connection: Connection = { socket, calls: new Set(), idleSince: performance.now() };
    (socket as Marked)[CONNECTION] = connection;
    this.#all.add(connection);
    if (this.#seesCalls) this.#idle.add(connection);
    socket.once("close", () => this.#remove(connection));
    return true;
  }

  /** Counts a connection for its address, once that is known. @returns false when it has too many: it is reset. */
  admit(socket: Socket): boolean {
    const connection = (socket as Marked)[CONNECTION]!;
    const address = socket.remoteAddress ?? "";
    if (this.#limits.isUnlimited(address)) return true;
    const network = networkOfAddress(address);
    if (!this.#ofAddress.take(network)) {
      socket.resetAndDestroy();
      return false;
    }
    connection.network = network;
    return true;
  }

  /** Tells of the socket on which TLS is spoken. */
  secured(socket: Socket, secured: Socket): void {
    const connection = (socket as Marked)[CONNECTION]!;
    connection.socket = secured;
    (secured as Marked)[CONNECTION] = connection;
  }

  /** Tells of the HTTP/2 session on a connection. */
  began(session: ServerHttp2Session): void {
    const connection = (session.socket as Marked)[CONNECTION];
    if (connection !== undefined) connection.session = session;
  }

  /** Counts a request until its answer is out. @returns false when its address has too many in progress. */
  begin(request: Request, response: Response): boolean {
    const connection = (request.socket as Marked)[CONNECTION];
    if (connection === undefined) return false;
    const { network } = connection;
    if (network !== undefined && !this.#callsOfAddress.take(network)) return false;
    const call: Call = { connection, request, response, since: performance.now() };
    connection.calls.add(call);
    this.#idle.delete(connection);
    this.#calls.add(call);
    response.once("close", () => this.#end(call));
    return true;
  }

  *sockets(): Iterable<Socket> {
    for (const { socket } of this.#all) yield socket;
  }

  close(): void {
    clearInterval(this.#sweeping);
  }

  #end(call: Call): void {
    const { connection } = call;
    if (!this.#calls.delete(call)) return;
    connection.calls.delete(call);
    if (connection.network !== undefined) this.#callsOfAddress.give(connection.network);
    if (connection.calls.size > 0 || !this.#all.has(connection)) return;
    connection.idleSince = performance.now();
    this.#idle.add(connection);
  }

  #remove(connection: Connection): void {
    if (!this.#all.delete(connection)) return;
    this.#idle.delete(connection);
    // Node does not tell answers that wait behind another on a broken HTTP/1.1 connection that they are over.
    for (const call of connection.calls) {
      this.#end(call);
      call.response.emit("close");
    }
    if (connection.network !== undefined) this.#ofAddress.give(connection.network);
  }

  /** Closes the connection that has been idle longest, for another's sake. @returns false when none is. */
  #makeRoom(): boolean {
    const [idlest] = this.#idle;
    if (idlest === undefined) return false;
    idlest.socket.destroy();
    this.#remove(idlest);
    return true;
  }

  #sweep(): void {
    const now = performance.now();
    for (const call of this.#calls) {
      if (this.#isTooSlow(call, now)) cut(call);
    }
    for (const connection of this.#idle) {
      if (now - connection.idleSince < this.#limits.idleTimeoutMs) break;
      closeIdle(connection);
    }
  }

  #isTooSlow(call: Call, now: number): boolean {
    const { bodyTimeoutMs } = this.#limits;
    if (call.response.writableEnded) {
      call.answeredSince ??= now;
      return now - call.answeredSince > bodyTimeoutMs;
    }
    return !call.request.complete && !endless.has(call.request) && now - call.since > bodyTimeoutMs;
  }
}

/** How often it is looked what takes too long, ms: often enough that no time-out is a quarter late. */
export function sweepMs({ headerTimeoutMs, bodyTimeoutMs, idleTimeoutMs }: PortLimits): number {
  return Math.min(5_000, Math.ceil(Math.min(headerTimeoutMs, bodyTimeoutMs, idleTimeoutMs) / 4));
}

function cut({ connection, request }: Call): void {
  if ("stream" in request) request.stream.close(constants.NGHTTP2_CANCEL);
  else connection.socket.destroy();
}

/** HTTP/2 clients are told first (GOAWAY), so that no call of theirs meets a closed connection. */
function closeIdle({ socket, session }: Connection): void {
  if (session === undefined || session.closed) socket.destroy();
  else session.close();
}

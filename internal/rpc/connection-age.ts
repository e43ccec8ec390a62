import type { ServerHttp2Session } from "node:http2";
import { constants } from "node:http2";
import type { Socket } from "node:net";

/** Connections end at 90 to 110 % of the age, so that those of one moment do not come back in one moment. */
const SPREAD = 0.1;

/** Between the notice and the end, ms: what a client has sent before it knew is answered (RFC 9113 section 6.8). */
const NOTICE_MS = 1_000;

const NO_STREAM_YET = 2 ** 31 - 1;

const spread = (ageMs: number) => ageMs * (1 + SPREAD * (2 * Math.random() - 1));

/**
 * Lets clients connect anew from time to time, so that a load balancer can share them out. What is under way on a
 * connection is answered, and a stream that is open keeps it.
 */
export class ConnectionAge {
  readonly #ageMs: number;
  readonly #ends = new WeakMap<Socket, number>();

  /** @param ageMs 0: connections may stay for ever. */
  constructor(ageMs: number) {
    this.#ageMs = ageMs;
  }

  /** A connection of HTTP/2 is told to end. */
  limit(session: ServerHttp2Session): void {
    if (this.#ageMs === 0) return;
    let timer = setTimeout(() => {
      if (session.closed || session.destroyed) return;
      session.goaway(constants.NGHTTP2_NO_ERROR, NO_STREAM_YET);
      timer = setTimeout(() => session.close(), NOTICE_MS);
    }, spread(this.#ageMs));
    session.once("close", () => clearTimeout(timer));
  }

  /** A connection of HTTP/1.1 begins. */
  begin(socket: Socket): void {
    if (this.#ageMs > 0) this.#ends.set(socket, performance.now() + spread(this.#ageMs));
  }

  /** Whether the next answer on a connection of HTTP/1.1 should be its last. */
  isOver(socket: Socket): boolean {
    return performance.now() > (this.#ends.get(socket) ?? Number.POSITIVE_INFINITY);
  }
}

import type { IncomingMessage, ServerResponse } from "node:http";
import { constants, type Http2ServerRequest, type Http2ServerResponse } from "node:http2";
import type { Socket } from "node:net";

/**
 * Ends a request that is answered before it has come in whole: too large, of an unknown API key, a stream at
 * shutdown. Nobody reads the rest of it, and Node would stop reading its connection or stream for good: the next
 * request on an HTTP/1.1 connection is never seen, an HTTP/2 stream never ends, and a server that drains waits
 * in vain.
 */
export function discardUnreadBody(
  request: IncomingMessage | Http2ServerRequest,
  response: ServerResponse | Http2ServerResponse,
): void {
  if ("stream" in request) resetRest(request);
  else dropRest(request, response as ServerResponse);
}

/** Of each HTTP/1.1 connection, the request whose rest is dropped, or was last. */
const dropped = new WeakMap<Socket, IncomingMessage>();

/** HTTP/1.1: after the answer the rest is read and dropped. Node's request timeout bounds it. */
function dropRest(request: IncomingMessage, response: ServerResponse): void {
  const { socket } = request;
  response.on("finish", () => {
    if (request.complete) return;
    // One listener for all of a connection's requests: they come one behind the other.
    if (!dropped.has(socket)) {
      socket.on("pause", () => {
        if (!dropped.get(socket)?.complete) socket.resume();
      });
    }
    dropped.set(socket, request);
  });
}

/** HTTP/2: after the answer the stream is reset without an error, as RFC 9113 section 8.1 has it. */
function resetRest({ stream }: Http2ServerRequest): void {
  stream.on("wantTrailers", () => resetSoon(stream));
}

/** For an HTTP/2 answer that has just been ended without trailers: nothing else tells that it is out. */
export function resetSoon(stream: Http2ServerRequest["stream"]): void {
  // The answer's last frame, its trailers, goes out in the next turn of the event loop.
  setImmediate(() => {
    if (stream.readableEnded || stream.closed) return;
    stream.close(constants.NGHTTP2_NO_ERROR);
    stream.removeAllListeners("data").resume();
  });
}

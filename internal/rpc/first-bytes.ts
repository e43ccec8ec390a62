import type { Socket } from "node:net";
import { readProxyHeader } from "./proxy-protocol.ts";

/** The client's first bytes of HTTP/2 with prior knowledge, RFC 9113 section 3.4. */
const HTTP2_PREFACE = Buffer.from("PRI * HTTP/2.0");

/** How long the PROXY header may take, milliseconds: a lost packet is sent again within 3 s, says the protocol. */
const PROXY_HEADER_TIMEOUT_MS = 5_000;

/** What a connection's first bytes are found to be: how many are used up; undefined: more are needed. */
type Look = (seen: Buffer) => number | undefined;

/** Reads a connection's first bytes until they are known; the others stay on it, and it is paused. */
function readFirst(socket: Socket, look: Look, then: () => void): void {
  let seen: Buffer = Buffer.alloc(0);
  const onData = (chunk: Buffer) => {
    seen = seen.length === 0 ? chunk : Buffer.concat([seen, chunk]);
    const used = look(seen);
    if (used === undefined || socket.destroyed) return;
    socket.off("data", onData);
    socket.pause();
    if (used < seen.length) socket.unshift(seen.subarray(used));
    then();
  };
  socket.on("data", onData);
  socket.resume();
}

/** Tells HTTP/2 from HTTP/1.1. @param withinMs how long a connection may take to show what it speaks, ms. */
export function routeByPreface(socket: Socket, withinMs: number, decide: (isHttp2: boolean) => void): void {
  const deadline = setTimeout(() => socket.destroy(), withinMs);
  socket.once("close", () => clearTimeout(deadline));
  let matches = false;
  const look: Look = (seen) => {
    const length = Math.min(seen.length, HTTP2_PREFACE.length);
    matches = seen.subarray(0, length).equals(HTTP2_PREFACE.subarray(0, length));
    return matches && length < HTTP2_PREFACE.length ? undefined : 0;
  };
  readFirst(socket, look, () => {
    clearTimeout(deadline);
    decide(matches);
    // The HTTP/1.1 server reads a socket as a stream; HTTP/2 takes over its handle and needs no resume.
    if (!matches) socket.resume();
  });
}

/**
 * Takes the PROXY header off a connection: from then on its `remoteAddress` is the client's. A connection without
 * one is closed, since anybody could write it: the port is for balancers only.
 */
export function takeProxyHeader(socket: Socket, then: () => void): void {
  const deadline = setTimeout(() => socket.destroy(), PROXY_HEADER_TIMEOUT_MS);
  socket.once("close", () => clearTimeout(deadline));
  const look: Look = (seen) => {
    const header = readProxyHeader(seen);
    if (header === "more") return undefined;
    if (header === "wrong") {
      socket.destroy();
      return undefined;
    }
    const { client } = header;
    if (client !== undefined) Object.defineProperty(socket, "remoteAddress", { value: client });
    return header.length;
  };
  readFirst(socket, look, () => {
    clearTimeout(deadline);
    then();
  });
}

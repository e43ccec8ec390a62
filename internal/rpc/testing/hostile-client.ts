import { type ClientHttp2Session, type ClientHttp2Stream, connect as connectHttp2 } from "node:http2";
import { connect, type Socket } from "node:net";

/** A client that does what it likes with its connections; each comes from an address of this machine. */
export class HostileClient {
  readonly #port: number;
  readonly #sockets = new Set<Socket>();

  constructor(port: number) {
    this.#port = port;
  }

  /** Opens a connection. @param from 127.0.0.0/8 is all this machine's. */
  open(from = "127.0.0.1"): Promise<Socket> {
    const socket = connect({ port: this.#port, host: "127.0.0.1", localAddress: from });
    this.#sockets.add(socket);
    socket.on("error", () => {});
    socket.on("close", () => this.#sockets.delete(socket));
    return new Promise((resolve) => {
      socket.once("connect", () => resolve(socket));
      socket.once("close", () => resolve(socket));
    });
  }

  /** Opens many connections. @returns those that still stand after all are opened and what was refused is gone. */
  async openMany(count: number, from?: string): Promise<Socket[]> {
    const sockets: Socket[] = [];
    for (let at = 0; at < count; at++) sockets.push(await this.open(from));
    // A request on a connection of another address: whatever came before it was seen by then.
    await this.status("/readyz", "127.9.9.9");
    return sockets.filter((socket) => !socket.destroyed);
  }

  /** Opens an HTTP/2 session. */
  async session(from?: string): Promise<ClientHttp2Session> {
    const socket = await this.open(from);
    const session = connectHttp2("http://127.0.0.1", { createConnection: () => socket });
    session.on("error", () => {});
    return session;
  }

  /** Asks over HTTP/1.1 on a connection of its own. @returns the status; 0 when it is closed without an answer. */
  async status(path: string, from?: string): Promise<number> {
    const socket = await this.open(from);
    const text = receivedText(socket);
    socket.write(`GET ${path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n`);
    return Number(/^HTTP\/1\.1 (\d+)/.exec(await text)?.[1] ?? 0);
  }

  close(): void {
    for (const socket of this.#sockets) socket.destroy();
  }
}

/** What comes on a connection until it is closed. */
export function receivedText(socket: Socket): Promise<string> {
  let text = "";
  socket.on("data", (bytes) => {
    text += bytes.toString("latin1");
  });
  return new Promise((resolve) => {
    if (socket.destroyed) resolve(text);
    else socket.resume().once("close", () => resolve(text));
  });
}

/** How long a connection lasts from now on, ms. */
export async function lifeOf(socket: Socket): Promise<number> {
  const started = performance.now();
  if (!socket.destroyed) await new Promise((resolve) => socket.resume().once("close", resolve));
  return performance.now() - started;
}

/** A stream's status, or its error code when it is reset before. */
export function statusOf(stream: ClientHttp2Stream): Promise<number | string> {
  return new Promise((resolve) => {
    stream.on("error", () => {});
    stream.once("response", (headers) => resolve(Number(headers[":status"])));
    stream.once("close", () => resolve(`closed ${stream.rstCode}`));
  });
}

import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { ProxiedConnection } from "./proxied-connection.ts";
import { CLEAR, type Weather } from "./weather.ts";

/** A TCP proxy on 127.0.0.1 in front of a server there: a line that can fail in every way that lines do. */
export class LineProxy {
  readonly #server: Server;
  readonly #connections = new Set<ProxiedConnection>();
  #weather: Weather = CLEAR;

  private constructor(target: number) {
    // Half-open as TCP is: who has sent its last byte may still be answered.
    this.#server = createServer({ pauseOnConnect: true, allowHalfOpen: true }, (client) =>
      this.#accept(client, target),
    );
  }

  /** @param target the server's port. */
  static async start(target: number): Promise<LineProxy> {
    const proxy = new LineProxy(target);
    await new Promise<void>((resolve, reject) => {
      proxy.#server.once("error", reject).listen(0, "127.0.0.1", resolve);
    });
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Changes the weather for the connections of this moment and all later ones. */
  meet(weather: Weather): void {
    this.#weather = weather;
    for (const connection of this.#connections) connection.meet(weather);
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const connection of this.#connections) connection.cut();
    await closed;
  }

  #accept(client: Socket, target: number): void {
    if (this.#weather.kind === "cut") {
      client.destroy();
      return;
    }
    const server = connect({ port: target, host: "127.0.0.1", allowHalfOpen: true });
    const connection = new ProxiedConnection(client, server, () => this.#weather);
    this.#connections.add(connection);
    client.once("close", () => this.#connections.delete(connection));
  }
}

import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { type NetworkFault, NO_FAULT } from "./network-fault.ts";
import { ProxiedConnection } from "./proxied-connection.ts";

/** A TCP proxy on 127.0.0.1 in front of a server there: a line that can fail in every way that lines do. */
export class LineProxy {
  readonly #server: Server;
  readonly #connections = new Set<ProxiedConnection>();
  #fault: NetworkFault = NO_FAULT;

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

  /** Injects the fault into the connections of this moment and all later ones. */
  meet(fault: NetworkFault): void {
    this.#fault = fault;
    for (const connection of this.#connections) connection.meet(fault);
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const connection of this.#connections) connection.cut();
    await closed;
  }

  #accept(client: Socket, target: number): void {
    if (this.#fault.kind === "cut") {
      client.destroy();
      return;
    }
    const server = connect({ port: target, host: "127.0.0.1", allowHalfOpen: true });
    const connection = new ProxiedConnection(client, server, () => this.#fault);
    this.#connections.add(connection);
    client.once("close", () => this.#connections.delete(connection));
  }
}

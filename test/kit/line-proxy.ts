import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { listen } from "../../internal/lifecycle/listen.ts";
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

  /** @param target the server's port. @param port any free one by default. */
  static async start(target: number, port = 0): Promise<LineProxy> {
    const proxy = new LineProxy(target);
    await listen(proxy.#server, { host: "127.0.0.1", port });
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Injects the fault into the connections of this moment and all later ones. */
  meet(fault: NetworkFault): void {
    this.#fault = fault;
    this.meetOnce(fault);
  }

  /** Injects the fault into the connections of this moment alone; new ones work. */
  meetOnce(fault: NetworkFault): void {
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
    const connection = new ProxiedConnection(client, server, this.#fault);
    this.#connections.add(connection);
    client.once("close", () => this.#connections.delete(connection));
  }
}

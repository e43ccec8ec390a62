import type { Socket } from "node:net";
import { Flow } from "./flow.ts";
import type { NetworkFault } from "./network-fault.ts";

/** A connection through a proxy: two sockets, and what flows between them in each direction. */
export class ProxiedConnection {
  readonly #client: Socket;
  readonly #server: Socket;
  readonly #requests: Flow;
  readonly #answers: Flow;
  #fault: NetworkFault;
  #stalled = false;
  #broken = false;

  constructor(client: Socket, server: Socket, fault: NetworkFault) {
    this.#client = client;
    this.#server = server;
    this.#fault = fault;
    const cut = () => this.cut();
    this.#requests = new Flow(client, server, cut);
    this.#answers = new Flow(server, client, cut);
    for (const socket of [client, server]) socket.setNoDelay().on("error", () => {});
    client.on("close", () => this.#ended());
    server.on("close", () => this.#ended());
    // The client waits in line until there is a server to talk to.
    server.once("connect", () => {
      this.#requests.start();
      this.#answers.start();
      this.meet(this.#fault);
    });
  }

  /** Changes what happens to bytes from now on. Bytes that were lost leave a connection good for nothing. */
  meet(fault: NetworkFault): void {
    this.#fault = fault;
    const wasLosing = this.#answers.isLosing;
    this.#stalled = fault.kind === "stall";
    this.#requests.meet(fault);
    this.#answers.meet(fault.kind === "lose answers" ? { kind: "lose" } : fault);
    if (fault.kind === "cut" || (wasLosing && fault.kind === "none")) this.cut();
    else if (!this.#stalled && this.#broken) this.cut();
  }

  cut(): void {
    this.#client.destroy();
    this.#server.destroy();
  }

  /** On a stalled line neither side hears of the other's end. */
  #ended(): void {
    this.#broken = true;
    if (this.#stalled) return;
    // What has arrived here is still passed on.
    this.#client.destroySoon();
    this.#server.destroySoon();
  }
}

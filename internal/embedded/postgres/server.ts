import { createServer, type Server, type Socket } from "node:net";
import { listen } from "../../lifecycle/listen.ts";
import { Checkpointer } from "./checkpointer.ts";
import { Connection } from "./connection.ts";
import type { Shared } from "./conversation.ts";
import type { Engine } from "./engine.ts";
import { Gate } from "./gate.ts";
import { fatal } from "./messages.ts";
import { SessionSwitch } from "./session.ts";

export interface ServerOptions {
  readonly host: string;
  /** 0 takes a free port. */
  readonly port: number;
  /** Milliseconds that a connection may own the database without sending anything. Default: 30,000. */
  readonly idleInTransactionMs?: number;
  /** Default: 100, as with Postgres. */
  readonly maxConnections?: number;
}

/** Serves one Engine to many clients over the Postgres wire protocol. */
export class WireServer {
  readonly #engine: Engine;
  readonly #options: ServerOptions;
  readonly #server: Server;
  readonly #shared: Shared;
  readonly #checkpointer: Checkpointer;
  readonly #serverVersion: string;
  readonly #connections = new Map<Connection, Promise<void>>();
  #lastId = 0;
  /** Rejects when the database dies; it never resolves. */
  readonly died: Promise<never>;
  #die: (error: unknown) => void = () => {};

  constructor(engine: Engine, options: ServerOptions) {
    this.#engine = engine;
    this.#options = options;
    const gate = new Gate();
    const sessions = new SessionSwitch(engine);
    this.#shared = { engine, gate, sessions, notify: (notifications) => this.#notify(notifications) };
    this.#checkpointer = new Checkpointer(engine, gate, sessions);
    this.#serverVersion = engine.query("SHOW server_version")[0]![0]!;
    this.died = new Promise((_, reject) => {
      this.#die = reject;
    });
    this.#server = createServer((socket) => this.#accept(socket));
  }

  /** Starts to accept connections; returns the port. Rejects if the address cannot be had. */
  async listen(): Promise<number> {
    const port = await listen(this.#server, this.#options);
    this.#checkpointer.start(this.#die);
    return port;
  }

  /** Ends every connection (FATAL 57P01), rolls back what they had open, and closes the database. */
  async close(): Promise<void> {
    this.#checkpointer.stop();
    this.#server.close();
    for (const connection of this.#connections.keys()) {
      connection.close("57P01", "terminating connection due to administrator command");
    }
    await Promise.all(this.#connections.values());
    this.#engine.close();
  }

  #accept(socket: Socket): void {
    // Without a listener a reset socket would end the process; the connection sees the end of its stream.
    socket.on("error", () => socket.destroy());
    if (this.#connections.size >= (this.#options.maxConnections ?? 100)) {
      socket.end(fatal("53300", "sorry, too many clients already"));
      return;
    }
    const connection = new Connection(this.#shared, socket, {
      id: ++this.#lastId,
      serverVersion: this.#serverVersion,
      idleInTransactionMs: this.#options.idleInTransactionMs ?? 30_000,
    });
    const served = connection.serve().then(
      () => void this.#connections.delete(connection),
      (error) => this.#die(error),
    );
    this.#connections.set(connection, served);
  }

  #notify(notifications: Buffer[]): void {
    for (const connection of this.#connections.keys()) {
      if (connection.listens) connection.send(notifications);
    }
  }
}

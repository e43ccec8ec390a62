import { connect, type NatsConnection } from "@nats-io/transport-node";

export type { NatsConnection } from "@nats-io/transport-node";

/** Tells for how long a connection has been lost. */
export class ConnectionWatch {
  #lostAt: number | undefined;

  constructor(nc: NatsConnection) {
    void this.#watch(nc);
  }

  /** Ms since the connection broke; 0 while it stands. */
  get lostMs(): number {
    return this.#lostAt === undefined ? 0 : performance.now() - this.#lostAt;
  }

  /** Ends with the connection. */
  async #watch(nc: NatsConnection): Promise<void> {
    for await (const { type } of nc.status()) {
      if (type === "disconnect") this.#lostAt ??= performance.now();
      else if (type === "reconnect") this.#lostAt = undefined;
    }
  }
}

/**
 * Connects to NATS and stays connected: a lost connection is made again for as long as the program runs.
 * Requests made meanwhile fail by their own time-outs.
 * @throws when no server answers within `timeoutMs` at the start.
 */
export function connectNats(url: string, name: string, timeoutMs: number): Promise<NatsConnection> {
  return connect({
    servers: url.split(","),
    name,
    timeout: timeoutMs,
    maxReconnectAttempts: -1,
    reconnectTimeWait: 250,
    reconnectJitter: 250,
    // A dead connection is noticed within 4 to 6 seconds.
    pingInterval: 2_000,
    maxPingOut: 2,
    noAsyncTraces: true,
  });
}

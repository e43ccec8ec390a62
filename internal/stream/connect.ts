import { connect, type NatsConnection } from "@nats-io/transport-node";

export type { NatsConnection } from "@nats-io/transport-node";

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

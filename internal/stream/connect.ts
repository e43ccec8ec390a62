import { connect, type NatsConnection } from "@nats-io/transport-node";
import { Files } from "../config/changing-file.ts";
import { parseNatsAddress } from "../config/nats-address.ts";
import type { natsSettings } from "../config/programs/shared.ts";
import type { ConfigOf } from "../config/setting.ts";
import { authenticatorOf, tlsOf } from "./login.ts";

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

/** What its settings say of NATS. */
export type NatsConfig = ConfigOf<typeof natsSettings>;

/**
 * Connects to NATS and stays connected: a lost connection is made again for as long as the program runs, each time
 * with the login and the certificates of that moment. Requests made meanwhile fail by their own time-outs.
 * @param to the settings, or an address.
 * @param name of the program; answers come to subjects under _INBOX_name, so that no other user need read them.
 * @throws when no server answers within `timeoutMs` at the start; ConfigError when a file cannot be used.
 */
export function connectNats(
  to: NatsConfig | string,
  name: string,
  timeoutMs: number,
  files = new Files(),
): Promise<NatsConnection> {
  const config = typeof to === "string" ? atAddress(to) : to;
  const { servers } = parseNatsAddress(config.natsUrl());
  const tls = tlsOf(config, files);
  return connect({
    servers: [...servers],
    authenticator: authenticatorOf(config, files),
    ...(tls === undefined ? {} : { tls }),
    name,
    inboxPrefix: `_INBOX_${name}`,
    timeout: timeoutMs,
    maxReconnectAttempts: -1,
    reconnectTimeWait: 250,
    reconnectJitter: 250,
    // A login that was changed at the server first is in its file a moment later.
    ignoreAuthErrorAbort: true,
    // A dead connection is noticed within 4 to 6 seconds.
    pingInterval: 2_000,
    maxPingOut: 2,
    noAsyncTraces: true,
  });
}

const NO_FILES = {
  natsCredentialsFile: undefined,
  natsCaFile: undefined,
  natsCertificateFile: undefined,
  natsKeyFile: undefined,
};

function atAddress(url: string): NatsConfig {
  return { natsUrl: () => url, ...NO_FILES };
}

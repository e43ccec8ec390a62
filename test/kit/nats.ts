import { jetstreamManager } from "@nats-io/jetstream";
import { freePort } from "../../internal/embedded/free-port.ts";
import { type Nats, startNats } from "../../internal/embedded/nats/start.ts";
import { temporaryDirectory } from "../../internal/embedded/temporary.ts";
import { connectNats, type NatsConnection } from "../../internal/stream/connect.ts";
import { ensureStreams, eventsStream } from "../../internal/stream/streams.ts";

/** A nats-server with JetStream for one test file. */
export interface TestNats {
  readonly url: string;
  /** Its monitoring endpoint, if it was asked for. */
  readonly monitorUrl: string | undefined;
  /** A connection as programs make it; closed by `close`. Through another address, such as a proxy's, if given. */
  connect(url?: string): Promise<NatsConnection>;
  /** kill -9; resolves when the process is gone. */
  kill(): Promise<void>;
  /** Starts it again, on the same port and files. */
  start(): Promise<void>;
  /** Closes the connections, stops the server and removes its files. */
  close(): Promise<void>;
}

export async function openTestNats({ monitor = false } = {}): Promise<TestNats> {
  const directory = await temporaryDirectory("nats");
  const port = await freePort();
  const monitoring = monitor ? { monitorPort: await freePort() } : {};
  const launch = () => startNats({ dataDir: directory.path, port, ...monitoring });
  let server: Nats = await launch();
  const connections: NatsConnection[] = [];
  return {
    url: server.url,
    monitorUrl: monitor ? `http://127.0.0.1:${monitoring.monitorPort}` : undefined,
    async connect(url = server.url) {
      const connection = await connectNats(url, "test", 10_000);
      connections.push(connection);
      return connection;
    },
    async kill() {
      process.kill(server.pid, "SIGKILL");
      await server.exited;
    },
    async start() {
      server = await launch();
    },
    async close() {
      await Promise.all(connections.map((connection) => connection.close()));
      await server.stop();
      await directory.remove();
    },
  };
}

/** Small streams of some partitions and of refused batches. */
export async function ensureTestStreams(nc: NatsConnection, partitions: number): Promise<void> {
  await ensureStreams(nc, partitions, { replicas: 1, maxAgeMs: 3_600_000, maxBytes: 256 << 20 });
}

/** What a broker does that lost everything: a partition's stream is there, and begins anew. */
export async function loseTestStream(
  nc: NatsConnection,
  partition: number,
  partitions: number,
): Promise<void> {
  const { streams } = await jetstreamManager(nc);
  await streams.delete(eventsStream(partition));
  await ensureTestStreams(nc, partitions);
}

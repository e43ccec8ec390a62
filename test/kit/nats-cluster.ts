import { type NatsCluster, startNatsCluster } from "../../internal/embedded/nats/cluster.ts";
import { temporaryDirectory } from "../../internal/embedded/temporary.ts";
import { connectNats, type NatsConnection } from "../../internal/stream/connect.ts";

/** Three nats-servers with JetStream for one test file; see NatsCluster for what can be done to them. */
export interface TestNatsCluster extends NatsCluster {
  /** A connection as programs make it; closed by `close`. */
  connect(url?: string): Promise<NatsConnection>;
  /** Closes the connections, stops the servers and removes their files. */
  close(): Promise<void>;
}

/** How long a test should let it start: on a busy machine several attempts may be needed. */
export const CLUSTER_START_MS = 300_000;

/** It takes some seconds: a leader has to be elected. */
export async function openTestNatsCluster(): Promise<TestNatsCluster> {
  const directory = await temporaryDirectory("nats-cluster");
  const cluster = await startNatsCluster({ dataDir: directory.path });
  const connections: NatsConnection[] = [];
  return {
    ...cluster,
    async connect(url = cluster.url) {
      const connection = await connectNats(url, "test", 10_000);
      connections.push(connection);
      return connection;
    },
    async close() {
      await Promise.all(connections.map((connection) => connection.close()));
      await cluster.stop();
      await directory.remove();
    },
  };
}

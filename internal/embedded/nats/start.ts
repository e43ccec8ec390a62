import { mkdir, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { jetstreamManager } from "@nats-io/jetstream";
import { connect } from "@nats-io/transport-node";
import { type Child, type OutputListener, startChild } from "../child.ts";
import { freePort } from "../free-port.ts";
import { findNatsServer, natsVersion } from "./find.ts";

/** A running nats-server with JetStream. */
export interface Nats extends Child {
  /** nats://127.0.0.1:PORT */
  readonly url: string;
}

export interface NatsOptions {
  /** Holds the configuration file and JetStream's files; created if it is missing, kept at the end. */
  readonly dataDir: string;
  /** Default: a free port. */
  readonly port?: number;
  /** Server name, seen in its log and in JetStream's placement. Default: footfall. */
  readonly name?: string;
  /** Port of the monitoring endpoints (/varz, /jsz, /healthz); none by default. */
  readonly monitorPort?: number;
  /** Makes the server one of a cluster, which is ready when JetStream's leader is elected. */
  readonly cluster?: ClusterRoutes;
  /** How often it calls fsync. Default: before each ack, where the version can. `2m` is NATS's own default. */
  readonly syncInterval?: "always" | "2m";
  /** Gets all that it prints. */
  readonly onOutput?: OutputListener;
}

/** A server's place in a cluster on 127.0.0.1. */
export interface ClusterRoutes {
  readonly name: string;
  /** Where the other servers reach this one. */
  readonly port: number;
  /** The routes of all servers: nats://127.0.0.1:PORT */
  readonly routes: readonly string[];
  /**
   * Port that the other servers are told instead of its own, such as a proxy's. Clients are then told no
   * addresses beyond those that they were given, which may be of proxies, too.
   */
  readonly advertisedPort?: number;
}

/** Largest message: a batch of events with its dictionaries stays below. */
const MAX_PAYLOAD_BYTES = 8 << 20;
const READY_MS = 30_000;

/**
 * Starts nats-server on 127.0.0.1; resolves when JetStream answers, and in a cluster when this server has also
 * caught up with its streams. It ends when this process does. Its exit code after `stop` is 1 with 2.9. Throws,
 * with the server's log in the message, if it is not ready within 30 s.
 */
export async function startNats(options: NatsOptions): Promise<Nats> {
  const binary = await findNatsServer();
  const port = options.port ?? (await freePort());
  const dataDir = resolve(options.dataDir);
  await mkdir(dataDir, { recursive: true });
  const configPath = join(dataDir, "nats-server.conf");
  const version = await natsVersion(binary);
  await writeFile(
    configPath,
    configuration({ ...options, port, dataDir, name: options.name ?? "footfall", version }),
  );
  const url = `nats://127.0.0.1:${port}`;
  const child = await startChild({
    command: binary,
    args: ["--config", configPath],
    // Its own word first: on a port that is taken, another server would answer.
    ready: async ({ stderr }) =>
      stderr.includes("Server is ready") &&
      (await answers(url)) &&
      (options.cluster === undefined || isCurrent(options.monitorPort)),
    timeoutMs: READY_MS,
    onOutput: options.onOutput,
  });
  return { ...child, url };
}

interface Configuration {
  readonly port: number;
  readonly dataDir: string;
  readonly name: string;
  readonly version: readonly [number, number, number];
  readonly monitorPort?: number;
  readonly cluster?: ClusterRoutes;
  readonly syncInterval?: "always" | "2m";
}

/** The server's configuration file. From 2.10 on every acked message is on the disk, not only in its cache. */
export function configuration(options: Configuration): string {
  const { port, dataDir, name, version, monitorPort, cluster, syncInterval = "always" } = options;
  const [major, minor] = version;
  const syncs = syncInterval !== "always" || major > 2 || (major === 2 && minor >= 10);
  return `server_name: ${JSON.stringify(name)}
listen: 127.0.0.1:${port}
max_payload: ${MAX_PAYLOAD_BYTES}
jetstream {
  store_dir: ${JSON.stringify(join(dataDir, "jetstream"))}
${syncs ? `  sync_interval: ${syncInterval}\n` : ""}}
${monitorPort === undefined ? "" : `http: 127.0.0.1:${monitorPort}\n`}${cluster === undefined ? "" : clusterBlock(cluster)}`;
}

/**
 * nats-server expects a new cluster to have as many nodes as it has routes, and leaves out those to itself: of three
 * nodes two would now and then become a cluster of two, into which the third never comes. So each has a route to
 * itself that it does not know for one; nobody listens there.
 */
function clusterBlock({ name, port, routes: given, advertisedPort }: ClusterRoutes): string {
  const routes = [...given, `nats://127.0.0.2:${port}`];
  const advertised = `  advertise: "127.0.0.1:${advertisedPort}"\n  no_advertise: true\n`;
  return `cluster {
  name: ${JSON.stringify(name)}
  listen: 127.0.0.1:${port}
  routes: ${JSON.stringify(routes)}
${advertisedPort === undefined ? "" : advertised}}
`;
}

/** Whether the server's own health check finds every stream and consumer of it up to date. */
async function isCurrent(monitorPort: number | undefined): Promise<boolean> {
  if (monitorPort === undefined) return true;
  try {
    return (await fetch(`http://127.0.0.1:${monitorPort}/healthz`)).ok;
  } catch {
    return false;
  }
}

/** Whether the server takes a connection and JetStream answers on it. */
async function answers(url: string): Promise<boolean> {
  try {
    const connection = await connect({ servers: url, reconnect: false, timeout: 1_000 });
    try {
      await (await jetstreamManager(connection, { timeout: 1_000 })).getAccountInfo();
    } finally {
      await connection.close();
    }
    return true;
  } catch {
    return false;
  }
}

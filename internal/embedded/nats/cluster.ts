import { rm } from "node:fs/promises";
import { join } from "node:path";
import { freePort } from "../free-port.ts";
import { type Nats, type NatsOptions, startNats } from "./start.ts";

/** One server of a cluster. */
export interface NatsNode {
  /** nats-1, nats-2, ...: what JetStream calls it, as a leader or a replica. */
  readonly name: string;
  /** nats://127.0.0.1:PORT; the same over restarts. */
  readonly url: string;
  /** http://127.0.0.1:PORT, the server's monitoring endpoints. */
  readonly monitorUrl: string;
  /** Process id; undefined while it is down. */
  readonly pid: number | undefined;
  /** kill -9; resolves when the process is gone. */
  kill(): Promise<void>;
  /**
   * Starts it again on the same ports and files; resolves when it has caught up with its streams. For that a
   * majority of the cluster must be up: start several that are down side by side.
   */
  start(): Promise<void>;
  /** SIGTERM; resolves when the process is gone. */
  stop(): Promise<void>;
}

export interface NatsCluster {
  /** The nodes' addresses, parted by commas: NATS_URL. */
  readonly url: string;
  /** The nodes' monitoring addresses, parted by commas: FOOTFALL_NATS_MONITOR_URL. */
  readonly monitorUrl: string;
  readonly nodes: readonly NatsNode[];
  /** Stops what runs of it. */
  stop(): Promise<void>;
}

export interface NatsClusterOptions {
  /** Holds a folder a node; kept at the end. */
  readonly dataDir: string;
  /** Default: 3. */
  readonly nodes?: number;
}

/** How often a start is tried. */
const TRIES = 3;

/**
 * Starts a JetStream cluster on 127.0.0.1, on free ports; resolves when its leader is elected and every node is
 * ready. Now and then (once in some hundred starts with 2.10) servers that all have routes to one another elect no
 * leader for ever: such a cluster is stopped, and another one started.
 */
export async function startNatsCluster(options: NatsClusterOptions): Promise<NatsCluster> {
  for (let left = TRIES - 1; ; left--) {
    try {
      return await startOnce(options);
    } catch (error) {
      if (left === 0) throw error;
      await rm(options.dataDir, { recursive: true, force: true });
    }
  }
}

async function startOnce({ dataDir, nodes: count = 3 }: NatsClusterOptions): Promise<NatsCluster> {
  const ports = await distinctPorts(3 * count);
  const routes = ports.slice(2 * count).map((port) => `nats://127.0.0.1:${port}`);
  const nodes = Array.from({ length: count }, (_, at) => {
    const name = `nats-${at + 1}`;
    return new Node({
      name,
      dataDir: join(dataDir, name),
      port: ports[at]!,
      monitorPort: ports[count + at]!,
      cluster: { name: "footfall", port: ports[2 * count + at]!, routes },
    });
  });
  const stop = async () => {
    await Promise.all(nodes.map((node) => node.stop()));
  };
  // None is ready before a majority is: all at once.
  const started = await Promise.allSettled(nodes.map((node) => node.start()));
  const failed = started.find(({ status }) => status === "rejected");
  if (failed?.status === "rejected") {
    await stop();
    throw failed.reason;
  }
  const list = (key: "url" | "monitorUrl") => nodes.map((node) => node[key]).join(",");
  return { url: list("url"), monitorUrl: list("monitorUrl"), nodes, stop };
}

type NodeOptions = Required<Omit<NatsOptions, "onOutput" | "syncInterval">>;

class Node implements NatsNode {
  readonly name: string;
  readonly url: string;
  readonly monitorUrl: string;
  readonly #options: NodeOptions;
  #server: Nats | undefined;

  constructor(options: NodeOptions) {
    this.name = options.name;
    this.url = `nats://127.0.0.1:${options.port}`;
    this.monitorUrl = `http://127.0.0.1:${options.monitorPort}`;
    this.#options = options;
  }

  get pid(): number | undefined {
    return this.#server?.pid;
  }

  async kill(): Promise<void> {
    const server = this.#server;
    if (server === undefined) return;
    process.kill(server.pid, "SIGKILL");
    await server.exited;
    this.#server = undefined;
  }

  async start(): Promise<void> {
    if (this.#server !== undefined) throw new Error(`${this.name} runs already`);
    const server = await startNats(this.#options);
    this.#server = server;
    void server.exited.then(() => {
      if (this.#server === server) this.#server = undefined;
    });
  }

  async stop(): Promise<void> {
    await this.#server?.stop();
    this.#server = undefined;
  }
}

async function distinctPorts(count: number): Promise<number[]> {
  const ports = new Set<number>();
  while (ports.size < count) ports.add(await freePort());
  return [...ports];
}

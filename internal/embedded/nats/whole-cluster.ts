import { rm } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";

/** A server that is to be one of a new cluster. */
export interface NewNode {
  /** http://127.0.0.1:PORT, its monitoring endpoints. */
  readonly monitorUrl: string;
  /** Its files, which it does not share. */
  readonly dataDir: string;
  start(): Promise<void>;
  /** Resolves when the process is gone. */
  kill(): Promise<void>;
}

const ATTEMPTS = 5;
const WHOLE_MS = 5_000;
const POLL_MS = 100;

/**
 * Starts the nodes of a new cluster. nats-server takes routes on its own address for routes to itself, and so does
 * not know how many nodes there will be: now and then two of three form a cluster of two, into which the third never
 * comes. They then begin anew, without their files.
 * @throws when a node does not start, or after five attempts.
 */
export async function startNewCluster(nodes: readonly NewNode[]): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    // None is ready before a majority is: all at once.
    await Promise.all(nodes.map((node) => node.start()));
    if (await isWhole(nodes)) return;
    if (attempt === ATTEMPTS)
      throw new Error(`${nodes.length} nodes formed no cluster in ${attempt} attempts`);
    await Promise.all(nodes.map((node) => node.kill()));
    for (const { dataDir } of nodes) await rm(dataDir, { recursive: true });
  }
}

/** Whether every node counts them all before long. */
async function isWhole(nodes: readonly NewNode[]): Promise<boolean> {
  const deadline = performance.now() + WHOLE_MS;
  while (performance.now() < deadline) {
    const sizes = await Promise.all(nodes.map(({ monitorUrl }) => clusterSize(monitorUrl)));
    if (sizes.every((size) => size === nodes.length)) return true;
    await sleep(POLL_MS);
  }
  return false;
}

/** How many nodes JetStream's cluster has by one node's knowledge. */
async function clusterSize(monitorUrl: string): Promise<number | undefined> {
  try {
    const response = await fetch(`${monitorUrl}/jsz`, { signal: AbortSignal.timeout(WHOLE_MS) });
    return ((await response.json()) as { meta_cluster?: { cluster_size?: number } }).meta_cluster
      ?.cluster_size;
  } catch {
    return undefined;
  }
}

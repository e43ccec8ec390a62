import type { Child } from "../internal/embedded/child.ts";
import type { Answered, Visit } from "./lib/connections-client.ts";
import { cpuSeconds } from "./lib/cpu.ts";
import type { Bench } from "./lib/result.ts";
import { startServers } from "./lib/servers.ts";
import { forkClient, quantileMs, startWritePath, writeKeys } from "./lib/write-path.ts";

const CONNECTIONS = 256;
const PARTITIONS = 4;
const MERCHANTS = 4;
/** Requests over each connection, of a visit that measures answers rather than connections. */
const REQUESTS = 20;
/** From one request of a connection to its next, ms, where acks are measured that wait for nobody: 256 a second. */
const EVERY_MS = 1_000;

/**
 * 256 gRPC connections that are made at once, each sending small requests one after the other: to a collector that
 * has just started, again to the same one, and then as many requests as tell their latency, at once and once a second.
 * Latencies are of connections' first requests and of all others apart: where all connections come at once, the first
 * requests are what a p99 of a short run shows. Requests that follow at once tell how many can be answered, not how
 * soon: an ack waits for those of all other connections.
 */
export const connections: Bench = async ({ say }) => {
  const servers = await startServers(PARTITIONS);
  const programs: Child[] = [];
  try {
    const { address, pids } = await startWritePath(servers, programs);
    const keys = await writeKeys(servers, MERCHANTS);
    const client = await forkClient<Visit, Answered>("connections-client.ts", [address, ...keys]);
    const all = { ...pids, client: client.pid };
    const visit = async (name: string, requests: number, everyMs = 0) => {
      const before = cpuSeconds(all);
      const { first, later } = await client.run({ connections: CONNECTIONS, requests, everyMs });
      const after = cpuSeconds(all);
      const cpu_ms = Object.fromEntries(
        Object.entries(after).map(([process, seconds]) => [
          process,
          Math.round(1_000 * (seconds - before[process]!)),
        ]),
      );
      const seen = {
        first_p50_ms: quantileMs(first, 0.5),
        first_max_ms: quantileMs(first, 1),
        ...(later.length > 0 && { p50_ms: quantileMs(later, 0.5), p99_ms: quantileMs(later, 0.99) }),
        cpu_ms,
      };
      say(`${name}: ${JSON.stringify(seen)}`);
      return seen;
    };
    const cold = await visit("the first 256 connections", 1);
    await visit("to warm up", REQUESTS);
    await visit("to warm up", REQUESTS);
    const warm = await visit("256 connections to a warm collector", 1);
    const steady = await visit(`${REQUESTS} requests over each`, REQUESTS);
    const paced = await visit(`${REQUESTS} requests over each, one in ${EVERY_MS} ms`, REQUESTS, EVERY_MS);
    client.stop();
    return {
      bench: "connections",
      figure: paced.p99_ms!,
      unit: "ms p99 of acks",
      ratio: paced.p99_ms! / cold.first_max_ms,
      against: "the slowest first ack of a collector that has just started",
      details: { connections: CONNECTIONS, cold, warm, steady, paced, versions: servers.versions },
    };
  } finally {
    for (const program of programs.toReversed()) await program.stop();
    await servers.stop();
  }
};

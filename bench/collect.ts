import { fromBinary } from "@bufbuild/protobuf";
import type { Child } from "../internal/embedded/child.ts";
import { StreamRequestSchema } from "../internal/gen/footfall/collect/v1/collect_pb.js";
import type { Seen, Task } from "./lib/collect-client.ts";
import { EVENTS, messagesOf } from "./lib/collect-messages.ts";
import { cpuSeconds, perMillion } from "./lib/cpu.ts";
import { throughput } from "./lib/measure.ts";
import { type Bench, median, short } from "./lib/result.ts";
import { startServers } from "./lib/servers.ts";
import { forkClient, quantileMs, startWritePath, writeKeys } from "./lib/write-path.ts";

const PARTITIONS = 4;
/** One stream each. */
const MERCHANTS = 4;
/** Messages on their way at one time. */
const WINDOW = 24;
/** Rounds that each measurement is cut into: the median round is the figure. */
const ROUNDS = 5;

/**
 * Row events over gRPC Stream through cmd/collector and cmd/ingest until JetStream has acked them, 500 a message,
 * each event with an id that was never sent; then the latency at half of that rate. Against protobuf-es decoding
 * the same messages on one core, and no more.
 */
export const collect: Bench = async ({ seconds, say }) => {
  const decode = decodeRate(seconds / 5);
  const servers = await startServers(PARTITIONS);
  say(`servers: ${JSON.stringify(servers.versions)}`);
  const programs: Child[] = [];
  try {
    const { address, opsPort, pids } = await startWritePath(servers, programs);
    const keys = await writeKeys(servers, MERCHANTS);
    const client = await forkClient<Task, Seen>("collect-client.ts", [address, ...keys]);
    await client.run({ seconds: Math.min(3, seconds / 2), rate: 0, window: WINDOW });
    const all = { ...pids, client: client.pid };
    const before = cpuSeconds(all);
    const full = await rounds(() => client.run({ seconds: seconds / ROUNDS, rate: 0, window: WINDOW }));
    const batch = await meanBatch(opsPort);
    const cpu = perMillion(before, cpuSeconds(all), sum(full.map(({ events }) => events)));
    const figure = median(full.map(({ eventsPerSecond }) => eventsPerSecond));
    const task = { seconds: seconds / ROUNDS, rate: figure / 2, window: 1_000 };
    const half = await rounds(() => client.run(task));
    client.stop();
    const latency_at = median(half.map(({ eventsPerSecond }) => eventsPerSecond));
    const p50_ms = median(half.map(({ latencies }) => quantileMs(latencies, 0.5)));
    const p99_ms = median(half.map(({ latencies }) => quantileMs(latencies, 0.99)));
    say(`to acked: ${short(figure)} events/s; protobuf-es decoding alone: ${short(decode)}`);
    say(`at ${short(latency_at)} events/s: ack latency p50 ${p50_ms} ms, p99 ${p99_ms} ms`);
    say(`events a batch: ${batch.toFixed(0)}`);
    say(`CPU seconds per million events: ${JSON.stringify(cpu)}`);
    return {
      bench: "collect",
      figure,
      unit: "events/s",
      ratio: figure / decode,
      against: "protobuf-es decoding the same messages on one core",
      details: {
        p99_ms,
        p50_ms,
        latency_at,
        cpu_seconds_per_million: cpu,
        events_a_message: EVENTS,
        events_a_batch: batch,
        window: WINDOW,
        merchants: MERCHANTS,
        versions: servers.versions,
      },
    };
  } finally {
    for (const program of programs.toReversed()) await program.stop();
    await servers.stop();
  }
};

async function rounds(run: () => Promise<Seen>): Promise<Seen[]> {
  const seen: Seen[] = [];
  while (seen.length < ROUNDS) seen.push(await run());
  return seen;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

/** Events a second that protobuf-es decodes, checking nothing. */
function decodeRate(seconds: number): number {
  const messages = Array.from({ length: MERCHANTS }, (_, shop) => messagesOf(shop, 5)).flat();
  let at = 0;
  return throughput(seconds, () => {
    const { bytes } = messages[at++ % messages.length]!;
    return fromBinary(StreamRequestSchema, bytes).events.length;
  });
}

/** Mean number of events of the collector's batches so far. */
async function meanBatch(opsPort: number): Promise<number> {
  const metrics = await (await fetch(`http://127.0.0.1:${opsPort}/metrics`)).text();
  const total = (name: string) =>
    Number(new RegExp(`^footfall_collector_${name}_total\\{.*\\} (.*)$`, "m").exec(metrics)?.[1]);
  return total("batch_events") / total("batches");
}

import { type ChildProcess, fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import { fromBinary } from "@bufbuild/protobuf";
import type { Child } from "../internal/embedded/child.ts";
import { freePort } from "../internal/embedded/free-port.ts";
import { StreamRequestSchema } from "../internal/gen/footfall/collect/v1/collect_pb.js";
import { startProgram } from "../internal/standalone/programs.ts";
import { createMerchant } from "../internal/store/merchants.ts";
import type { Seen, Task } from "./lib/collect-client.ts";
import { EVENTS, messagesOf } from "./lib/collect-messages.ts";
import { cpuSeconds, perMillion } from "./lib/cpu.ts";
import { throughput } from "./lib/measure.ts";
import { type Bench, median, short } from "./lib/result.ts";
import { type Servers, startServers } from "./lib/servers.ts";

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
    const { address, opsPort, pids } = await startPrograms(servers, programs);
    const client = await startClient(address, await writeKeys(servers));
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
    const p50_ms = median(half.map(({ latencies }) => quantile(latencies, 0.5)));
    const p99_ms = median(half.map(({ latencies }) => quantile(latencies, 0.99)));
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

async function startPrograms({ databaseUrl, natsUrl, natsPid }: Servers, programs: Child[]) {
  const ingestPort = await freePort();
  const port = await freePort();
  const env = {
    DATABASE_URL: databaseUrl,
    NATS_URL: natsUrl,
    FOOTFALL_INGEST_PORT: String(ingestPort),
    FOOTFALL_INGEST_ADDRESS: `127.0.0.1:${ingestPort}`,
    FOOTFALL_INGEST_TOKENS: "bench",
    FOOTFALL_INGEST_TOKEN: "bench",
    FOOTFALL_COLLECTOR_PORT: String(port),
    // One merchant sends as much as goes.
    FOOTFALL_COLLECTOR_MERCHANT_EVENTS_PER_SECOND: "0",
    FOOTFALL_COLLECTOR_MERCHANT_SHARE: "100",
    FOOTFALL_LOG_LEVEL: "warn",
  };
  const pids: Record<string, number> = natsPid === undefined ? {} : { nats: natsPid };
  let opsPort = 0;
  for (const name of ["ingest", "collector"] as const) {
    opsPort = await freePort();
    const program = await startProgram(name, opsPort, env);
    programs.push(program);
    pids[name] = program.pid;
  }
  return { address: `127.0.0.1:${port}`, opsPort, pids };
}

/** Mean number of events of the collector's batches so far. */
async function meanBatch(opsPort: number): Promise<number> {
  const metrics = await (await fetch(`http://127.0.0.1:${opsPort}/metrics`)).text();
  const total = (name: string) =>
    Number(new RegExp(`^footfall_collector_${name}_total\\{.*\\} (.*)$`, "m").exec(metrics)?.[1]);
  return total("batch_events") / total("batches");
}

function writeKeys({ pool }: Servers): Promise<string[]> {
  const shop = { name: "bench", timeZone: "UTC", currency: "EUR", retentionDays: 400 };
  const made = Array.from({ length: MERCHANTS }, () => createMerchant(pool, shop));
  return Promise.all(made.map(async (merchant) => (await merchant).writeKey));
}

async function startClient(address: string, keys: readonly string[]) {
  const path = fileURLToPath(new URL("./lib/collect-client.ts", import.meta.url));
  const child = fork(path, [address, ...keys]);
  await reply(child);
  return {
    pid: child.pid ?? 0,
    run(task: Task): Promise<Seen> {
      child.send(task);
      return reply(child);
    },
    stop: () => child.disconnect(),
  };
}

/** The client's next message. @throws what the client reports, or its early end. */
function reply(child: ChildProcess): Promise<Seen> {
  return new Promise((resolve, reject) => {
    const ended = (code: number | null) => reject(new Error(`client: ended with ${code}`));
    child.once("exit", ended);
    child.once("message", (message: Seen & { error?: string }) => {
      child.off("exit", ended);
      if (message.error === undefined) resolve(message);
      else reject(new Error(`client: ${message.error}`));
    });
  });
}

/** ms, to a tenth. */
function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return Number((sorted[Math.floor(sorted.length * share)] ?? Number.NaN).toFixed(1));
}

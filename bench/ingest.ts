import { randomUUIDv7 } from "node:crypto";
import { IngestClient } from "../internal/collect/ingest-client.ts";
import { freePort } from "../internal/embedded/free-port.ts";
import { sealedBytes } from "../internal/event/seal.ts";
import { Codec, type SealedBatch } from "../internal/gen/footfall/event/v1/batch_pb.js";
import { BatchStatus, type PublishResponse } from "../internal/gen/footfall/ingest/v1/ingest_pb.js";
import { letHeapGrow } from "../internal/lifecycle/heap-growth.ts";
import { startProgram } from "../internal/standalone/programs.ts";
import { connectNats } from "../internal/stream/connect.ts";
import { BatchPublisher } from "../internal/stream/publisher.ts";
import { batchesOf } from "./lib/batches.ts";
import { type Bench, median, short } from "./lib/result.ts";
import { type Servers, startServers } from "./lib/servers.ts";
import { shopRows } from "./lib/shop-events.ts";

const PARTITIONS = 4;
const BATCH_ROWS = 4_000;
const ROUNDS = 4;

/** Batches that wait for their ack at one time, both over gRPC and straight to JetStream. */
const WINDOW = 32;

/**
 * Prepared batches over gRPC through cmd/ingest until JetStream has acked them; against publishing the same
 * bytes straight to JetStream, in turn.
 */
export const ingest: Bench = async ({ seconds, say }) => {
  // As ingest does: neither side of the comparison is to be held up by this process.
  letHeapGrow();
  const servers = await startServers(PARTITIONS);
  say(`servers: ${JSON.stringify(servers.versions)}`);
  const port = await freePort();
  const env = {
    DATABASE_URL: servers.databaseUrl,
    NATS_URL: servers.natsUrl,
    FOOTFALL_INGEST_PORT: String(port),
    FOOTFALL_INGEST_TOKENS: "bench",
    FOOTFALL_LOG_LEVEL: "warn",
  };
  const child = await startProgram("ingest", await freePort(), env);
  try {
    const results: Record<string, unknown> = {};
    for (const codec of [Codec.NONE, Codec.ZSTD] as const) {
      results[Codec[codec]] = await compare(servers, `127.0.0.1:${port}`, codec, seconds / 2, say);
    }
    const { figure, ratio } = results.NONE as Comparison;
    return {
      bench: "ingest",
      figure,
      unit: "events/s",
      ratio,
      against: "publishing the same bytes straight to JetStream",
      details: { batch_rows: BATCH_ROWS, window: WINDOW, by_codec: results, versions: servers.versions },
    };
  } finally {
    await child.stop();
    await servers.stop();
  }
};

interface Comparison {
  readonly figure: number;
  readonly ratio: number;
  readonly direct: number;
  readonly megabytes_per_second: number;
}

async function compare(
  { natsUrl }: Servers,
  address: string,
  codec: Codec,
  seconds: number,
  say: (text: string) => void,
): Promise<Comparison> {
  const batches = batchesOf(shopRows(100_000, 1_000), { partitions: PARTITIONS, size: BATCH_ROWS, codec });
  const nats = await connectNats(natsUrl, "bench", 10_000);
  const client = new IngestClient(address, "bench");
  const publisher = new BatchPublisher(nats, 30_000);
  const overGrpc: number[] = [];
  const direct: number[] = [];
  const round = seconds / ROUNDS / 2;
  for (let i = 0; i < ROUNDS; i++) {
    overGrpc.push(await sendOverGrpc(client, batches, round));
    direct.push(await sendDirect(publisher, batches, round));
  }
  client.close();
  await nats.close();
  const bytes = batches.reduce((sum, { sealed }) => sum + sealed.payload.length, 0) / 100_000;
  const figure = median(overGrpc);
  say(
    `${Codec[codec]}: ${short(figure)} events/s over gRPC, ${short(median(direct))} straight, ${bytes.toFixed(1)} bytes an event`,
  );
  return {
    figure,
    ratio: figure / median(direct),
    direct: median(direct),
    megabytes_per_second: (figure * bytes) / 1e6,
  };
}

type Batches = ReturnType<typeof batchesOf>;

/** A batch under a new id, as JetStream would leave out one that it has seen; and the bytes that travel. */
function fresh(sealed: SealedBatch): { id: string; bytes: Uint8Array } {
  const id = randomUUIDv7();
  return { id, bytes: sealedBytes({ ...sealed, batchId: Buffer.from(id.replaceAll("-", ""), "hex") }) };
}

function sendOverGrpc(client: IngestClient, batches: Batches, seconds: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const stream = client.publish();
    const start = performance.now();
    let at = 0;
    let open = 0;
    let events = 0;
    const send = () => {
      const { sealed } = batches[at++ % batches.length]!;
      open++;
      stream.write(fresh(sealed).bytes);
    };
    stream.on("data", (response: PublishResponse) => {
      if (response.status !== BatchStatus.STORED)
        reject(new Error(`batch: ${BatchStatus[response.status]} ${response.message}`));
      events += BATCH_ROWS;
      open--;
      if (performance.now() - start < seconds * 1_000) send();
      else if (open === 0) stream.end();
    });
    stream.on("error", reject);
    stream.on("end", () => resolve(events / ((performance.now() - start) / 1_000)));
    for (let i = 0; i < WINDOW; i++) send();
  });
}

async function sendDirect(publisher: BatchPublisher, batches: Batches, seconds: number): Promise<number> {
  const start = performance.now();
  let at = 0;
  let events = 0;
  const sendNext = async () => {
    while (performance.now() - start < seconds * 1_000) {
      const { sealed } = batches[at++ % batches.length]!;
      const { id, bytes } = fresh(sealed);
      await publisher.publish(sealed.partition, id, bytes);
      events += BATCH_ROWS;
    }
  };
  await Promise.all(Array.from({ length: WINDOW }, sendNext));
  return events / ((performance.now() - start) / 1_000);
}

import { jetstreamManager } from "@nats-io/jetstream";
import { afterAll, beforeAll, expect, test } from "vitest";
import { partitionOf } from "../../internal/event/partition.ts";
import type { CreatedMerchant } from "../../internal/store/merchants.ts";
import { connectNats } from "../../internal/stream/connect.ts";
import { eventsStream } from "../../internal/stream/streams.ts";
import {
  createTestMerchant,
  PARTITIONS,
  startTestInstallation,
  type TestInstallation,
} from "../kit/installation.ts";
import { bearer, type CollectClient, collectClient, grpcQueryClient } from "../kit/installation-clients.ts";
import { signal } from "../kit/installation-programs.ts";
import { storedRows } from "../kit/installation-recount.ts";
import { waitUntilReported } from "../kit/installation-reports.ts";
import { spooledBatches, waitUntilDrained } from "../kit/installation-spool.ts";
import { waitFor } from "../kit/installation-wait.ts";

let footfall: TestInstallation;
let merchant: CreatedMerchant;
let client: CollectClient;
/** What each program printed. */
const printed = new Map<string, string>();
let sent = 0;

beforeAll(async () => {
  footfall = await startTestInstallation({
    archive: true,
    env: {
      FOOTFALL_COLLECTOR_SPOOL_AFTER_MS: "500",
      FOOTFALL_AGGREGATOR_STREAM_CHANGED_MS: "500",
      FOOTFALL_ARCHIVER_STREAM_CHANGED_MS: "500",
      FOOTFALL_ARCHIVER_OBJECT_MAX_AGE_MS: "200",
    },
    onOutput: (program, text) => printed.set(program, (printed.get(program) ?? "") + text),
  });
  merchant = await createTestMerchant(footfall.pool);
  client = collectClient(footfall.collectorUrl);
});
afterAll(() => footfall?.close());

/** Sends events one after another; all must be acked. */
async function send(events: number): Promise<void> {
  for (let left = events; left > 0; left--) {
    const event = { name: "page_view", eventId: `event ${++sent}` };
    const { accepted } = await client.send({ events: [event] }, bearer(merchant.writeKey));
    expect(accepted).toBe(1);
  }
}

/** Every acked event is stored once, and archived. */
async function expectAll(): Promise<void> {
  await waitUntilDrained(footfall.opsUrls.collector);
  await waitUntilReported(grpcQueryClient(footfall.queryUrl), merchant, Date.now(), 60_000);
  expect(await storedRows(footfall.pool, merchant.merchantId)).toEqual({ rows: sent, distinct: sent });
  const archived = async () => {
    const { rows } = await footfall.pool.query("SELECT sum(rows)::integer AS rows FROM archive_objects");
    return rows[0].rows === sent;
  };
  await waitFor("all events in the archive", archived);
}

/** Deletes the merchant's stream, as an operator may, or a broker that lost it. */
async function deleteStream(): Promise<string> {
  const nats = await connectNats(footfall.natsUrl, "test", 10_000);
  const stream = eventsStream(partitionOf(merchant.merchantId, PARTITIONS));
  await (await jetstreamManager(nats)).streams.delete(stream);
  await nats.close();
  return stream;
}

test("a stream is deleted under load: what is acked later and what the spool holds is stored once", async () => {
  await send(20);
  await expectAll();
  signal(footfall, "ingest", "SIGSTOP");
  await send(10);
  expect(await spooledBatches(footfall.opsUrls.collector)).toBeGreaterThan(0);
  const stream = await deleteStream();
  signal(footfall, "ingest", "SIGCONT");
  await send(30);
  await expectAll();
  expect(printed.get("ingest")).toContain(`the stream ${stream} was gone and was made anew, empty`);
  for (const program of ["aggregator", "archiver"]) {
    expect(printed.get(program)).toContain(`the stream ${stream} lost batches: its position went back`);
  }
});

import { randomBytes } from "node:crypto";
import { jetstreamManager } from "@nats-io/jetstream";
import { afterAll, beforeAll, expect, test } from "vitest";
import { partitionOf } from "../../internal/event/partition.ts";
import { valuesOf } from "../../internal/event/property-value.ts";
import { Notice_Kind } from "../../internal/gen/footfall/query/v1/info_pb.js";
import type { RunReportResponse } from "../../internal/gen/footfall/query/v1/report_pb.js";
import type { CreatedMerchant } from "../../internal/store/merchants.ts";
import { connectNats, type NatsConnection } from "../../internal/stream/connect.ts";
import { eventsStream } from "../../internal/stream/streams.ts";
import {
  createTestMerchant,
  PARTITIONS,
  startTestInstallation,
  type TestInstallation,
} from "../kit/installation.ts";
import { bearer, collectClient, grpcQueryClient } from "../kit/installation-clients.ts";
import { allDays, dataThroughOf, noticed, reportNumbers } from "../kit/installation-reports.ts";
import { waitFor } from "../kit/installation-wait.ts";

/** Room for some of the events that are sent. */
const STREAM_BYTES = 100_000;
const EVENTS = 200;

let footfall: TestInstallation;
let nats: NatsConnection;
/** Its partition's stream is filled. */
let busy: CreatedMerchant;
/** Of another partition. */
let quiet: CreatedMerchant;
/** When each of the busy one's events was acknowledged, ms. */
const ackTimes: number[] = [];

beforeAll(async () => {
  footfall = await startTestInstallation({
    env: {
      FOOTFALL_STREAM_MAX_BYTES: String(STREAM_BYTES),
      FOOTFALL_COLLECTOR_SPOOL_AFTER_MS: "500",
      FOOTFALL_COLLECTOR_BATCH_MAX_ROWS: "10",
    },
  });
  nats = await connectNats(footfall.natsUrl, "test", 10_000);
  busy = await createTestMerchant(footfall.pool);
  do quiet = await createTestMerchant(footfall.pool);
  while (partitionOf(quiet.merchantId, PARTITIONS) === partitionOf(busy.merchantId, PARTITIONS));
}, 120_000);
afterAll(async () => {
  await nats?.close();
  await footfall?.close();
}, 60_000);

function reportOf({ readKey }: CreatedMerchant): Promise<RunReportResponse> {
  return grpcQueryClient(footfall.queryUrl).runReport(allDays(1), bearer(readKey));
}

const delayedOf = ({ info }: RunReportResponse) => noticed(info, Notice_Kind.DELAYED_EVENTS);

/** Events that do not compress. */
const event = (eventId: string) => ({
  name: "page_view",
  eventId,
  properties: valuesOf({ noise: randomBytes(750).toString("base64") }),
});

/** What the answer holds is what was acked before its data_through, or more. */
async function expectTrue(): Promise<RunReportResponse> {
  const report = await reportOf(busy);
  const through = dataThroughOf(report) ?? 0;
  const due = ackTimes.filter((time) => time < through).length;
  expect(Number(reportNumbers(report).total.events)).toBeGreaterThanOrEqual(due);
  return report;
}

test("a stream that is full: events go to the spool, and reports say how many wait", async () => {
  const client = collectClient(footfall.collectorUrl);
  for (let at = 0; at < EVENTS; at += 10) {
    const events = Array.from({ length: 10 }, (_, index) => event(`busy ${at + index}`));
    const { accepted } = await client.send({ events }, bearer(busy.writeKey));
    expect(accepted).toBe(10);
    ackTimes.push(...events.map(() => Date.now()));
    await expectTrue();
  }
  await client.send({ events: [event("quiet")] }, bearer(quiet.writeKey));
  const delayed = await waitFor("all that waits to be told", async () => {
    const report = await expectTrue();
    const sum = Number(reportNumbers(report).total.events + delayedOf(report));
    return delayedOf(report) > 0n && sum === EVENTS && report;
  });
  expect(dataThroughOf(delayed)!).toBeLessThan(ackTimes.at(-1)!);
  // An alarm and a line in readyz, while ingest goes on with the others.
  const full = eventsStream(partitionOf(busy.merchantId, PARTITIONS));
  await waitFor("ingest to tell of it", async () => {
    const answer = await fetch(`${footfall.opsUrls.ingest}/readyz`);
    expect(answer.status).toBe(200);
    const said = await answer.text();
    return (
      said.includes(`1 of ${PARTITIONS} partitions' streams refuse batches`) &&
      said.includes(`${full} is nearly full`)
    );
  });
  const metrics = await (await fetch(`${footfall.opsUrls.ingest}/metrics`)).text();
  const fill = new RegExp(`^footfall_stream_fill_ratio\\{stream="${full}".*\\} (\\S+)$`, "m").exec(metrics);
  expect(Number(fill![1])).toBeGreaterThan(0.8);
  // The other partition's merchant is told nothing of it, and its reports go on.
  await waitFor("the quiet one's report", async () => {
    const report = await reportOf(quiet);
    return delayedOf(report) === 0n && (dataThroughOf(report) ?? 0) > ackTimes.at(-1)!;
  });
}, 120_000);

test("with room again all of it is drained, and data_through moves on", async () => {
  const jsm = await jetstreamManager(nats);
  await jsm.streams.update(eventsStream(partitionOf(busy.merchantId, PARTITIONS)), { max_bytes: 10 << 20 });
  const since = Date.now();
  await waitFor(
    "nothing to wait any more",
    async () => {
      const report = await expectTrue();
      return delayedOf(report) === 0n && (dataThroughOf(report) ?? 0) > since;
    },
    60_000,
  );
  expect(Number(reportNumbers(await reportOf(busy)).total.events)).toBe(EVENTS);
}, 120_000);

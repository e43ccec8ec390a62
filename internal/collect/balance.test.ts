import { afterEach, beforeEach, expect, test } from "vitest";
import { merchantsOf, testBatch } from "../../test/kit/batches.ts";
import { waitFor } from "../../test/kit/installation-wait.ts";
import { IngestClient } from "./ingest-client.ts";
import { IngestLink } from "./ingest-link.ts";
import { Receipt } from "./receipt.ts";
import { FakeIngest, PARTITIONS, TOKEN } from "./testing/fake-ingest.ts";
import { FakePublisher } from "./testing/fake-publisher.ts";

const publishers = [new FakePublisher(), new FakePublisher()] as const;
let ingests: readonly FakeIngest[];
let client: IngestClient;
let link: IngestLink;
let sending: NodeJS.Timeout;
const sent: { readonly id: string; readonly receipt: Receipt }[] = [];
const states: (string | undefined)[] = [];

const [merchantId] = merchantsOf(0, PARTITIONS, 1) as [number];

function sendOne(): void {
  const { id, sealed, bytes } = testBatch([{ merchantId, time: Date.now() }], { partition: 0 });
  const receipt = new Receipt();
  sent.push({ id, receipt });
  link.deliver({ batchId: sealed.batchId, partition: 0, bytes, rows: 1, receipt });
}

/** A link over many short-lived streams, with a batch every few milliseconds. */
function open(address: string): void {
  client = new IngestClient(address, TOKEN);
  const onState = (state: string | undefined) => void states.push(state);
  link = new IngestLink(client, { deliverTimeoutMs: 20_000, onState, streams: 4, streamMaxAgeMs: 400 });
  sending = setInterval(sendOne, 5);
}

beforeEach(async () => {
  ingests = publishers.map((publisher) => new FakeIngest(publisher));
  await Promise.all(ingests.map((ingest) => ingest.start()));
});
afterEach(() => {
  client.close();
  for (const ingest of ingests) ingest.kill();
});

const counts = () => publishers.map(({ arrived }) => arrived.length);
const more = (what: string, from: readonly number[], at: readonly number[]) =>
  waitFor(what, () => at.every((one) => counts()[one]! >= from[one]! + 20));

test.each([
  ["gRPC's list", () => `ipv4:${ingests.map(({ address }) => address).join(",")}`],
  ["addresses with commas", () => ingests.map(({ address }) => address).join(", ")],
])("%s: both get batches, one that comes back gets some again, and none is lost", async (_, address) => {
  open(address());
  await more("both", counts(), [0, 1]);
  ingests[0]!.kill();
  await more("the other alone", counts(), [1]);
  await ingests[0]!.start();
  await more("both again", counts(), [0, 1]);
  clearInterval(sending);
  await link.close();
  expect(sent.map(({ receipt }) => receipt.outcome)).toEqual(sent.map(() => ({ stored: true })));
  const stored = new Set(publishers.flatMap((one) => one.stored.map(({ batchId }) => batchId)));
  expect(sent.filter(({ id }) => !stored.has(id))).toEqual([]);
});

test("replacing streams sends nothing twice, and is no outage", async () => {
  states.length = 0;
  const before = counts();
  const first = sent.length;
  open(ingests[0]!.address);
  // Several times the age of a stream, by the number of batches.
  await waitFor("batches", () => counts()[0]! - before[0]! > 400);
  clearInterval(sending);
  await link.close();
  expect(states).toEqual([undefined]);
  expect(counts()[0]! - before[0]!).toBe(sent.length - first);
});

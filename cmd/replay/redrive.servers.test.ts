import { jetstreamManager } from "@nats-io/jetstream";
import { afterAll, beforeAll, expect, test } from "vitest";
import { STEPS } from "../../internal/aggregate/steps/process.ts";
import type { Step } from "../../internal/aggregate/steps/step.ts";
import { query } from "../../internal/config/programs/query.ts";
import { freePort } from "../../internal/embedded/free-port.ts";
import { partitionOf } from "../../internal/event/partition.ts";
import type { DeadLetterList } from "../../internal/replay/list.ts";
import type { RedriveResult } from "../../internal/replay/redrive.ts";
import { type CreatedMerchant, createMerchant } from "../../internal/store/merchants.ts";
import { DEAD_LETTER_STREAM } from "../../internal/stream/streams.ts";
import { type TestBatch, type TestEvent, testBatch } from "../../test/kit/batches.ts";
import { grpcQueryClient, type QueryClient } from "../../test/kit/installation-clients.ts";
import { reportTotals } from "../../test/kit/installation-reports.ts";
import { waitFor } from "../../test/kit/installation-wait.ts";
import { startTestService, type TestService } from "../../test/kit/service.ts";
import { PARTITIONS, Rig } from "../aggregator/testing/rig.ts";
import { start as startQuery } from "../query/start.ts";
import { run as runProgram } from "./testing/rig.ts";

let rig: Rig;
let reports: TestService;
let client: QueryClient;
let merchant: CreatedMerchant;

beforeAll(async () => {
  rig = await Rig.open();
  const shop = { name: "Shop", timeZone: "UTC", currency: "EUR", retentionDays: 365 };
  merchant = await createMerchant(rig.pool, shop);
  const port = await freePort();
  const settings = { "database-url": rig.database.url, port: String(port) };
  reports = await startTestService(query, startQuery, settings);
  client = grpcQueryClient(`http://127.0.0.1:${port}`);
});

afterAll(async () => {
  await reports?.stop();
  await rig?.close();
});

const POISON_URL = "https://poison.example/";

/** A step with a mistake: it fails on a page that is ordinary. */
const mistaken: Step = {
  name: "mistaken",
  version: 1,
  run(batch) {
    const url = batch.text("url")?.[0] ?? 0;
    if (batch.dictionary.text(url) === POISON_URL) throw new Error("cannot read properties of undefined");
  },
};

/** A batch of the merchant's events of yesterday. */
function batchOf(count: number, fields: Partial<TestEvent>, shared?: string): TestBatch {
  const { merchantId } = merchant;
  const events = Array.from({ length: count }, (_, at) => ({
    merchantId,
    time: Date.now() - 86_400_000 + at * 1_000,
    eventId: at === 0 && shared !== undefined ? shared : crypto.randomUUID(),
    visitorId: `v${at}`,
    ...fields,
  }));
  return testBatch(events, { partition: partitionOf(merchantId, PARTITIONS) });
}

/** Runs the program with --json, which must succeed. */
async function replay<T>(...args: string[]): Promise<T> {
  const env = { DATABASE_URL: rig.database.url, NATS_URL: rig.nats.url };
  const { code, stdout, stderr } = await runProgram(["dlq", ...args, "--json"], env);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  return JSON.parse(stdout) as T;
}

const refused = async () => (await (await jetstreamManager(rig.nc)).streams.info(DEAD_LETTER_STREAM)).state;
const rows = () => rig.query("SELECT count(*)::integer AS n FROM events");
const reported = (events: number) =>
  waitFor("the report", async () => {
    const totals = await reportTotals(client, merchant);
    return Number(totals.events) === events && totals;
  });

test("poison, mended, redriven: counted once, and the reports are right", async () => {
  const shared = crypto.randomUUID();
  const order = { id: "o-1", revenueMicros: 12_500_000n, currency: "EUR" };
  const good = [batchOf(10, {}), batchOf(7, {}, shared)] as const;
  // Its first event came in a good batch as well.
  const bad = [
    batchOf(5, { url: POISON_URL }, shared),
    batchOf(1, { name: "purchase", url: POISON_URL, order }),
  ] as const;
  for (const batch of [good[0], bad[0], good[1], bad[1]]) await rig.publish(batch);

  await rig.start({}, [...STEPS, mistaken]);
  expect(await rig.committed(bad[1])).toMatchObject({ rows: 1, stored: 0, dead_lettered: 1 });
  expect(await rig.committed(bad[0])).toMatchObject({ rows: 5, stored: 0, dead_lettered: 5 });
  expect(await reported(17)).toMatchObject({ revenue: 0n, orders: 0n });

  const mine = ["--reason", "PROCESSING_FAILED", "--merchant", String(merchant.merchantId)];
  const list = await replay<DeadLetterList>("list", ...mine);
  expect(list).toMatchObject({ total: { batches: 2, events: 6 }, redrivable: { batches: 2, events: 6 } });
  expect(list.newest[0]!.message).toBe("Error: cannot read properties of undefined");
  const counted = { redriven: { batches: 2, events: 6 }, notRedriven: [] };
  expect(await replay("redrive", "--dry-run", ...mine)).toMatchObject({ dryRun: true, ...counted });
  expect((await refused()).messages).toBe(2);

  // Before the step is mended they only come back, as others.
  const before = (await refused()).last_seq;
  expect(await replay("redrive", ...mine)).toMatchObject({ dryRun: false, ...counted });
  await waitFor("them to be back", async () => (await refused()).last_seq === before + 2);
  expect(await rows()).toEqual([{ n: 17 }]);
  await rig.stop();

  await rig.start();
  expect(await replay<RedriveResult>("redrive", ...mine)).toMatchObject(counted);
  expect((await refused()).messages).toBe(0);
  await waitFor("the ledger", async () => (await rig.committed(bad[1])).stored === 1);
  expect(await rig.committed(bad[0])).toMatchObject({ rows: 5, stored: 4, duplicates: 1, dead_lettered: 0 });
  expect(await reported(22)).toMatchObject({ revenue: 12_500_000n, orders: 1n });
  expect(await rows()).toEqual([{ n: 22 }]);

  // Once more by hand, as after a redrive that was killed: the ledger knows the batch.
  const again = await rig.publish(bad[0], crypto.randomUUID());
  await waitFor("the position", async () => {
    const [position] = await rig.query<{ seq: number }>(
      "SELECT max(stream_seq)::integer AS seq FROM partitions",
    );
    return position!.seq >= again;
  });
  expect(await rows()).toEqual([{ n: 22 }]);
  expect(await replay("redrive")).toMatchObject({ redriven: { batches: 0, events: 0 } });
});

test("for a person: counts in tables, and what a redrive did or could not do", async () => {
  const env = { DATABASE_URL: rig.database.url, NATS_URL: rig.nats.url };
  const shown = (...args: string[]) => runProgram(["dlq", ...args], env);
  expect((await shown("list")).stdout).toBe(
    "dead letters: 0 batches, 0 events; they pass the check now: 0 batches, 0 events\n",
  );
  const batch = batchOf(2, {});
  await rig.publisher.reject(1, "PROCESSING_FAILED", "Error: once", batch.bytes);
  await rig.publisher.reject(undefined, "MALFORMED", "batch: illegal tag", Buffer.from("no batch"));
  const { stdout } = await shown("list");
  expect(stdout).toContain("dead letters: 2 batches, 2 events; they pass the check now: 1 batch, 2 events");
  expect(stdout).toMatch(/PROCESSING_FAILED +│ 2 +│|PROCESSING_FAILED.*Error: once/);
  const { last_seq } = await refused();
  const dry = await shown("redrive", "--dry-run");
  expect(dry.stdout).toMatch(
    new RegExp(
      `^would be redriven: 1 batch, 2 events\ncannot be redriven, .*: 1 batch\n  seq ${last_seq} \\(no id\\): MALFORMED: `,
    ),
  );
  const show = await shown("show", "--seq", String(last_seq - 1));
  expect(JSON.parse(show.stdout)).toMatchObject({ check: { ok: true }, events: [{ row: 0 }, { row: 1 }] });
});

test.each([
  ["an unknown command", ["dlq", "drop"], /unknown command 'drop'; there are list, show, redrive/],
  ["no command", [], /a command is missing; there are dlq/],
  ["an unknown reason", ["dlq", "list", "--reason", "BORED"], /--reason: "BORED" is none of MALFORMED/],
  ["a time without a zone", ["dlq", "list", "--from", "2026-03-01T10:00"], /is neither a day such as/],
  ["a day that does not exist", ["dlq", "list", "--to", "2026-13-01"], /is no time of the calendar/],
  ["sequences that are no list", ["dlq", "list", "--seq", "1..3"], /is no list such as 3,7-9/],
])("%s: exit code 2, and the message names it", async (_, args, message) => {
  const env = { DATABASE_URL: rig.database.url, NATS_URL: rig.nats.url };
  const { code, stdout, stderr } = await runProgram(args, env);
  expect(stderr).toMatch(message);
  expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
});

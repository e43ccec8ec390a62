import { jetstreamManager } from "@nats-io/jetstream";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { STEPS } from "../../internal/aggregate/steps/process.ts";
import type { Step } from "../../internal/aggregate/steps/step.ts";
import { DEAD_LETTER_STREAM, eventsStream } from "../../internal/stream/streams.ts";
import { merchantsOf, type TestBatch, testBatch } from "../../test/kit/batches.ts";
import { waitFor } from "../../test/kit/installation-wait.ts";
import { ensureTestStreams } from "../../test/kit/nats.ts";
import { metric } from "../../test/kit/service.ts";
import { batchFor, PARTITIONS, Rig } from "./testing/rig.ts";

let rig: Rig;

beforeAll(async () => {
  rig = await Rig.open();
});

afterEach(() => rig?.stop());
afterAll(() => rig?.close());

const POISON_URL = "https://poison.example/";
const SETTINGS = { "process-tries": "3" };

/** A batch of two events that the steps or the database of a test fail on. */
function poison(partition: number): TestBatch {
  const [merchantId] = merchantsOf(partition, PARTITIONS, 1) as [number];
  const event = { merchantId, time: Date.UTC(2026, 2, 1), url: POISON_URL };
  return testBatch([event, { ...event, eventId: crypto.randomUUID() }], { partition });
}

/** A step that fails on poison, and counts how often it saw some. */
function failingStep(): Step & { seen: number } {
  const step = {
    name: "failing",
    version: 1,
    seen: 0,
    run(batch: Parameters<Step["run"]>[0]) {
      if (batch.dictionary.text(batch.text("url")?.[0] ?? 0) !== POISON_URL) return;
      step.seen++;
      throw new Error("this step\ncannot do that");
    },
  };
  return step;
}

/** What the dead-letter stream keeps of a partition's stream, by sequence there. */
async function kept(partition: number) {
  const { streams } = await jetstreamManager(rig.nc);
  const { state } = await streams.info(DEAD_LETTER_STREAM);
  const found = [];
  for (let seq = Math.max(1, state.first_seq); seq <= state.last_seq; seq++) {
    const message = (await streams.getMessage(DEAD_LETTER_STREAM, { seq }))!;
    if (message.header.get("Footfall-Stream") === eventsStream(partition)) found.push(message);
  }
  return found;
}

const deadLettered = (rows: number) => ({ rows, stored: 0, duplicates: 0, dead_lettered: rows });

describe("a step that throws", () => {
  test("its batch is dead-lettered with reason, message, stack and position; its neighbours are committed", async () => {
    const partition = 0;
    const [before, bad, after] = [batchFor(partition, 3), poison(partition), batchFor(partition, 4)] as const;
    const seqs = [];
    for (const batch of [before, bad, after]) seqs.push(await rig.publish(batch));
    const step = failingStep();
    const service = await rig.start(SETTINGS, [...STEPS, step]);
    expect(await rig.committed(after)).toMatchObject({ rows: 4, stored: 4 });
    expect(await rig.committed(before)).toMatchObject({ rows: 3, stored: 3 });
    expect(await rig.committed(bad)).toMatchObject({ ...deadLettered(2), stream_seq: seqs[1] });
    const [message, ...more] = await kept(partition);
    expect(more).toEqual([]);
    expect(message!.subject).toBe("dead_letter.0");
    expect(Buffer.from(message!.data).equals(bad.bytes)).toBe(true);
    expect(message!.header.get("Footfall-Reason")).toBe("PROCESSING_FAILED");
    expect(message!.header.get("Footfall-Message")).toBe("Error: this step?cannot do that");
    expect(message!.header.get("Footfall-Stack")).toMatch(/ \| at .*poison\.servers\.test\.ts/);
    expect(message!.header.get("Footfall-Sequence")).toBe(String(seqs[1]));
    expect(message!.header.get("Footfall-Batch-Id")).toBe(bad.id);
    // Once in the group, where nobody knew whose fault it was, and then its own tries.
    expect(step.seen).toBe(4);
    expect(await metric(service, "footfall_aggregator_dead_letters_total")).toBe(1);
    expect(await metric(service, "footfall_aggregator_dead_lettered_events_total")).toBe(2);
    expect(await metric(service, "footfall_aggregator_failures_total")).toBe(0);
  });

  test.each(["1", "2"])("alone in its group it has %s tries, as set", async (tries) => {
    const step = failingStep();
    await rig.start({ "process-tries": tries }, [step]);
    const bad = poison(1);
    await rig.publish(bad);
    expect(await rig.committed(bad)).toMatchObject(deadLettered(2));
    expect(step.seen).toBe(Number(tries));
  });

  test("one that works at another try is no matter", async () => {
    const before = (await kept(2)).length;
    let failures = 2;
    const flaky: Step = {
      name: "flaky",
      version: 1,
      run() {
        if (failures-- > 0) throw new Error("not yet");
      },
    };
    await rig.start(SETTINGS, [...STEPS, flaky]);
    const batch = batchFor(2, 5);
    await rig.publish(batch);
    expect(await rig.committed(batch)).toMatchObject({ rows: 5, stored: 5 });
    expect(await kept(2)).toHaveLength(before);
  });
});

/** Makes the database refuse rows: a trigger that raises an error of some SQLSTATE. */
async function refuse(table: string, condition: string, state: string): Promise<void> {
  await rig.pool.query(`CREATE OR REPLACE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'not this row' USING ERRCODE = '${state}'; END $$`);
  await rig.pool.query(
    `CREATE TRIGGER refuse BEFORE INSERT ON ${table} FOR EACH ROW WHEN (${condition}) EXECUTE FUNCTION refuse()`,
  );
}

const IS_POISON = `NEW.url = '${POISON_URL}'`;

describe("rows that the database refuses", () => {
  test.each(["21000", "22003", "23514", "54000"])(
    "for their data (%s): the batch is dead-lettered, its neighbours are stored",
    async (state) => {
      const partition = 3;
      const before = (await kept(partition)).length;
      const [first, bad, last] = [batchFor(partition, 1), poison(partition), batchFor(partition, 1)] as const;
      for (const batch of [first, bad, last]) await rig.publish(batch);
      await refuse("events", IS_POISON, state);
      try {
        await rig.start(SETTINGS);
        expect(await rig.committed(last)).toMatchObject({ stored: 1 });
        expect(await rig.committed(first)).toMatchObject({ stored: 1 });
        expect(await rig.committed(bad)).toMatchObject(deadLettered(2));
      } finally {
        await rig.stop();
        await rig.pool.query("DROP TRIGGER refuse ON events");
      }
      const messages = await kept(partition);
      expect(messages).toHaveLength(before + 1);
      expect(messages.at(-1)!.header.get("Footfall-Message")).toBe(`error (${state}): not this row`);
    },
  );

  test.each(["40001", "53100", "57014"])(
    "for its own state (%s): the batch waits, and is stored when that is over",
    async (state) => {
      const before = (await kept(3)).length;
      const bad = poison(3);
      await refuse("events", IS_POISON, state);
      const service = await rig.start(SETTINGS);
      try {
        await rig.publish(bad);
        await waitFor(
          "some tries",
          async () => (await metric(service, "footfall_aggregator_failures_total")) >= 3,
        );
        expect(await rig.query("SELECT 1 FROM batch_ledger WHERE batch_id = $1", [bad.id])).toEqual([]);
      } finally {
        await rig.pool.query("DROP TRIGGER refuse ON events");
      }
      expect(await rig.committed(bad)).toMatchObject({ rows: 2, stored: 2 });
      expect(await kept(3)).toHaveLength(before);
    },
  );
});

test("dead-lettered again and again, because its ledger line cannot be written, it is kept once", async () => {
  const partition = 1;
  const before = (await kept(partition)).length;
  const bad = poison(partition);
  await refuse("batch_ledger", "NEW.dead_lettered > 0", "57014");
  const service = await rig.start(SETTINGS, [failingStep()]);
  try {
    await rig.publish(bad);
    await waitFor(
      "some tries",
      async () => (await metric(service, "footfall_aggregator_failures_total")) >= 3,
    );
    expect(await kept(partition)).toHaveLength(before + 1);
  } finally {
    await rig.pool.query("DROP TRIGGER refuse ON batch_ledger");
  }
  expect(await rig.committed(bad)).toMatchObject(deadLettered(2));
  expect(await kept(partition)).toHaveLength(before + 1);
});

test("while the dead-letter stream takes nothing the position stays; then the batch is kept and passed", async () => {
  const partition = 2;
  const { streams } = await jetstreamManager(rig.nc);
  await streams.delete(DEAD_LETTER_STREAM);
  const [bad, good] = [poison(partition), batchFor(partition, 1)] as const;
  const seq = await rig.publish(bad);
  await rig.publish(good);
  const service = await rig.start(SETTINGS, [failingStep()]);
  await waitFor("some tries", async () => (await metric(service, "footfall_aggregator_failures_total")) >= 2);
  const [position] = await rig.query<{ seq: number }>(
    "SELECT stream_seq::integer AS seq FROM partitions WHERE partition_id = $1",
    [partition],
  );
  expect(position!.seq).toBeLessThan(seq);
  await ensureTestStreams(rig.nc, PARTITIONS);
  expect(await rig.committed(good)).toMatchObject({ stored: 1 });
  expect(await rig.committed(bad)).toMatchObject(deadLettered(2));
  expect(await kept(partition)).toHaveLength(1);
});

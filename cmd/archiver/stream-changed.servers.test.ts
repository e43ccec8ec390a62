import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { waitFor } from "../../test/kit/installation-wait.ts";
import { loseTestStream } from "../../test/kit/nats.ts";
import { metric } from "../../test/kit/service.ts";
import { PARTITIONS, Rig } from "./testing/rig.ts";

const PARTITION = 1;
const OWN = { partitions: String(PARTITION), "stream-changed-ms": "300" };

let rig: Rig;
beforeAll(async () => {
  rig = await Rig.open();
});
afterEach(() => rig?.stop());
afterAll(() => rig?.close());

const loseStream = () => loseTestStream(rig.nc, PARTITION, PARTITIONS);

const rewinds = () =>
  rig.query<{ from: number; to: number }>(
    `SELECT from_seq::integer AS "from", to_seq::integer AS "to" FROM archive_rewinds ORDER BY seen_at`,
  );

async function allArchived(): Promise<void> {
  const published = rig.published.get(PARTITION)!.toSorted();
  await waitFor("all events", async () => (await rig.archived(PARTITION)).length >= published.length);
  expect((await rig.archived(PARTITION)).toSorted()).toEqual(published);
}

test("new batches in a stream that lost old ones are archived, though their sequences were used before", async () => {
  const service = await rig.start(OWN);
  for (let i = 0; i < 3; i++) await rig.publish(PARTITION);
  await rig.reaches(PARTITION, 3);
  await loseStream();
  for (let i = 0; i < 2; i++) await rig.publish(PARTITION);
  await allArchived();
  expect(await metric(service, "footfall_archiver_stream_rewinds_total")).toBe(1);
  expect(await rewinds()).toEqual([{ from: 3, to: 0 }]);
});

test("a stream that has grown past the position while no archiver looked is not taken for the old one", async () => {
  const position = await rig.position(PARTITION);
  await loseStream();
  for (let i = 0; i < position + 2; i++) await rig.publish(PARTITION);
  await rig.start(OWN);
  await allArchived();
  expect((await rewinds()).at(-1)).toEqual({ from: position, to: 0 });
});

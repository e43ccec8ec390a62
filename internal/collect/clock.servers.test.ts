import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { afterEach, expect, test } from "vitest";
import { AdjustmentKind, EventStatus, RejectReason } from "../gen/footfall/collect/v1/collect_pb.js";
import { type Rig, startRig } from "./testing/rig.ts";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

let rig: Rig;
afterEach(() => rig?.close());

/** Sends an event of a client whose clock is wrong, and that tells when it sends. Ms from now by the right clock. */
async function send(client: number, sent: number | undefined) {
  rig = await startRig();
  const now = Date.now();
  const events = [{ name: "e", clientTime: timestampFromMs(now + client) }];
  const sentTime = sent === undefined ? {} : { sentTime: timestampFromMs(now + sent) };
  const answer = await rig.grpc().send({ events, ...sentTime });
  const [row] = rig.publisher.rows();
  return {
    answer,
    client: row && row.clientTime - now,
    sent: row?.sentTime === undefined ? 0 : row.sentTime - now,
  };
}

test("an event of a clock that is years ahead is taken when its request tells the sending time by that clock", async () => {
  const { answer, client, sent } = await send(800 * DAY - HOUR, 800 * DAY);
  expect(answer.statuses).toEqual([EventStatus.ACCEPTED]);
  // As it came: what is stored can be corrected again.
  expect([client, sent]).toEqual([800 * DAY - HOUR, 800 * DAY]);
});

test("so is one of a clock that stands in 1970", async () => {
  const epoch = -Date.now() + HOUR;
  expect((await send(epoch - 60_000, epoch)).answer.statuses).toEqual([EventStatus.ACCEPTED]);
});

test.each([
  ["without the sending time", 2 * DAY, undefined],
  ["that the sending time does not explain", 2 * DAY, 0],
  ["too old by a clock that the sending time is right by", -40 * DAY + 800 * DAY, 800 * DAY],
])("an event of a clock that is days ahead, %s, is taken and told of", async (_, client, sent) => {
  const { answer, client: stored } = await send(client, sent);
  expect(answer.statuses).toEqual([EventStatus.ACCEPTED]);
  expect(answer.adjustments).toMatchObject([
    {
      index: 0,
      field: "client_time",
      kind: AdjustmentKind.REPLACED,
      message: expect.stringMatching(/^20\d\d-.* a day ahead/),
    },
  ]);
  // As it came: the aggregator sees that it cannot be right.
  expect(stored).toBe(client);
});

test("a time that no batch can hold is stored as the last one that can", async () => {
  const { answer, client } = await send(1e15, undefined);
  expect(answer.statuses).toEqual([EventStatus.ACCEPTED]);
  expect(client! + Date.now()).toBeCloseTo(Date.UTC(2200, 0), -4);
});

test("an event too old by its own clock, which is right, is refused", async () => {
  const { answer } = await send(-31 * DAY, 0);
  expect(answer.rejections.map(({ reason }) => reason)).toEqual([RejectReason.TIME_TOO_OLD]);
});

test("a sending time that would lead out of the retention is left out, and the event's own time stands", async () => {
  const { answer, client, sent } = await send(-HOUR, 60 * DAY);
  expect(answer.statuses).toEqual([EventStatus.ACCEPTED]);
  expect([client, sent]).toEqual([-HOUR, 0]);
});

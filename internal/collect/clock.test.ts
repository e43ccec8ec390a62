import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { afterEach, expect, test } from "vitest";
import { EventStatus, RejectReason } from "../gen/footfall/collect/v1/collect_pb.js";
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
  ["without the sending time", 2 * DAY, undefined, RejectReason.TIME_IN_FUTURE],
  ["that the sending time does not explain", 2 * DAY, 0, RejectReason.TIME_IN_FUTURE],
  ["too old by the right clock", -40 * DAY + 800 * DAY, 800 * DAY, RejectReason.TIME_IN_FUTURE],
  ["too old by its own clock, which is right", -31 * DAY, 0, RejectReason.TIME_TOO_OLD],
])("an event %s is refused", async (_, client, sent, reason) => {
  const { answer } = await send(client, sent);
  expect(answer.rejections.map((rejection) => rejection.reason)).toEqual([reason]);
});

test("a sending time that would lead out of the retention is left out, and the event's own time stands", async () => {
  const { answer, client, sent } = await send(-HOUR, 60 * DAY);
  expect(answer.statuses).toEqual([EventStatus.ACCEPTED]);
  expect([client, sent]).toEqual([-HOUR, 0]);
});

import fc from "fast-check";
import { expect, test } from "vitest";
import { testBatch } from "../../../test/kit/batches.ts";
import { testContext } from "../../../test/kit/step-context.ts";
import { MAX_TIME_MS, MIN_TIME_MS } from "../../event/batch-limits.ts";
import { BatchView } from "../../event/batch-view.ts";
import { open } from "../../event/seal.ts";
import { process } from "./process.ts";

const NOON = Date.UTC(2026, 2, 29, 12);
const SECOND = 1_000;
const HOUR = 3_600_000;
const [CLIENT, CORRECTED, RECEIVED] = [0, 1, 2];

/** Time (less `received`) and quality of an event. Times are relative to `received`; no `sent`: not told. */
function timeOf(client: number, sent?: number, received = NOON): [number, number] {
  const sentTime = sent === undefined ? 0 : received + sent;
  const event = { merchantId: 1, time: received + client, receivedTime: received, sentTime, visitorId: "v" };
  const { sealed, batch } = open(testBatch([event], { partition: 0 }).bytes);
  const { time, timeQuality } = process(new BatchView(sealed!.batchId, batch!), testContext());
  return [time.get(0) - received, timeQuality[0]!];
}

test("the client's time stands where its clock is right, however late the event comes", () => {
  expect(timeOf(-SECOND)).toEqual([-SECOND, CLIENT]);
  expect(timeOf(-SECOND, -200)).toEqual([-SECOND, CLIENT]);
  expect(timeOf(-72 * HOUR, -200)).toEqual([-72 * HOUR, CLIENT]);
  expect(timeOf(2 * SECOND, 2 * SECOND)).toEqual([2 * SECOND, CLIENT]);
});

test("a clock that is off by more than five seconds is corrected by the sending time", () => {
  // An hour ahead; the event was sent ten seconds after it happened.
  expect(timeOf(HOUR - 10 * SECOND, HOUR)).toEqual([-10 * SECOND, CORRECTED]);
  // A year behind.
  expect(timeOf(-8_760 * HOUR - 10 * SECOND, -8_760 * HOUR)).toEqual([-10 * SECOND, CORRECTED]);
  expect(timeOf(-6 * SECOND, -5 * SECOND)).toEqual([-6 * SECOND, CLIENT]);
  expect(timeOf(-6 * SECOND, -5_001)).toEqual([-999, CORRECTED]);
});

test("a time that is ahead and that nothing corrects is the received one", () => {
  expect(timeOf(5 * SECOND)).toEqual([5 * SECOND, CLIENT]);
  expect(timeOf(5_001)).toEqual([0, RECEIVED]);
  // Sent an hour before it happened: not by one clock.
  expect(timeOf(2 * HOUR, HOUR)).toEqual([0, RECEIVED]);
});

test("an event without a time has the received one, and no sending time moves it", () => {
  expect(timeOf(0)).toEqual([0, RECEIVED]);
  expect(timeOf(0, HOUR)).toEqual([0, RECEIVED]);
});

test("whatever the clocks say: never ahead, never beyond what batches hold, and the clock's error cancels out", () => {
  const span = fc.oneof(
    fc.integer({ min: -10_000, max: 10_000 }),
    fc.integer({ min: -40 * HOUR, max: 40 * HOUR }),
    fc.integer({ min: MIN_TIME_MS - NOON, max: MAX_TIME_MS - NOON }),
  );
  fc.assert(
    fc.property(span, fc.option(span, { nil: undefined }), (client, sent) => {
      const [time, quality] = timeOf(client, sent);
      expect(time).toBeLessThanOrEqual(5 * SECOND);
      expect(NOON + time).toBeGreaterThanOrEqual(MIN_TIME_MS);
      if (quality === CLIENT) expect(time).toBe(client);
      if (quality === RECEIVED) expect(time).toBe(0);
      // From event to sending the client's clock ran right: as long before the receipt it happened.
      if (quality === CORRECTED) expect(time).toBe(client - sent!);
    }),
  );
});

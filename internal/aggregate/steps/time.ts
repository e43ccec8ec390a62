import { setI64 } from "../../event/columns.ts";
import { clockShift, eventTime } from "../../event/event-time.ts";
import { TimeQuality } from "../../store/event-columns.ts";
import type { Step } from "./step.ts";

/**
 * When the event happened (event-time.ts): the client's time, corrected by the sending time where its clock is
 * wrong, or the received time where there is none or it lies ahead.
 */
export const time: Step = {
  name: "time",
  version: 1,
  run(batch, { timeWords, timeQuality }) {
    const { sentTime } = batch;
    for (let row = 0; row < batch.rows; row++) {
      const received = batch.receivedTime.get(row);
      const client = batch.clientTime.get(row);
      const sent = sentTime?.get(row) ?? 0;
      const ms = eventTime(client, sent, received);
      setI64(timeWords, row, ms);
      timeQuality[row] = qualityOf(ms, client, sent, received);
    }
  },
};

function qualityOf(ms: number, client: number, sent: number, received: number): number {
  // Rows without a client's time hold the received one.
  if (client === received) return TimeQuality.RECEIVED;
  if (ms === client) return TimeQuality.CLIENT;
  return clockShift(client, sent, received) === 0 ? TimeQuality.RECEIVED : TimeQuality.CORRECTED;
}

import { HashCache, ownText, utcDay } from "./hash-cache.ts";
import type { Step } from "./step.ts";

/** The session: the SDK's session id, or else the visitor's UTC day. Comes after `time` and `visitor`. */
export const session: Step = {
  name: "session",
  version: 1,
  run(batch, { time, visitors, sessions }) {
    const ids = batch.text("sessionId");
    const known = new HashCache<number>();
    const days = new HashCache<string>();
    for (let row = 0; row < batch.rows; row++) {
      const merchant = batch.merchantIds[row]!;
      const id = ids?.[row] ?? 0;
      if (id !== 0) {
        const parts = () => ["session", merchant, batch.dictionary.text(id)];
        known.write(sessions, row, ownText(merchant, id), parts);
        continue;
      }
      const who = `${visitors[2 * row + 1]} ${visitors[2 * row]}`;
      const day = utcDay(time.get(row));
      days.write(sessions, row, `${who} ${day}`, () => ["day", who, day]);
    }
  },
};
